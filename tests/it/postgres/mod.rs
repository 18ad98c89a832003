//! The store in PostgreSQL: what is its own. What it has in common with the others is tested on each store.

mod check;
mod commit;
mod costs;
mod errors;
mod locked_rows;
mod pools;
mod purge;
