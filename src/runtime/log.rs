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

#[cfg(test)]
mod tests {
    use std::{
        fmt::Debug,
        sync::{Mutex, Once},
    };

    use tracing::{
        Event, Subscriber,
        field::{Field, Visit},
        subscriber::with_default,
    };
    use tracing_subscriber::{Layer, Registry, layer::Context, layer::SubscriberExt};

    use crate::runtime::log;

    /// What arrived, and where.
    static ARRIVED: Mutex<Vec<String>> = Mutex::new(Vec::new());

    /// Takes the lines of `log`.
    struct Log;

    impl ::log::Log for Log {
        fn enabled(&self, _: &::log::Metadata<'_>) -> bool {
            true
        }

        fn log(&self, record: &::log::Record<'_>) {
            struct Fields(String);
            impl<'kvs> ::log::kv::VisitSource<'kvs> for Fields {
                fn visit_pair(
                    &mut self,
                    key: ::log::kv::Key<'kvs>,
                    value: ::log::kv::Value<'kvs>,
                ) -> Result<(), ::log::kv::Error> {
                    self.0 += &format!(" {key}={value}");
                    Ok(())
                }
            }
            let mut fields = Fields(format!("log {} {}", record.level(), record.args()));
            record.key_values().visit(&mut fields).unwrap();
            ARRIVED.lock().unwrap().push(fields.0);
        }

        fn flush(&self) {}
    }

    /// Takes the events of `tracing`.
    struct Trace;

    impl<S: Subscriber> Layer<S> for Trace {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            struct Fields(String);
            impl Visit for Fields {
                fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
                    match field.name() {
                        "message" => self.0 += &format!(" {value:?}"),
                        name => self.0 += &format!(" {name}={value:?}"),
                    }
                }

                fn record_str(&mut self, field: &Field, value: &str) {
                    self.0 += &format!(" {}={value}", field.name());
                }
            }
            let mut fields = Fields(format!("trace {}", event.metadata().level()));
            event.record(&mut fields);
            ARRIVED.lock().unwrap().push(fields.0);
        }
    }

    fn arrived(unique: &str) -> Vec<String> {
        let lines = ARRIVED.lock().unwrap();
        lines
            .iter()
            .filter(|line| line.contains(unique))
            .cloned()
            .collect()
    }

    fn write(unique: &str) {
        let (outcome, key) = ("replayed", unique);
        log::warn!(key:%, outcome, left_ms:% = 5, shadow = true; "{key} is here");
        log::error!("{unique} without fields, {}", 7);
        log::info!(outcome; "{unique}");
        log::debug!(key:%; "one line");
    }

    #[test]
    fn line_goes_to_the_subscriber_with_its_fields_and_without_one_to_the_log() {
        static INSTALL: Once = Once::new();
        INSTALL.call_once(|| {
            ::log::set_logger(&Log).unwrap();
            ::log::set_max_level(::log::LevelFilter::Trace);
        });
        write("first");
        assert_eq!(
            arrived("first"),
            [
                "log WARN first is here key=first outcome=replayed left_ms=5 shadow=true",
                "log ERROR first without fields, 7",
                "log INFO first outcome=replayed",
                "log DEBUG one line key=first",
            ]
        );
        with_default(Registry::default().with(Trace), || write("second"));
        let mut traced = arrived("second");
        for line in &mut traced {
            assert!(line.starts_with("trace "), "{line}");
        }
        assert_eq!(
            traced,
            [
                "trace WARN second is here key=second outcome=replayed left_ms=5 shadow=true",
                "trace ERROR second without fields, 7",
                "trace INFO second outcome=replayed",
                "trace DEBUG one line key=second",
            ]
        );
        write("third");
        assert!(
            arrived("third").iter().all(|line| line.starts_with("log ")),
            "its subscriber is gone"
        );
    }
}
