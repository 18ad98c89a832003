//! Notifications: one subscription for each process and server.

mod channel_registry;
mod subscriber;
mod wake_ups;

pub(crate) use self::wake_ups::{WakeUps, Watch};
