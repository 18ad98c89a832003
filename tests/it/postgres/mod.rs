//! The store in PostgreSQL: what is its own. What it has in common with the others is tested on each store.

mod around_the_commit;
mod check;
mod commit;
mod costs;
mod errors;
mod every_message;
mod locked_rows;
mod pools;
mod purge;
mod tokio_postgres;
