use std::{
    collections::HashMap,
    fmt::Debug,
    sync::{Mutex, Once},
};

use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
    subscriber::Interest,
};
use tracing_subscriber::{
    Layer, Registry,
    layer::{Context, SubscriberExt},
    registry::LookupSpan,
};

use super::log;

static SPANS: Mutex<Vec<Span>> = Mutex::new(Vec::new());
static INSTALL: Once = Once::new();

/// A span that was opened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Span {
    pub(crate) name: &'static str,
    /// In the order of their opening.
    pub(crate) number: usize,
    parent: Option<usize>,
    pub(crate) fields: HashMap<&'static str, String>,
    pub(crate) is_closed: bool,
}

impl Span {
    /// The one with this value in this field.
    pub(crate) fn with(field: &str, value: &str) -> Option<Self> {
        let spans = SPANS.lock().unwrap();
        let mut found = spans
            .iter()
            .filter(|span| span.fields.get(field).is_some_and(|is| is == value));
        let span = found.next()?.clone();
        assert!(found.next().is_none(), "more than one has {field}={value}");
        Some(span)
    }

    pub(crate) fn parent(&self) -> Option<Self> {
        SPANS.lock().unwrap().get(self.parent?).cloned()
    }

    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }
}

/// Collects the spans of these tests from now on, and with them the lines of the crate: `log` no longer gets them.
pub(crate) fn collect() {
    INSTALL.call_once(|| {
        tracing::subscriber::set_global_default(subscriber("")).unwrap();
    });
}

/// Collects spans, and lines with this in front of each.
pub(crate) fn subscriber(in_front: &'static str) -> impl Subscriber + Send + Sync {
    Registry::default().with(Collector { in_front })
}

struct Collector {
    in_front: &'static str,
}

/// The number of a span, kept with it: its id is given away again when it is closed.
#[derive(Clone, Copy)]
struct Number(usize);

fn is_collected(metadata: &Metadata<'_>) -> bool {
    match metadata.is_span() {
        true => metadata.target().starts_with("it::observing::traces"),
        false => metadata.target().starts_with("actix_web_idempotency"),
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Collector {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        match is_collected(metadata) {
            true => Interest::always(),
            false => Interest::never(),
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        is_collected(metadata)
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let opened = context.span(id).unwrap();
        let parent = opened.parent();
        let parent = parent.and_then(|span| span.extensions().get::<Number>().copied());
        let mut spans = SPANS.lock().unwrap();
        let mut span = Span {
            name: attributes.metadata().name(),
            number: spans.len(),
            parent: parent.map(|Number(number)| number),
            ..Span::default()
        };
        attributes.record(&mut Fields(&mut span));
        opened.extensions_mut().insert(Number(span.number));
        spans.push(span);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Number(number) = *context.span(id).unwrap().extensions().get().unwrap();
        values.record(&mut Fields(&mut SPANS.lock().unwrap()[number]));
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = Line::default();
        event.record(&mut line);
        let level = event.metadata().level();
        log::push(format!(
            "{}{level} {}{}",
            self.in_front, line.text, line.fields
        ));
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Number(number) = *context.span(&id).unwrap().extensions().get().unwrap();
        SPANS.lock().unwrap()[number].is_closed = true;
    }
}

/// Writes down fields as text.
struct Fields<'a>(&'a mut Span);

impl Visit for Fields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.fields.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.fields.insert(field.name(), format!("{value:?}"));
    }
}

/// Writes an event as the log writes a line.
#[derive(Default)]
struct Line {
    text: String,
    fields: String,
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields += &format!(" {}={value}", field.name());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "message" => self.text = format!("{value:?}"),
            name => self.fields += &format!(" {name}={value:?}"),
        }
    }
}
