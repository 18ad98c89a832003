//! The store in PostgreSQL: what is its own. What it has in common with the others is tested on each store.

mod around_the_commit;
mod asynchronous_claims;
mod check;
mod commit;
mod costs;
mod errors;
mod every_message;
mod failover;
mod isolation;
mod locked_rows;
mod pool_of_one;
mod pools;
mod purge;
mod till;
mod tokio_postgres;
