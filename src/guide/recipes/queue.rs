//! A queue's consumer: handle each message once, although queues deliver at least once.
//!
//! If a consumer crashes, is slow, or loses its connection before it has acknowledged a message, the message is
//! delivered again. [`Deduplicator`](crate::dedup::Deduplicator) says for each delivery whether the work is
//! new, done, or in progress.
//!
//! ```
//! use actix_web_idempotency::{
//!     Fingerprint, MemoryStore,
//!     dedup::{DedupOutcome, Deduplicator, ExecutionOutcome, FinishOutcome},
//!     store::StoreError,
//! };
//! use std::collections::VecDeque;
//!
//! #[derive(Clone)]
//! struct Message {
//!     id: &'static str, // made by who sends it, the same in every delivery
//!     body: &'static str,
//! }
//!
//! enum Reply {
//!     Acknowledge,
//!     DeliverAgain,
//!     DeadLetter,
//! }
//!
//! enum Failed {
//!     ForNow,
//!     ForGood(&'static str),
//! }
//!
//! async fn handle(deduplicator: &Deduplicator, message: &Message, mails: &mut Mails) -> Result<Reply, StoreError> {
//!     let fingerprint = Fingerprint::digest(message.body);
//!     Ok(match deduplicator.claim(message.id, Some(fingerprint)).await? {
//!         DedupOutcome::Execute(execution) => match mails.send(message.body).await {
//!             Ok(receipt) => {
//!                 // First recorded, then acknowledged.
//!                 if execution.complete(receipt).await == FinishOutcome::Lost {
//!                     eprintln!("{} may have been sent twice", message.id);
//!                 }
//!                 Reply::Acknowledge
//!             }
//!             Err(Failed::ForNow) => {
//!                 execution.release().await;
//!                 Reply::DeliverAgain
//!             }
//!             Err(Failed::ForGood(why)) => {
//!                 execution.fail(why).await;
//!                 Reply::DeadLetter
//!             }
//!         },
//!         // Done before; only the acknowledgement was lost.
//!         DedupOutcome::Replay(ExecutionOutcome::Completed(_)) | DedupOutcome::NotStored => Reply::Acknowledge,
//!         // Failed before; the consumer crashed on the way to the dead letters.
//!         DedupOutcome::Replay(ExecutionOutcome::Failed(_)) => Reply::DeadLetter,
//!         // Another consumer works on it, or has crashed.
//!         DedupOutcome::InFlight => Reply::DeliverAgain,
//!         // Two messages under one id, or work whose outcome is unknown.
//!         DedupOutcome::Mismatch | DedupOutcome::OutcomeUnknown => Reply::DeadLetter,
//!     })
//! }
//! # #[derive(Default)]
//! # struct Mails { sent: Vec<&'static str>, tries: u32 }
//! # impl Mails {
//! #     async fn send(&mut self, body: &'static str) -> Result<String, Failed> {
//! #         self.tries += 1;
//! #         if self.tries == 1 { return Err(Failed::ForNow) }
//! #         if body.is_empty() { return Err(Failed::ForGood("no address")) }
//! #         self.sent.push(body);
//! #         Ok(format!("mail {}", self.sent.len()))
//! #     }
//! # }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let deduplicator = Deduplicator::builder(MemoryStore::new()).key_prefix("mails:").build()?;
//! let [ann, bob] = [("m-1", "to ann"), ("m-2", "to bob")].map(|(id, body)| Message { id, body });
//! let nobody = Message { id: "m-3", body: "" };
//! let other = Message { id: "m-1", body: "to carl" }; // a producer's mistake
//! let mut queue = VecDeque::from([&ann, &bob, &ann, &nobody, &bob, &other, &nobody]);
//!
//! let (mut mails, mut dead_letters) = (Mails::default(), Vec::new());
//! while let Some(message) = queue.pop_front() {
//!     match handle(&deduplicator, message, &mut mails).await {
//!         Ok(Reply::Acknowledge) => {}
//!         Ok(Reply::DeadLetter) => dead_letters.push(message.id),
//!         // Nothing is claimed when the store cannot be asked.
//!         Ok(Reply::DeliverAgain) | Err(_) => queue.push_back(message),
//!     }
//! }
//! assert_eq!(mails.sent, ["to bob", "to ann"]);
//! assert_eq!(dead_letters, ["m-3", "m-1", "m-3"]);
//! deduplicator.drain(std::time::Duration::from_secs(5)).await; // before the process ends
//! # Ok(())
//! # }
//! ```
//!
//! `examples/queue.rs` in the repository is a whole consumer on Redis: processes that share a list,
//! and one that is killed in the middle of a job.
//!
//! # What to choose, and why
//!
//! | setting | choice | why |
//! |---|---|---|
//! | key | an id that the producer puts into the message | a broker's delivery tag or receipt is new for each delivery. If the producer may send twice, take the subject of the message: `invoice-7` |
//! | fingerprint | of the body | two messages under one id are a producer's mistake, and the second should not vanish silently. None, if the producer stamps each with a time |
//! | [`key_prefix`](crate::dedup::DeduplicatorBuilder::key_prefix) | one per kind of work | two consumers of one message, mail and invoice, both have to do theirs |
//! | acknowledge | after [`complete`](crate::dedup::Execution::complete) | in the other order a crash in between loses the message |
//! | retention | longer than a message can come back | also from the dead letters, by hand, a week later |
//! | lease | the default, 30 s | a message rests that long after its consumer crashed; the lease is renewed while the [`Execution`](crate::dedup::Execution) lives, whatever the broker's time-out is |
//! | [`renew_for`](crate::dedup::DeduplicatorBuilder::renew_for) | longer than the longest work; an hour by default | longer work counts as hung |
//! | [`on_expired_lease`](crate::dedup::DeduplicatorBuilder::on_expired_lease) | the default; `Refuse` for work that cannot be tried twice | then [`OutcomeUnknown`](crate::dedup::DedupOutcome::OutcomeUnknown) is for a person |
//!
//! # With the deduplication of a broker
//!
//! Some queues drop duplicates: [SQS
//! FIFO](https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-exactly-once-processing.html)
//! a message that is sent again within 5 minutes. That guards the way into the queue. A message that a consumer
//! has received and not deleted in time is delivered again, and this is what the deduplicator guards.
//!
//! # What can still go wrong
//!
//! * **The consumer crashes** after the mail was sent and before `complete`. The next delivery gets
//!   [`InFlight`](crate::dedup::DedupOutcome::InFlight) until the lease has expired, then it runs with
//!   [`attempt`](crate::dedup::Execution::attempt) 2, and sends again unless it can find out.
//! * **Work that outlives its lease**, in a suspended process: [`lost`](crate::dedup::Execution::lost) can be
//!   raced against it, and [`fencing_token`](crate::dedup::Execution::fencing_token) confirms the claim before the step that counts.
//! * **`complete` returns [`Lost`](crate::event::FinishOutcome::Lost)**: another consumer has done the same
//!   meanwhile. Count it.
