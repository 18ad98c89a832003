//! The playground in a real Chromium without a window, driven over its DevTools protocol as a
//! person drives it: with clicks and keys. `tests/run --browser` runs this.
//!
//! CHROMIUM names the program. With PICTURES=folder in the environment pictures of the page are
//! left there, one of which stands in the README: examples/playground/picture.png

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics has failed"
)]

mod chromium;
mod colours;
mod counts;
mod page;
mod pictures;
mod playground;
mod use_of_it;
