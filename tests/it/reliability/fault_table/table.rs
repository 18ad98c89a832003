use std::fmt::Write;

use super::{
    rows::{OF_CLUSTER, OF_FILE, OF_POSTGRES, OF_SENTINEL, OF_SERVER, OF_STANDBY, Row},
    told::Told,
};

/// The table of Redis, as Markdown.
pub(super) fn of_redis() -> String {
    let all = OF_SERVER.iter().map(told);
    let all = all.chain(OF_SENTINEL.iter().map(told));
    rendered(
        &[MADE_BY, REDIS, COLUMNS],
        all.chain(OF_CLUSTER.iter().map(told)),
    )
}

/// The table of PostgreSQL, as Markdown.
pub(super) fn of_postgres() -> String {
    let all = OF_POSTGRES.iter().map(told);
    rendered(
        &[MADE_BY, POSTGRES, COLUMNS],
        all.chain(OF_STANDBY.iter().map(told)),
    )
}

/// The table of SQLite, as Markdown.
pub(super) fn of_sqlite() -> String {
    rendered(&[MADE_BY, SQLITE, COLUMNS], OF_FILE.iter().map(told))
}

fn rendered(head: &[&str], rows: impl Iterator<Item = &'static Told>) -> String {
    let mut text = head.concat();
    for told in rows {
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

fn told<F>(row: &'static Row<F>) -> &'static Told {
    &row.told
}

const MADE_BY: &str = "\
<!-- Made by tests/it/reliability/fault_table, which says how. -->
";

const REDIS: &str = "\
What clients see of each fault, from the tests that cause it under load. A response waits for the store for at
most one time limit before its handler runs and one after. When the fault is over, the service resumes without
a restart of the application, and no key stays claimed for longer than its lease. If requests fail closed, no
handler runs twice for a key while it is claimed, and no request whose response was sent runs again, unless its
key is lost, or the response was sent while Redis was away for longer than the lease.

Sentinel (`down-after-milliseconds`) and Cluster (`cluster-node-timeout`) decide when a replica takes over. It has
what it had received: usually all but the last milliseconds; after `SENTINEL FAILOVER` all but the last second or
two, during which the former master goes on.

";

const POSTGRES: &str = "\
What clients see of each fault, from the tests that cause it under load. A response waits for the store for at
most one time limit before its handler runs and one after. When the fault is over, the service resumes without
a restart of the application, and no key stays claimed for longer than its lease. If requests fail closed, no
handler runs twice for a key while it is claimed, and no request whose response was sent runs again, unless its
key is lost, or the response was sent while PostgreSQL was away for longer than the lease.

A standby has what it had received when it is promoted: with asynchronous replication all but the last
milliseconds, with `synchronous_standby_names` everything that was confirmed.

";

const SQLITE: &str = "\
What clients see of each fault, from the tests that cause it under load. When the fault is over, the service resumes
without a restart of the application, and no key stays claimed for longer than its lease.

";

const COLUMNS: &str = "\
| Fault | Clients see, fail-closed | Clients see, fail-open | Service resumes | Keys |
|---|---|---|---|---|
";
