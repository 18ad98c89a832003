//! A batch import: start again after a crash, without doing a row twice.
//!
//! An import of many rows is cut off in the middle: by a bad row, a deployment, a full disk. Started again from
//! the beginning, it should skip what is done, and report which rows have changed since.
//!
//! ```
//! use actix_web_idempotency::{Fingerprint, MemoryStore, dedup::{DedupOutcome, Deduplicator}};
//!
//! #[derive(Debug, Default, PartialEq)]
//! struct Report {
//!     done: usize,
//!     known: usize,
//!     changed: Vec<usize>,
//!     open: Vec<usize>,
//! }
//!
//! type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;
//!
//! async fn import(
//!     deduplicator: &Deduplicator,
//!     file: &str,
//!     rows: &[&str],
//!     booked: &mut Vec<String>,
//! ) -> Result<Report> {
//!     let mut report = Report::default();
//!     for (number, row) in rows.iter().enumerate() {
//!         let key = format!("{file}/{number}"); // better an id in the row, if there is one
//!         match deduplicator.claim(key, Some(Fingerprint::digest(row))).await? {
//!             DedupOutcome::Execute(execution) => match book(row, booked).await {
//!                 Ok(()) => {
//!                     execution.complete("").await;
//!                     report.done += 1;
//!                 }
//!                 Err(err) => {
//!                     execution.release().await; // free for the next try
//!                     return Err(err);
//!                 }
//!             },
//!             DedupOutcome::Replay(_) | DedupOutcome::NotStored => report.known += 1,
//!             DedupOutcome::Mismatch => report.changed.push(number),
//!             DedupOutcome::InFlight | DedupOutcome::OutcomeUnknown => report.open.push(number),
//!         }
//!     }
//!     Ok(report)
//! }
//!
//! async fn book(row: &str, booked: &mut Vec<String>) -> Result<()> {
//!     let (account, amount) = row.split_once(',').ok_or("no comma")?;
//!     booked.push(format!("{} to {account}", amount.parse::<u32>()?));
//!     Ok(())
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<()> {
//! let deduplicator = Deduplicator::builder(MemoryStore::new())
//!     .key_prefix("import:")
//!     .retention(std::time::Duration::from_secs(90 * 24 * 3600))
//!     .build()?;
//! let mut booked = Vec::new();
//!
//! // The third row is wrong, and ends it.
//! let rows = ["ann,5", "bob,7", "carl,x", "dora,1"];
//! assert!(import(&deduplicator, "2026-11.csv", &rows, &mut booked).await.is_err());
//! assert_eq!(booked.len(), 2);
//!
//! // Mended, it goes on where it was cut off.
//! let rows = ["ann,5", "bob,7", "carl,3", "dora,1"];
//! let report = import(&deduplicator, "2026-11.csv", &rows, &mut booked).await?;
//! assert_eq!((report.done, report.known), (2, 2));
//! assert_eq!(booked.len(), 4);
//!
//! // A row that was changed after it was booked is reported, not booked.
//! let rows = ["ann,5", "bob,70", "carl,3", "dora,1"];
//! let report = import(&deduplicator, "2026-11.csv", &rows, &mut booked).await?;
//! assert_eq!(report, Report { known: 3, changed: vec![1], ..Report::default() });
//! deduplicator.drain(std::time::Duration::from_secs(5)).await;
//! # Ok(())
//! # }
//! ```
//!
//! # What to choose, and why
//!
//! | setting | choice | why |
//! |---|---|---|
//! | key | an id in the row; otherwise the file's name and the row's number | numbers move when a row is inserted: then every row below counts as changed, which is loud, not wrong |
//! | fingerprint | the row | tells a corrected row from a known one |
//! | error in a row | [`release`](crate::dedup::Execution::release) the execution | it is free for the next try; an execution that is dropped (a panic, a `?`) is released too, a moment later, in the background. [`fail`](crate::dedup::Execution::fail) records the error, for rows that will not be corrected |
//! | retention | as long as the file may be imported again | after it a second import books everything |
//! | [`on_expired_lease`](crate::dedup::DeduplicatorBuilder::on_expired_lease) | the default, if booking a row twice is detected elsewhere; otherwise `Refuse` | then the row that was cut off is among the `open` ones, for a person |
//! | store | Redis | the second import is another process; a [`MemoryStore`](crate::MemoryStore) has forgotten |
//!
//! **Many rows.** A row costs two calls to the store. One after the other that is some milliseconds per row
//! over a network; thirty at once (`futures_util::stream::StreamExt::buffer_unordered(30)`) are written
//! together and hide the latency. Two processes may also share a file: each row runs in one of them.
//!
//! **Much memory.** A finished row takes some 350 bytes in a [`MemoryStore`](crate::MemoryStore), and less than
//! that in Redis, until its retention ends. A million rows are a few hundred MB. If that is too much, claim
//! blocks of a thousand, provided that a block can be booked in one transaction.
//!
//! # When something else is better
//!
//! If a row becomes a row of your own database, use a unique index and `INSERT .. ON CONFLICT DO NOTHING`, in
//! the transaction that books it. It remembers for ever, and cannot disagree with what was booked.
//! [`Deduplicator`](crate::dedup::Deduplicator) is for effects outside of the database: mails, calls to other
//! services, files.
//!
//! # What can still go wrong
//!
//! * **The process crashes** between `book` and `complete`. That one row is booked and not recorded: with the
//!   default it is booked again after its lease has expired, and until then it is among the `open` ones. Run
//!   the import again when it has ended, or wait a lease.
//! * **Two files with one name**: put a digest of the file into the key, or a date.
