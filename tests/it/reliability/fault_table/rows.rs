use super::{
    master_and_replica::{
        self,
        Fault::{FailoverAfterPause, FailoverOrdered, MasterKilled},
    },
    one_file,
    postgres_fault::PostgresFault,
    primary_and_standby,
    server_fault::ServerFault::{self, *},
    shards::{
        self,
        Fault::{PrimaryKilled, PrimaryKilledOfAll, PrimaryReplaced, SlotsMove},
    },
    told::{
        Keys::{self, AllLost, HeardKept, Kept, ThoseLost},
        Resumes::{self, AtOnce, Soon, TakenOver, Unbroken},
        Seen::{self, Delay, NoFirstRuns, Nothing, Outage, OutageOfShard, OutageSpreads, Refused},
        Told,
    },
};

/// A fault, and what is told of it.
pub(super) struct Row<F> {
    pub(super) fault: F,
    pub(super) told: Told,
}

pub(super) const OF_SERVER: [Row<ServerFault>; 25] = [
    row(
        Killed,
        "Redis is killed and starts empty",
        Outage,
        Soon,
        AllLost,
    ),
    row(
        KilledWithAof,
        "Redis is killed and starts with its append-only file, `appendfsync always`",
        Outage,
        Soon,
        Kept,
    ),
    row(
        Stopped,
        "Redis is stopped, as by `SIGSTOP`, and goes on",
        Outage,
        Soon,
        Kept,
    ),
    row(Paused, "`CLIENT PAUSE`", Outage, Soon, Kept),
    row(
        ClientsKilled,
        "`CLIENT KILL`, again and again",
        Nothing,
        Unbroken,
        Kept,
    ),
    row(
        Cut,
        "the network is cut, and refuses connections",
        Outage,
        Soon,
        Kept,
    ),
    row(
        Slow,
        "the network is slower, by less than the timeout",
        Delay,
        Unbroken,
        Kept,
    ),
    row(
        TooSlow,
        "the network is slower, by more than the timeout",
        Outage,
        Soon,
        Kept,
    ),
    row(
        Reset,
        "connections are reset, again and again",
        Nothing,
        Unbroken,
        Kept,
    ),
    row(
        Forgotten,
        "connections are half-open: the network drops them at once, silently",
        Nothing,
        Unbroken,
        Kept,
    ),
    row(
        ClosedWhileQuiet,
        "connections are closed while quiet, by the `timeout` of Redis or a proxy before it",
        Nothing,
        Unbroken,
        Kept,
    ),
    row(
        ForgottenWhileQuiet,
        "connections are dropped silently while quiet, by a NAT or a load balancer",
        Nothing,
        Unbroken,
        Kept,
    ),
    row(
        Unanswered,
        "the network swallows the replies of Redis, on new connections too",
        Outage,
        Soon,
        Kept,
    ),
    row(
        Swallowed,
        "the network swallows everything, on new connections too",
        Outage,
        Soon,
        Kept,
    ),
    row(
        ScriptsFlushed,
        "`SCRIPT FLUSH`, again and again",
        Nothing,
        Unbroken,
        Kept,
    ),
    row(Flushed, "`FLUSHALL`", Nothing, Unbroken, AllLost),
    row(
        Squatted,
        "keys are overwritten with another type",
        Refused,
        AtOnce,
        ThoseLost,
    ),
    row(
        Deleted,
        "an operator deletes keys",
        Nothing,
        Unbroken,
        ThoseLost,
    ),
    row(
        OutOfMemory,
        "Redis is out of memory, with `noeviction`",
        Outage,
        AtOnce,
        Kept,
    ),
    row(
        ReadOnly,
        "Redis becomes a read-only replica",
        Outage,
        AtOnce,
        Kept,
    ),
    row(
        WrongPassword,
        "the password is wrong from the start",
        Outage,
        Soon,
        Kept,
    ),
    row(
        RotatedPassword,
        "the password is changed, and connections are closed",
        Outage,
        Soon,
        Kept,
    ),
    row(
        MaxClients,
        "Redis has closed the connections and has none left, by `maxclients`",
        Outage,
        Soon,
        Kept,
    ),
    row(
        Exhausted,
        "the application's pool is exhausted",
        Delay,
        Unbroken,
        Kept,
    ),
    row(
        WorkersEnd,
        "worker runtimes end that use the same store",
        Nothing,
        Unbroken,
        Kept,
    ),
];

pub(super) const OF_SENTINEL: [Row<master_and_replica::Fault>; 3] = [
    row(
        MasterKilled,
        "Sentinel: the master is killed",
        Outage,
        TakenOver,
        HeardKept,
    ),
    row(
        FailoverOrdered,
        "Sentinel: a planned failover, by `SENTINEL FAILOVER`",
        Delay,
        Unbroken,
        HeardKept,
    ),
    row(
        FailoverAfterPause,
        "Sentinel: the same, after `CLIENT PAUSE .. WRITE` on the master",
        Outage,
        TakenOver,
        Kept,
    ),
];

pub(super) const OF_CLUSTER: [Row<shards::Fault>; 4] = [
    row(
        SlotsMove,
        "Cluster: slots move to another node",
        Nothing,
        Unbroken,
        Kept,
    ),
    row(
        PrimaryKilled,
        "Cluster: a primary is killed",
        OutageOfShard,
        TakenOver,
        HeardKept,
    ),
    row(
        PrimaryKilledOfAll,
        "Cluster: the same, with `cluster-require-full-coverage yes`, the default",
        OutageSpreads,
        TakenOver,
        HeardKept,
    ),
    row(
        PrimaryReplaced,
        "Cluster: a primary is replaced by its replica, by `CLUSTER FAILOVER`",
        Delay,
        Unbroken,
        Kept,
    ),
];

pub(super) const OF_POSTGRES: [Row<PostgresFault>; 17] = [
    row(
        PostgresFault::Killed,
        "PostgreSQL is killed, with all its processes, and starts again",
        Outage,
        Soon,
        Kept,
    ),
    row(
        PostgresFault::Stopped,
        "PostgreSQL is stopped, as by `SIGSTOP`, and goes on",
        Outage,
        Soon,
        Kept,
    ),
    row(
        PostgresFault::Terminated,
        "`pg_terminate_backend`, again and again",
        Nothing,
        Unbroken,
        Kept,
    ),
    row(
        PostgresFault::Cut,
        "the network is cut, and refuses connections",
        Outage,
        Soon,
        Kept,
    ),
    row(
        PostgresFault::Slow,
        "the network is slower, by less than the timeout",
        Delay,
        Unbroken,
        Kept,
    ),
    row(
        PostgresFault::TooSlow,
        "the network is slower, by more than the timeout",
        Outage,
        Soon,
        Kept,
    ),
    row(
        PostgresFault::Reset,
        "connections are reset, again and again",
        Nothing,
        Unbroken,
        Kept,
    ),
    row(
        PostgresFault::Swallowed,
        "the network swallows everything, on new connections too",
        Outage,
        Soon,
        Kept,
    ),
    row(
        PostgresFault::ReadOnly,
        "PostgreSQL becomes read-only",
        Outage,
        Soon,
        Kept,
    ),
    row(
        PostgresFault::TableRenamed,
        "the table is missing",
        Outage,
        AtOnce,
        Kept,
    ),
    row(
        PostgresFault::RightsRevoked,
        "the user loses the rights to the table",
        Outage,
        AtOnce,
        Kept,
    ),
    row(
        PostgresFault::TableLocked,
        "something locks the whole table, such as `ALTER TABLE`",
        Outage,
        Soon,
        Kept,
    ),
    row(
        PostgresFault::RowsLocked,
        "a transaction locks all rows",
        Nothing,
        Unbroken,
        Kept,
    ),
    row(
        PostgresFault::Truncated,
        "`TRUNCATE` of the table",
        Nothing,
        Unbroken,
        AllLost,
    ),
    row(
        PostgresFault::Deleted,
        "an operator deletes rows",
        Nothing,
        Unbroken,
        ThoseLost,
    ),
    row(
        PostgresFault::Exhausted,
        "the application's pool is exhausted, for less than the timeout",
        Delay,
        Unbroken,
        Kept,
    ),
    row(
        PostgresFault::WorkersEnd,
        "worker runtimes end that use the same store",
        Nothing,
        Unbroken,
        Kept,
    ),
];

pub(super) const OF_STANDBY: [Row<primary_and_standby::Fault>; 2] = [
    row(
        primary_and_standby::Fault::PrimaryKilled,
        "the primary is killed, and its asynchronous standby promoted",
        Outage,
        Soon,
        HeardKept,
    ),
    row(
        primary_and_standby::Fault::StandbyOnly,
        "connections lead to a standby",
        Outage,
        Soon,
        Kept,
    ),
];

pub(super) const OF_FILE: [Row<one_file::Fault>; 7] = [
    row(
        one_file::Fault::Written,
        "another connection writes, for longer than the timeout",
        NoFirstRuns,
        AtOnce,
        Kept,
    ),
    row(
        one_file::Fault::WrittenBriefly,
        "the same, for less than the timeout, again and again",
        Delay,
        Unbroken,
        Kept,
    ),
    row(
        one_file::Fault::TableRenamed,
        "the table is missing",
        Outage,
        AtOnce,
        Kept,
    ),
    row(
        one_file::Fault::Emptied,
        "all rows are deleted",
        Nothing,
        Unbroken,
        AllLost,
    ),
    row(
        one_file::Fault::Deleted,
        "an operator deletes rows",
        Nothing,
        Unbroken,
        ThoseLost,
    ),
    row(
        one_file::Fault::Exhausted,
        "the application's pool is exhausted, for less than the timeout",
        Delay,
        Unbroken,
        Kept,
    ),
    row(
        one_file::Fault::WorkersEnd,
        "worker runtimes end that use the same store",
        Nothing,
        Unbroken,
        Kept,
    ),
];

const fn row<F>(fault: F, what: &'static str, seen: Seen, resumes: Resumes, keys: Keys) -> Row<F> {
    let told = Told {
        what,
        seen,
        resumes,
        keys,
    };
    Row { fault, told }
}
