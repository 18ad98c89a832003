//! Redis in production: settings, rights, connections, Sentinel and Cluster, and how to look at a key.
//!
//! What each topology survives, and what clients see of each fault: [`RedisStore`](crate::RedisStore).
//!
//! # Settings
//!
//! Call [`RedisStore::check`](crate::RedisStore::check) at start-up. It says what the server may forget, and which
//! setting to change:
//!
//! ```
//! # async fn start() -> Result<(), Box<dyn std::error::Error>> {
//! use actix_web_idempotency::RedisStore;
//!
//! let store = RedisStore::new("redis://127.0.0.1/")?;
//! for finding in store.check("idempotency:").await? {
//!     eprintln!("{finding}");
//! }
//! # Ok(())
//! # }
//! ```
//!
//! | setting | why |
//! |---|---|
//! | `maxmemory-policy noeviction` | otherwise Redis drops claims and records; every key here has a TTL, so the `volatile-` policies choose from them too |
//! | `appendonly yes` | otherwise a restart forgets everything |
//! | `min-replicas-to-write 1` | bounds what a failover loses |
//!
//! # What can be lost
//!
//! Redis replies before its replicas and its disk have a write. A failover, or a crash with `appendfsync everysec`,
//! forgets the last moments: a claim in there can be made a second time while the first still runs, and a request
//! whose record was in there runs again. A unique constraint
//! and a [fencing token](crate::Claim::fencing_token) in the row detect that; keys [in the same
//! database](super::exactly_once) as the rows leave nothing to detect.
//!
//! # Replacing a master
//!
//! A planned failover loses nothing if the master takes no more writes before its replica takes over. In a Cluster,
//! `CLUSTER FAILOVER` on the replica does that. With Sentinel, send `CLIENT PAUSE 10000 WRITE` to the master and then
//! `SENTINEL FAILOVER <name>` to a sentinel: requests see an outage of a second or two. Without the pause the former
//! master goes on for a second or two, until the sentinels name the new one, and what it confirms meanwhile is lost.
//!
//! # Connections
//!
//! | connections | how many |
//! |---|---|
//! | for requests | one per worker that has used the store |
//! | for background work | one |
//! | for notifications | one, once a duplicate waits or [`check`](crate::RedisStore::check) was called |
//! | for `ping` and `check` in `main` | one |
//! | on a cluster | that many to each primary |
//! | with Sentinel | one more to each sentinel |
//!
//! Eight workers make ten, and thirty on a cluster of three primaries. `maxclients` (10,000 by default) and the limit
//! of open files need room for all processes, and for twice as many during a deployment.
//!
//! A connection is opened at first need, shared by all requests of its worker, and replaced when it breaks; there is
//! no ping per use. If nothing has come over a connection for a third of the time limit while a call waits, and
//! another one can be opened, the network has dropped the old one: the call is sent again on the new one.
//!
//! # Sentinel
//!
//! When a connection is opened, all sentinels are asked at once; in the background each of them is asked twice
//! a second whether it still names the same master. So a failover is followed as soon as the sentinels know of
//! it; after a planned one, the former master learns of it only some ten seconds later.
//!
//! The servers must be reachable where the sentinels say that they are. Behind a NAT, or in containers, set
//! `sentinel announce-ip`, `replica-announce-ip` and their ports. With TLS the servers' certificates must be for what
//! the sentinels say: an address as a rule, a name with `sentinel resolve-hostnames yes` and
//! `sentinel announce-hostnames yes`.
//!
//! # Cluster
//!
//! The nodes must be reachable where they say that they are; addresses are not translated. If nodes have other
//! addresses, behind a NAT or in containers, set one of
//!
//! * `cluster-announce-ip` and `cluster-announce-port` (with TLS `cluster-announce-tls-port`)
//! * `cluster-announce-hostname` and `cluster-preferred-endpoint-type hostname`
//! * `cluster-preferred-endpoint-type unknown-endpoint`, if all are at one host under different ports: the host is then
//!   that of the node that was asked
//!
//! An error names a node that cannot be reached by the address that it has announced. With TLS its certificate must be
//! for that address, or for that name.
//!
//! A node that is lost does not affect the keys of others, unless the nodes refuse all keys while some are not served,
//! which is their default: set `cluster-require-full-coverage no`.
//!
//! # Rights
//!
//! An ACL user needs these, with the prefix of the keys (`idempotency:`, `ApiLock:` or a custom one):
//!
//! ```text
//! ACL SETUSER app on >secret ~idempotency:* &idempotency:* +@connection -@dangerous    always
//! ACL SETUSER app +set +get +del +pexpire +pttl +time +eval +evalsha    always
//! ACL SETUSER app +spublish +ssubscribe +sunsubscribe     for notifications
//! ACL SETUSER app +info +config|get                       for check
//! ACL SETUSER app +scan                                   for Inspect
//! ACL SETUSER app +role                                   with Sentinel
//! ACL SETUSER app +cluster|slots                          in a cluster, on each node
//! ACL SETUSER app on >other +@connection -@dangerous +sentinel|get-master-addr-by-name    on each sentinel
//! ```
//!
//! The URL of the master, or of the nodes, has the user and password of the servers; those of the sentinels have their
//! own. Users are not replicated: create them on every server.
//!
//! # Clocks
//!
//! Leases, retention and fencing tokens are by the clock of Redis; the clocks of the application's hosts do not matter.
//!
//! # Looking at a key
//!
//! With `redis-cli` (`examples/inspect` in the repository does the same with fewer digits):
//!
//! ```text
//! redis-cli --scan --pattern 'idempotency:*'    keys; never KEYS, which blocks all other clients
//! redis-cli PTTL <key>                          ms until it is forgotten
//! redis-cli STRLEN <key>                        32: a lock; otherwise more
//! redis-cli GETRANGE <key> 0 1                  "\x01C" a claim, "\x01A" a response, "\x01T" a tombstone
//! redis-cli GETRANGE <key> 2 33                 the owner's token, which can end the claim
//! redis-cli GETRANGE <key> 34 37                of a claim: its attempt, big-endian
//! redis-cli GETRANGE <key> 34 34                of a record: "\x01" if a fingerprint of 32 bytes follows
//! redis-cli GETRANGE <key> 67 68                then the status, big-endian ("\x00\xc9" is 201)
//! redis-cli DEL <key>                           the next request runs; waiters look within 5 s
//! ```
//!
//! All numbers are big-endian, and the first byte is the version. A value that begins otherwise, ends early, or is of
//! another type counts as present and is never overwritten:
//!
//! ```text
//! lock         token
//! claim        01 'C', token, attempt u32, grace in ms u64, fingerprint
//! response     01 'A', token, fingerprint, status u16, length of all headers u32,
//!              per header: name length u16, name, value length u32, value; then the body
//! tombstone    01 'T', token, fingerprint, status u16 (0: unknown), location, if there is one
//!
//! token        32 lower-case hexadecimal digits
//! fingerprint  00, or 01 and 32 bytes
//! ```
//!
//! # When a key is taken from its owner
//!
//! After `release` or `delete` of the inspect example, or `DEL`, the run goes on. Its response is recorded if the key has
//! no other owner by then, and dropped otherwise.
