//! Log lines where the feature `tracing` is on: the macros of the crate `log`, in the same words. A line becomes an
//! event of `tracing`, with its fields, where a subscriber listens, and otherwise stays a line of `log`: features
//! unify over a whole build, so that nobody who logs without a subscriber loses lines to the feature.

use tracing::{dispatcher::get_default, subscriber::NoSubscriber};

/// Whether somebody listens to `tracing` here.
pub(crate) fn is_traced() -> bool {
    get_default(|subscriber| !subscriber.is::<NoSubscriber>())
}

macro_rules! line {
    ($log:ident, $level:ident, $($name:ident $(: $shown:tt)? $(= $value:expr)?),+; $($text:tt)+) => {
        if $crate::runtime::log::is_traced() {
            ::tracing::event!(
                ::tracing::Level::$level,
                $($name = $crate::runtime::log::field!($name $(: $shown)? $(= $value)?),)+
                $($text)+
            )
        } else {
            ::log::$log!($($name $(: $shown)? $(= $value)?),+; $($text)+)
        }
    };
    ($log:ident, $level:ident, $($text:tt)+) => {
        if $crate::runtime::log::is_traced() {
            ::tracing::event!(::tracing::Level::$level, $($text)+)
        } else {
            ::log::$log!($($text)+)
        }
    };
}

/// The value of a field for `tracing`, from how `log` writes fields.
macro_rules! field {
    ($name:ident) => {
        $name
    };
    ($name:ident = $value:expr) => {
        $value
    };
    ($name:ident: %) => {
        ::tracing::field::display(&$name)
    };
    ($name:ident: % = $value:expr) => {
        ::tracing::field::display(&$value)
    };
}

macro_rules! error_ {
    ($($line:tt)+) => { $crate::runtime::log::line!(error, ERROR, $($line)+) };
}
macro_rules! warn_ {
    ($($line:tt)+) => { $crate::runtime::log::line!(warn, WARN, $($line)+) };
}
macro_rules! info_ {
    ($($line:tt)+) => { $crate::runtime::log::line!(info, INFO, $($line)+) };
}
macro_rules! debug_ {
    ($($line:tt)+) => { $crate::runtime::log::line!(debug, DEBUG, $($line)+) };
}

pub(crate) use {debug_ as debug, error_ as error, field, info_ as info, line, warn_ as warn};
