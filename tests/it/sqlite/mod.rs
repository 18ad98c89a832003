//! The store in SQLite: what is its own. What it has in common with the others is tested on each store.

mod commit;
mod errors;
mod every_statement;
mod purge;
