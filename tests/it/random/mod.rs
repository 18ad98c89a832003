//! What nobody thought of: sequences of calls on the stores, and whole lives of the middlewares, drawn
//! at random.
//!
//! Each run draws others; a failure prints the smallest one that fails, and what happened in it.

mod stores;
