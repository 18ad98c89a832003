//! Alternatives, and when they are better.
//!
//! Facts about others are of the versions named here, read in their sources in November 2026; throughputs are
//! [measured side by side](#measured). If something is wrong or has changed, please say so.
//!
//! | you have | take |
//! |---|---|
//! | an effect that is a row of your own PostgreSQL | this crate's [store there](super::exactly_once), which commits rows and response together; or [a unique constraint](#a-unique-constraint), if no response has to be repeated |
//! | an update of something that exists | [`If-Match`](#conditional-requests) |
//! | something that clients can name themselves | [`PUT` with the client's id](#put-with-the-clients-id) |
//! | work of several steps, each of which must be done | [a workflow engine, or an outbox](#an-outbox-or-a-workflow-engine) |
//! | messages, and a broker that drops duplicates in time | [the broker](#the-brokers-own-deduplication) |
//! | responses to `GET` that are costly | an [HTTP cache](#conditional-requests) |
//! | effects elsewhere (cards, mails, other services), clients that retry, actix-web 4 | this crate |
//! | the same, and axum | [axum-idempotent](#axum-idempotent), or a custom middleware |
//!
//! # Without a store of keys
//!
//! ## A unique constraint
//!
//! `UNIQUE (account, idempotency_key)`, and the row written in the transaction that does the work.
//!
//! | | a unique constraint | the pattern of the book | this crate on Redis | this crate in your PostgreSQL, with `commit` |
//! |---|---|---|---|---|
//! | rows and record | the row is the record | one transaction | two writes | one transaction |
//! | a retry gets | an error, or a response that is built anew from the row | the same response | the same response | the same response |
//! | a duplicate in flight | does its work and fails at the end, or waits for a lock with a connection | waits with a connection, and needs another afterwards | 409, or waits without a connection | 409, or waits without a connection |
//! | a crash leaves | nothing | nothing | a key that is claimed for one lease, 30 s | the same |
//! | another request under the key | is found if the handler compares | the same | 422 | 422 |
//! | what each handler has to do | all of it | all of it | nothing | one line |
//!
//! * **Better**, because it has no lease, no clock and no retention: it remembers as long as the row is there.
//!   Nothing else can be away.
//! * **What it lacks**: the response. And each handler has to do it, for each table.
//!
//! The pattern of the book is that of [*Zero To Production In Rust*](https://www.zero2prod.com), chapter 10: a row per
//! key is inserted at the beginning of the transaction, and gets the response at its end. [Moving from
//! it](super::exactly_once#moving-from-the-pattern-of-the-book) takes ten minutes.
//!
//! With a store elsewhere, as on Redis, [payments](super::recipes::payments) should have both: the constraint is
//! right, the middleware saves the work and gives the same response.
//!
//! ## Conditional requests
//!
//! `If-Match` with the `ETag` that was read ([RFC 9110](https://www.rfc-editor.org/rfc/rfc9110#name-if-match)),
//! and 412 where somebody else has written since; 428
//! ([RFC 6585](https://www.rfc-editor.org/rfc/rfc6585#section-3)) asks for it.
//!
//! * **Better** for updates: no store, it also detects the change of another client, and a retry changes
//!   nothing.
//! * **What it lacks**: there is nothing to match when something is created. A retry whose first try succeeded
//!   gets 412, not the response, and the client has to look.
//!
//! HTTP caches store responses too, for requests that may be repeated anyway, and may forget them at any
//! moment. They guarantee nothing about how often something runs.
//!
//! ## PUT with the client's id
//!
//! `PUT /orders/<uuid>`, with an id made by the client: creating is then an update, and repeating it is
//! harmless if the handler finds the row. This is the same idea with the key in the path. **Better** if the API
//! can still be designed so, and its effect is a row.
//!
//! ## An outbox, or a workflow engine
//!
//! An outbox records in one transaction what is to be done elsewhere, and a worker does it until it has
//! succeeded ([`commit`](super::exactly_once) puts that row, the others and the response into one transaction). A workflow engine does that for many steps. **Better** for work that must be completed: this
//! crate makes sure that something is not done twice, not that it is done. The worker delivers at least once,
//! so the other side needs a key again: [a queue's consumer](super::recipes::queue).
//!
//! ## The broker's own deduplication
//!
//! [SQS FIFO](https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-exactly-once-processing.html)
//! drops a message that is sent again within 5 minutes. **Better** where that is all you need, for it
//! costs nothing. A message that a consumer has not deleted in time is delivered again;
//! [`Deduplicator`](crate::dedup::Deduplicator) is for that.
//!
//! # With a store of keys
//!
//! ## By hand, on Redis
//!
//! `SET key 1 NX EX 86400`, then the handler, then `SET key <response>`: twenty lines.
//!
//! * **Better** if a duplicate is only a nuisance, or the rules are so much your own that no library has them.
//!   It is as fast as it gets: this crate reaches about 85 % of the throughput of the same commands by hand.
//! * **What the twenty lines lack**: a crash blocks the key for a day, or, with a short time, a slow handler is
//!   joined by a second one; a client that disconnects cuts the handler off; if the second `SET` fails, retries
//!   get "running" for a day; a late owner deletes another's key; bodies are not compared, and tenants are not
//!   kept apart. What it takes to fix each of these: [promise by
//!   promise](crate::guide::promise#what-is-promised).
//!
//! ## actix-idempotent
//!
//! Version 0.1.1, for actix-web 4. It stores responses in an actix-session: a digest of method, path, headers
//! and body is looked up, then the handler runs, then the response is put into the session.
//!
//! * **Better** if you have actix-session already, the callers are browsers, which keep its cookie and send no
//!   key, and duplicates come one after the other: nothing has to change in clients.
//! * **What it does not do**: claim. Of two equal requests at once both run. It has no keys of clients, and
//!   responses of 500 are replayed like others.
//!
//! ## axum-idempotent
//!
//! Version 0.2.6, the same idea for axum; it can take a key from a header, has a time to live of its own and a
//! list of statuses that are not stored. It claims nothing either. **Better** if your service is on axum: this
//! crate is for actix-web alone, except [`Deduplicator`](crate::dedup::Deduplicator), which a handler of any
//! framework can call.
//!
//! ## api-concurrency, for Express
//!
//! Version 1.3.0, on npm. [`ApiLock`](crate::ApiLock) is the same idea and takes the same options: [what
//! differs](super::upgrading#coming-from-api-concurrency). There `GET` and `SET` are two steps, between which a
//! second request fits, and each request deletes the lock at its end, also one that another request has by
//! then. **Better** if your service is on Express.
//!
//! ## express-idempotency, for Express
//!
//! Version 2.0.0 of its repository, with adapters for stores. It looks a key up, creates it, and replays
//! responses of 2xx with their body and content type; a key with another request is 417. Whether two requests
//! at once are kept apart depends on the adapter's `create`, and each handler asks `isHit` by itself whether it
//! has to do anything. **Better** if your service is on Express, or stores such things in MongoDB.
//!
//! ## nestjs-redisx, for NestJS
//!
//! [A table](super::upgrading#coming-from-nestjs-redisx-idempotency) compares option by option. **Better**
//! if your service is on NestJS.
//!
//! ## The API of a provider
//!
//! [Stripe](https://docs.stripe.com/api/idempotent_requests) made the header known, and this crate follows it:
//! keys of up to 255 characters, an error for another request under a used key, a marked replay. One thing
//! differs: its API v1 stores responses of 500 as well; here they free the key for a retry, and
//! [`record_always`](crate::Claim::record_always) records one. If all that your handler does is one call to
//! such an API, [pass the client's key on](super::recipes::payments#hand-the-key-on), and you may need nothing
//! else.
//!
//! # Measured
//!
//! By `tools/load/run` in the repository, on one core with one Redis; `tools/load/results.md` has the
//! newest tables and says how. In November 2026 this crate on Redis served, beside the others:
//!
//! | compared with | first run | replay | lock |
//! |---|--:|--:|--:|
//! | the same Redis commands by hand, in actix | 0.81 times | 0.83 times | 0.85 times |
//! | actix-idempotent 0.1.1 | 2.3 times | 5.4 times | |
//! | a middleware by hand, in Express | 7.2 times | 12 times | |
//! | api-concurrency 1.3.0, in Express | | | 10 times |
//!
//! A bare handler in actix serves 16 times what one in Express does. Most services are limited by what their
//! handlers do; then none of these numbers matters.
