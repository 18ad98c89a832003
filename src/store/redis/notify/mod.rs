//! Notifications: one subscription for each process and server.

mod subscriber;
mod wake_ups;
mod watched;

pub(crate) use self::wake_ups::{WakeUps, Watch};
