//! Redis in production: settings, rights, connections, what can be lost, and how to look at a key.
//!
//! What each topology survives, what clients see of each fault, and how to move from one to the
//! next: [`RedisStore`](crate::RedisStore).
//!
//! # Settings
//!
//! [`RedisStore::check`](crate::RedisStore::check) at start-up says what the server may
//! forget, and which setting to change: `maxmemory-policy noeviction` (every key here has a TTL, so
//! the `volatile-` policies choose from them too), `appendonly yes`, `min-replicas-to-write`.
//!
//! # What can be lost
//!
//! Redis answers before its replicas have heard, and before the disk has. A
//! failover, or a crash with `appendfsync everysec`, forgets the last moments: a claim in there can
//! be made a second time while the first still runs, an answer in there is run again. A
//! [fence](crate::Claim::fencing_token) and a unique constraint where the work is written down find that
//! out; `examples/payments_postgres` has both, and is tested with a store that forgets everything.
//!
//! # Replacing a master
//!
//! Replacing a master that is well loses nothing if it takes no more writes before its replica
//! takes over. In a Cluster `CLUSTER FAILOVER` on the replica sees to that; with Sentinel send
//! `CLIENT PAUSE 10000 WRITE` to the master and then `SENTINEL FAILOVER <name>` to a sentinel, and
//! requests see an outage of a second or two.
//!
//! # Connections
//!
//! A process has one per worker that has used the store, one for background work,
//! one for wake-ups once somebody waits; on a cluster that many to each primary, with Sentinel one
//! more to each sentinel. Eight workers make ten, and thirty on a cluster of three primaries: see
//! that `maxclients` (10,000 by default) and the limit of open files have room for all processes, and
//! twice that during a deployment.
//!
//! # Rights
//!
//! What an ACL user needs, with the prefix of the keys (`idempotency:`, `ApiLock:` or your own):
//!
//! ```text
//! ACL SETUSER app on >secret ~idempotency:* &idempotency:* +@connection -@dangerous    always
//! ACL SETUSER app +set +get +del +pexpire +pttl +time +eval +evalsha    always
//! ACL SETUSER app +spublish +ssubscribe +sunsubscribe     for wake-ups
//! ACL SETUSER app +info +config|get                       for check
//! ACL SETUSER app +scan                                   for Inspect
//! ACL SETUSER app +role                                   with Sentinel
//! ACL SETUSER app +cluster|slots                          in a cluster, on each node
//! ACL SETUSER app on >other +@connection -@dangerous +sentinel|get-master-addr-by-name    on each sentinel
//! ```
//!
//! The URL of the master, or of the nodes, has the user and password of the servers, those of the
//! sentinels have their own. Users are not replicated: every server has to know them.
//!
//! # Clocks
//!
//! Leases, retention and fences are Redis' own; hosts of the application may disagree.
//!
//! # Looking at a key
//!
//! With `redis-cli` (`examples/inspect` in the repository does the same with fewer digits):
//!
//! ```text
//! redis-cli --scan --pattern 'idempotency:*'    keys; never KEYS, which stops everybody else
//! redis-cli PTTL <key>                          ms until it is forgotten
//! redis-cli STRLEN <key>                        32: a lock; otherwise more
//! redis-cli GETRANGE <key> 0 1                  "\x01C" a claim, "\x01A" an answer, "\x01T" a tombstone
//! redis-cli GETRANGE <key> 2 33                 the owner's token: who has it can end the claim
//! redis-cli GETRANGE <key> 34 37                of a claim: its attempt, big-endian
//! redis-cli GETRANGE <key> 34 34                of a record: "\x01" if a fingerprint of 32 bytes follows
//! redis-cli GETRANGE <key> 67 68                then the status, big-endian ("\x00\xc9" is 201)
//! redis-cli DEL <key>                           the next request runs; waiters look within 5 s
//! ```
//!
//! All numbers are big-endian, and the first byte is the version. What begins otherwise, ends early,
//! or is of another type counts as present and is never run over:
//!
//! ```text
//! lock         token
//! claim        01 'C', token, attempt u32, grace in ms u64, fingerprint
//! answer       01 'A', token, fingerprint, status u16, length of all headers u32,
//!              per header: name length u16, name, value length u32, value; then the body
//! tombstone    01 'T', token, fingerprint, status u16 (0: unknown), location, if there is one
//!
//! token        32 lower-case hexadecimal digits
//! fingerprint  00, or 01 and 32 bytes
//! ```
//!
//! # When a key was taken away under its owner
//!
//! By `release` or `delete` of the inspect example, or `DEL`: the run goes on. Its completion, when it comes, fills the place if nobody has claimed it
//! since, and is dropped otherwise.
