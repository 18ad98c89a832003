use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use super::{named_header::NamedHeader, response_view::ResponseView};
use crate::{
    runtime::log,
    {config::ConfigError, store},
};
use actix_web::http::header::{CONNECTION, HeaderMap, HeaderName};

type Rule = dyn Fn(&ResponseView<'_>) -> bool + Send + Sync;

const DEFAULT_MOST: usize = 1024 * 1024;
/// A record is written in one piece, and Redis stores no longer value.
const MOST_ALLOWED: usize = 512 * 1024 * 1024 - 1024 * 1024;

/// Headers of one connection or message, as all `Proxy-*` are; a replay has its own.
const NEVER: [&str; 7] = [
    "connection",
    "content-length",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
/// Headers of one moment, one client's session, or one exchange, as all `RateLimit-*` and `X-RateLimit-*` are.
const NOT_UNLESS_ASKED: [&str; 15] = [
    "date",
    "set-cookie",
    "www-authenticate",
    "x-request-id",
    "x-correlation-id",
    "traceparent",
    "tracestate",
    "server-timing",
    "x-runtime",
    "ratelimit",
    "age",
    "via",
    "alt-svc",
    "report-to",
    "nel",
];

/// The rules for recording: which responses, and which parts of them.
///
/// ```
/// use actix_web_idempotency::Recording;
///
/// let recording = Recording::new()
///     .when(|response| response.status().is_success()) // let clients correct what was refused
///     .only_headers(["content-type", "location", "etag"])
///     .max_body(64 * 1024)
///     .replay_header("x-replayed");
/// ```
///
/// # What is recorded
///
/// | response | by default | to change that |
/// |---|---|---|
/// | 2xx, 3xx, 4xx but those below | recorded and replayed | [`when`](Self::when) |
/// | 401, 408, 425, 429, 5xx | not recorded; the key is free for a retry | `when`, [`Claim::record_always`] |
/// | 409 or 412 of optimistic locking, a serialization failure (40001) or deadlock (40P01) as 409, 423, 428 | recorded, although a retry could succeed | mark it with [`Transient`], or call [`Claim::mark_transient`] |
/// | 200 of GraphQL with `errors` | recorded, errors and all | a rule that reads the body, see `when` |
/// | one-time codes, passwords, card data | recorded, and so kept in the store | [`Claim::omit_response`]: retries get 409 `response-not-stored` |
/// | larger than [`max_body`](Self::max_body), or a stream that breaks off | without headers and body: retries get 409 `response-not-stored` | a larger `max_body` |
/// | responses of this crate's middlewares | never recorded | |
///
/// [`Claim::record_always`]: crate::Claim::record_always
/// [`Claim::mark_transient`]: crate::Claim::mark_transient
/// [`Claim::omit_response`]: crate::Claim::omit_response
/// [`Transient`]: crate::idempotency::Transient
#[derive(Clone)]
#[must_use]
pub struct Recording {
    rule: Option<Arc<Rule>>,
    headers: HeaderSelection,
    most: usize,
    replay_header: NamedHeader,
}

#[derive(Clone, Debug)]
enum HeaderSelection {
    Default,
    Only(Vec<NamedHeader>),
    Without(Vec<NamedHeader>),
}

impl Recording {
    /// Returns the defaults.
    pub fn new() -> Self {
        Self {
            rule: None,
            headers: HeaderSelection::Default,
            most: DEFAULT_MOST,
            replay_header: NamedHeader::new("idempotent-replayed"),
        }
    }

    /// Records the responses for which the closure returns `true`. All others free the key for a retry.
    /// Responses that a middleware of this crate has made are never recorded.
    ///
    /// Defaults to every status below 500 except 401, 408, 425 and 429. Those, and server errors, ask for
    /// another try, and a replay would break it. The [table](Recording#what-is-recorded) lists less common
    /// responses.
    ///
    /// The closure sees the body if it is in memory. A GraphQL server responds with 200 although a field
    /// failed; this records responses without errors:
    ///
    /// ```
    /// use actix_web_idempotency::Recording;
    ///
    /// let recording = Recording::new().when(|response| {
    ///     let body = response.body().unwrap_or_default();
    ///     let body: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    ///     response.status().is_success() && body.is_some_and(|body| body.get("errors").is_none())
    /// });
    /// ```
    pub fn when(
        mut self,
        rule: impl Fn(&ResponseView<'_>) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.rule = Some(Arc::new(rule));
        self
    }

    /// Records these headers and no others.
    ///
    /// Defaults to all but `Date`, `Set-Cookie` and `WWW-Authenticate`, because a replay is sent at another
    /// time, perhaps into another session, and the headers of one exchange: `X-Request-Id`, `X-Correlation-Id`,
    /// `Traceparent`, `Tracestate`, `Server-Timing`, `X-Runtime`, `RateLimit`, `RateLimit-*`, `X-RateLimit-*`,
    /// `Age`, `Via`, `Alt-Svc`, `Report-To` and `NEL`. Headers of one connection (`Connection`,
    /// `Transfer-Encoding`, ..) and `Content-Length` are never recorded, listed or not.
    pub fn only_headers<N: Into<Arc<str>>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.headers = HeaderSelection::Only(names.into_iter().map(NamedHeader::new).collect());
        self
    }

    /// Records all headers but these. Replaces the default list, so name `Set-Cookie` again unless
    /// sessions may be replayed.
    pub fn without_headers<N: Into<Arc<str>>>(
        mut self,
        names: impl IntoIterator<Item = N>,
    ) -> Self {
        self.headers = HeaderSelection::Without(names.into_iter().map(NamedHeader::new).collect());
        self
    }

    /// Sets the most bytes of a body that are recorded. A larger response is recorded without headers and body:
    /// retries get 409 `response-not-stored`.
    ///
    /// Defaults to 1 MiB: responses to commands are small, and a store is a costly place for large ones.
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.most = bytes;
        self
    }

    /// Sets the name of the header, of value `true`, that marks a replay.
    ///
    /// Defaults to `Idempotent-Replayed`, as in Stripe's API.
    pub fn replay_header(mut self, name: impl Into<Arc<str>>) -> Self {
        self.replay_header = NamedHeader::new(name);
        self
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.most > MOST_ALLOWED {
            return Err(ConfigError::new(format!(
                "max_body of a recording must be at most {MOST_ALLOWED} bytes (got {}); 1 MiB is a \
                 good default",
                self.most
            )));
        }
        let listed = match &self.headers {
            HeaderSelection::Default => [].as_slice(),
            HeaderSelection::Only(names) | HeaderSelection::Without(names) => names,
        };
        for name in listed.iter().chain([&self.replay_header]) {
            if name.get().is_none() {
                return Err(ConfigError::new(format!(
                    "a header of a recording must be a valid header name (got {name:?})"
                )));
            }
        }
        if let HeaderSelection::Only(names) = &self.headers
            && let Some(name) = names.iter().find(|name| is_never_recorded(name.as_str()))
        {
            return Err(ConfigError::new(format!(
                "only_headers must not name {name:?}, which belongs to one connection and is never \
                 recorded"
            )));
        }
        if is_never_recorded(self.replay_header.as_str()) {
            return Err(ConfigError::new(format!(
                "replay_header must not be {:?}, which belongs to one connection",
                self.replay_header
            )));
        }
        Ok(())
    }

    pub(super) fn most(&self) -> usize {
        self.most
    }

    pub(super) fn header_of_replays(&self) -> &NamedHeader {
        &self.replay_header
    }

    /// Returns whether a response is recorded unless its handler says otherwise.
    pub(super) fn takes(&self, response: &ResponseView<'_>) -> bool {
        match &self.rule {
            // The work is done, so a rule that panics must not free the key for a second run.
            Some(rule) => {
                catch_unwind(AssertUnwindSafe(|| rule(response))).unwrap_or_else(|_panic| {
                    log::error!("the recording rule has panicked; the response is recorded");
                    true
                })
            }
            None => {
                let status = response.status().as_u16();
                status < 500 && !matches!(status, 401 | 408 | 425 | 429)
            }
        }
    }

    /// Returns the headers that are recorded, repeated ones repeated.
    pub(super) fn recorded_headers(&self, headers: &HeaderMap) -> store::Headers {
        let recorded = headers.iter().filter(|(name, _)| self.takes_header(name));
        if !headers.contains_key(CONNECTION) {
            return recorded.collect();
        }
        recorded
            .filter(|(name, _)| !is_of_connection(headers, name))
            .collect()
    }

    pub(super) fn takes_header(&self, name: &HeaderName) -> bool {
        let is_in = |names: &[NamedHeader]| names.iter().any(|listed| listed.is(name));
        !is_never_recorded(name.as_str())
            && !self.replay_header.is(name)
            && match &self.headers {
                HeaderSelection::Default => !is_of_one_exchange(name.as_str()),
                HeaderSelection::Only(names) => is_in(names),
                HeaderSelection::Without(names) => !is_in(names),
            }
    }
}

/// Returns whether the response limits a header to its connection ([RFC
/// 9110](https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1)).
fn is_of_connection(headers: &HeaderMap, name: &HeaderName) -> bool {
    let lists = headers.get_all(CONNECTION);
    let mut names = lists.flat_map(|list| list.as_bytes().split(|byte| *byte == b','));
    names.any(|listed| {
        let listed = listed.trim_ascii();
        listed.eq_ignore_ascii_case(name.as_str().as_bytes())
    })
}

/// `name` is in lower case.
fn is_of_one_exchange(name: &str) -> bool {
    NOT_UNLESS_ASKED.contains(&name)
        || name.starts_with("ratelimit-")
        || name.starts_with("x-ratelimit-")
}

/// `name` is in lower case.
fn is_never_recorded(name: &str) -> bool {
    NEVER.contains(&name) || name.starts_with("proxy-")
}

impl Default for Recording {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recording")
            .field("rule", &self.rule.is_some())
            .field("headers", &self.headers)
            .field("max_body", &self.most)
            .field("replay_header", &self.replay_header)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use actix_web::{
        dev::ResponseHead,
        http::{StatusCode, header::HeaderValue},
    };

    use super::*;

    #[test]
    fn by_default_what_asks_for_another_try_is_not_recorded() {
        let takes = |status: u16| {
            let head = ResponseHead::new(StatusCode::from_u16(status).unwrap());
            Recording::new().takes(&ResponseView::new(&head, None))
        };
        for status in [200, 201, 204, 302, 304, 400, 403, 404, 409, 422, 451] {
            assert!(takes(status), "{status}");
        }
        for status in [401, 408, 425, 429, 500, 502, 503, 504, 599] {
            assert!(!takes(status), "{status}");
        }
    }

    fn kept(recording: &Recording) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for name in NEVER {
            headers.append(name.parse().unwrap(), HeaderValue::from_static("x"));
        }
        let of_one_exchange = ["ratelimit-remaining", "x-ratelimit-reset"];
        let kept = ["location", "x-a", "x-a"];
        for name in (NOT_UNLESS_ASKED.iter())
            .chain(&of_one_exchange)
            .chain(&kept)
        {
            headers.append(name.parse().unwrap(), HeaderValue::from_static("x"));
        }
        headers.append(
            "idempotent-replayed".parse().unwrap(),
            HeaderValue::from_static("true"),
        );
        headers.append(
            "proxy-anything".parse().unwrap(),
            HeaderValue::from_static("true"),
        );
        let mut names: Vec<_> = recording
            .recorded_headers(&headers)
            .iter()
            .map(|(name, _)| name.to_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn what_connection_names_is_of_that_connection() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "keep-alive , X-Hop"),
            ("connection", "x-other"),
            ("x-hop", "1"),
            ("x-other", "1"),
            ("x-end", "1"),
        ] {
            headers.append(name.parse().unwrap(), HeaderValue::from_static(value));
        }
        let recorded = Recording::new().recorded_headers(&headers);
        let names: Vec<_> = recorded.iter().map(|(name, _)| name.to_owned()).collect();
        assert_eq!(names, ["x-end"]);
    }

    #[test]
    fn headers_of_one_connection_are_never_recorded_and_lists_replace_the_rest() {
        assert_eq!(kept(&Recording::new()), ["location", "x-a", "x-a"]);
        assert_eq!(
            kept(&Recording::new().only_headers(["X-A", "date"])),
            ["date", "x-a", "x-a"]
        );
        // A list replaces the default one, also for what belongs to one exchange.
        let all_but_location = kept(&Recording::new().without_headers(["Location"]));
        assert_eq!(all_but_location.len(), NOT_UNLESS_ASKED.len() + 4);
        assert!(!all_but_location.contains(&"location".to_owned()));
    }
}
