use std::fmt::Write;

use super::{
    rows::{OF_CLUSTER, OF_SENTINEL, OF_SERVER, Row},
    told::Told,
};

/// The table, as Markdown.
pub(super) fn rendered() -> String {
    let mut text = HEAD.to_owned();
    let all = OF_SERVER.iter().map(told);
    let all = all.chain(OF_SENTINEL.iter().map(told));
    for told in all.chain(OF_CLUSTER.iter().map(told)) {
        let (closed, open) = (told.seen.fail_closed(), told.seen.fail_open());
        let Told {
            what,
            resumes,
            keys,
            ..
        } = told;
        writeln!(text, "| {what} | {closed} | {open} | {resumes} | {keys} |").unwrap();
    }
    text
}

fn told<F>(row: &Row<F>) -> &Told {
    &row.told
}

const HEAD: &str = "\
<!-- Made by tests/it/fault_table, which says how. -->
What clients see of each fault, by the tests that cause it under load. In every case an answer
waits for the store at most one timeout before its handler runs and one after; when the fault is
over the service resumes without a restart of the application, and no key stays blocked for longer
than its lease. Where requests fail closed, no handler runs twice for a key while it is claimed, and
what was answered is not run again, unless its key is lost, or the answer was given while Redis was
away for longer than the lease.

When a replica takes over is a matter of Sentinel (`down-after-milliseconds`) and Cluster
(`cluster-node-timeout`). It keeps what it has heard of: usually all but the last milliseconds; after
`SENTINEL FAILOVER` all but the last second or two, for which the former master goes on.

| Fault | Clients see, fail-closed | Clients see, fail-open | Service resumes | Keys |
|---|---|---|---|---|
";
