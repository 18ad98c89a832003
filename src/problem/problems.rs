use std::{borrow::Cow, fmt, sync::Arc};

use actix_web::HttpResponse;

use super::{Problem, ProblemKind, extension::Extension};
use crate::config::ConfigError;

const DEFAULT_BASE: &str =
    "https://docs.rs/actix-web-idempotency/latest/actix_web_idempotency/problem/index.html";
const LONGEST_RETRY_AFTER: u32 = 24 * 3600;

type Render = dyn Fn(&Problem) -> HttpResponse + Send + Sync;

/// The form of the responses to refused requests: the beginning of their type, the time after which clients may
/// retry, the rendering.
///
/// ```
/// use actix_web::http::StatusCode;
/// use actix_web_idempotency::problem::{ProblemKind, Problems};
///
/// let problems = Problems::new()
///     .base("https://api.example.com/problems")
///     .retry_after(5)
///     .render(|problem| match problem.kind() {
///         ProblemKind::InFlight => problem.to_response_with(StatusCode::REQUEST_TIMEOUT),
///         _ => problem.to_response(),
///     });
/// ```
#[derive(Clone)]
#[must_use]
pub struct Problems {
    base: Cow<'static, str>,
    retry_after: u32,
    render: Option<Arc<Render>>,
}

impl Problems {
    /// Returns the defaults.
    pub fn new() -> Self {
        Self {
            base: Cow::Borrowed(DEFAULT_BASE),
            retry_after: 1,
            render: None,
        }
    }

    /// Sets what the `type` of a [`Problem`] begins with: an absolute URI. `#` and the problem's name follow.
    ///
    /// Defaults to the page of this crate's documentation that explains them.
    pub fn base(mut self, base: impl Into<String>) -> Self {
        self.base = Cow::Owned(base.into());
        self
    }

    /// Sets the seconds in the `Retry-After` of the problems that have one.
    ///
    /// Defaults to 1, which most handlers and most outages of a store do not outlast. At most a day.
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = seconds;
        self
    }

    /// Sets a closure that makes the responses.
    ///
    /// Defaults to [`Problem::to_response`].
    pub fn render(
        mut self,
        render: impl Fn(&Problem) -> HttpResponse + Send + Sync + 'static,
    ) -> Self {
        self.render = Some(Arc::new(render));
        self
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        if self.retry_after > LONGEST_RETRY_AFTER {
            return Err(ConfigError::new(format!(
                "retry_after must be at most {LONGEST_RETRY_AFTER} seconds, a day (got {})",
                self.retry_after
            )));
        }
        let absolute = self.base.split_once(':').is_some_and(|(scheme, rest)| {
            scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
                && !rest.is_empty()
        });
        if absolute && !self.base.contains(['#', ' ']) {
            return Ok(());
        }
        Err(ConfigError::new(format!(
            "base must be an absolute URI without a fragment (got {:?}); for instance \
             \"https://api.example.com/problems\", to which \"#\" and the problem's name are added",
            self.base
        )))
    }

    /// Returns the response to a problem, marked as one of this crate's own.
    pub(crate) fn response(
        &self,
        kind: ProblemKind,
        detail: Option<Cow<'static, str>>,
        extensions: Vec<Extension>,
    ) -> HttpResponse {
        let problem = Problem {
            kind,
            base: self.base.clone(),
            retry_after: self.retry_after,
            detail: detail.unwrap_or(Cow::Borrowed(kind.default_detail())),
            extensions,
        };
        let mut response = match &self.render {
            Some(render) => render(&problem),
            None => problem.to_response(),
        };
        GeneratedResponse::mark(&mut response);
        response
    }
}

/// Marks a response that a middleware of this crate has made itself: no other middleware records it.
pub(crate) struct GeneratedResponse;

impl GeneratedResponse {
    pub(crate) fn mark<B>(response: &mut HttpResponse<B>) {
        response.extensions_mut().insert(Self);
    }
}

impl Default for Problems {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Problems")
            .field("base", &self.base)
            .field("retry_after", &self.retry_after)
            .field("render", &self.render.is_some())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_is_an_absolute_uri_without_fragment() {
        let check = |base: &str| Problems::new().base(base).check();
        assert!(Problems::default().check().is_ok());
        assert!(check("https://api.example.com/problems").is_ok());
        assert!(check("urn:problems").is_ok());
        for bad in [
            "",
            "/problems",
            "problems#",
            "https://a/#x",
            ":x",
            "a b:c",
            "https:",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn nobody_waits_for_longer_than_a_day() {
        assert!(Problems::new().retry_after(86_400).check().is_ok());
        let err = Problems::new().retry_after(86_401).check().unwrap_err();
        assert!(err.to_string().contains("86401"), "{err}");
    }
}
