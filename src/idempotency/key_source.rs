use std::{fmt, sync::Arc};

use actix_web::{Error, http::header::HeaderMap};

use super::{
    key::{IdempotencyKey, LONGEST},
    label::{IntoLabel, Sealed},
    named_header::{NamedHeader, Only},
};
use crate::{
    config::ConfigError,
    middleware::{RequestFn, RequestView},
};

/// The longest key that an application may allow.
const MOST_ALLOWED: usize = 8192;

/// The place of the idempotency key in a request.
///
/// ```
/// use actix_web_idempotency::KeySource;
///
/// let header = KeySource::header("x-request-key").max_length(64);
/// let webhook = KeySource::from_fn(|req| req.header("webhook-id").map(|id| id.into_owned()));
///
/// #[derive(serde::Deserialize)]
/// struct Transfer { transfer_id: String }
/// let field = KeySource::from_fn(|req| Ok(req.json::<Transfer>()?.transfer_id));
/// ```
///
/// The default is the header `Idempotency-Key` with at most 255 characters, as in
/// draft-ietf-httpapi-idempotency-key-header-07 and Stripe's API.
#[derive(Clone)]
#[must_use]
pub struct KeySource {
    place: KeyLocation,
    max_length: usize,
}

#[derive(Clone)]
enum KeyLocation {
    Header(NamedHeader),
    Closure(RequestFn<Option<String>>),
}

/// What a source has found.
pub(super) enum Found {
    Key(IdempotencyKey),
    Nothing,
    Invalid,
}

impl KeySource {
    /// Takes the key from a header, as an RFC 9651 String or bare.
    pub fn header(name: impl Into<Arc<str>>) -> Self {
        Self::new(KeyLocation::Header(NamedHeader::new(name)))
    }

    /// Takes the key from a closure, which sees the body as well, for instance a webhook's id or a field. It
    /// returns the bare key: a text, an integer, or `to_string()` of another id such as a `Uuid`. `None` means
    /// that there is no key; an error becomes the response.
    ///
    /// The body is read first, also of requests that turn out to have no key:
    /// [`skip`](crate::idempotency::IdempotencyBuilder::skip) routes that receive large ones.
    pub fn from_fn<F, L>(find: F) -> Self
    where
        F: Fn(&RequestView<'_>) -> L + Send + Sync + 'static,
        L: IntoLabel + 'static,
    {
        Self::new(KeyLocation::Closure(RequestFn::from_fn(
            find,
            Sealed::into_label,
        )))
    }

    /// Takes the key from an async closure. Otherwise like [`from_fn`](Self::from_fn).
    ///
    /// ```
    /// use actix_web_idempotency::KeySource;
    ///
    /// # async fn draft_of(cookie: Option<&str>) -> Result<Option<u64>, actix_web::Error> { Ok(Some(7)) }
    /// let key = KeySource::from_async_fn(async |req| draft_of(req.header("cookie").as_deref()).await);
    /// ```
    pub fn from_async_fn<F, L>(find: F) -> Self
    where
        F: AsyncFn(&RequestView<'_>) -> L + Send + Sync + 'static,
        L: IntoLabel + 'static,
    {
        Self::new(KeyLocation::Closure(RequestFn::from_async_fn(
            find,
            Sealed::into_label,
        )))
    }

    fn new(place: KeyLocation) -> Self {
        Self {
            place,
            max_length: LONGEST,
        }
    }

    /// Sets the most characters of a key. A longer one gets 400 `key-invalid`.
    ///
    /// Defaults to 255, which is enough for any UUID and most combinations of ids. From 1 to 8192.
    pub fn max_length(mut self, characters: usize) -> Self {
        self.max_length = characters;
        self
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if !(1..=MOST_ALLOWED).contains(&self.max_length) {
            return Err(ConfigError::new(format!(
                "max_length must be between 1 and {MOST_ALLOWED} characters (got {}); 255 is a good \
                 default",
                self.max_length
            )));
        }
        match &self.place {
            KeyLocation::Header(name) if name.get().is_none() => Err(ConfigError::new(format!(
                "the header of the key must be a valid header name (got {name:?})"
            ))),
            KeyLocation::Header(_) | KeyLocation::Closure(_) => Ok(()),
        }
    }

    /// Returns the header that the key is taken from, if it is.
    pub(super) fn header_name(&self) -> Option<&str> {
        match &self.place {
            KeyLocation::Header(name) => Some(name.as_str()),
            KeyLocation::Closure(_) => None,
        }
    }

    /// Returns the key if the head alone has it, before the body is read.
    pub(super) fn in_head(&self, headers: &HeaderMap) -> Option<Found> {
        let KeyLocation::Header(name) = &self.place else {
            return None;
        };
        Some(match Only::from_values(name.values(headers)) {
            Only::Nothing => Found::Nothing,
            Only::One(value) => Found::new(IdempotencyKey::from_header(value, self.max_length)),
            Only::Many => Found::Invalid,
        })
    }

    /// Returns the key of a request whose body is read.
    pub(super) async fn in_request(&self, req: &RequestView<'_>) -> Result<Found, Error> {
        match &self.place {
            KeyLocation::Header(_) => Ok(self.in_head(req.headers()).unwrap_or(Found::Nothing)),
            KeyLocation::Closure(find) => Ok(match find.call(req).await? {
                None => Found::Nothing,
                Some(text) => Found::new(IdempotencyKey::from_text(text, self.max_length)),
            }),
        }
    }
}

impl Found {
    fn new<E>(key: Result<IdempotencyKey, E>) -> Self {
        key.map_or(Self::Invalid, Self::Key)
    }
}

impl Default for KeySource {
    fn default() -> Self {
        Self::header("idempotency-key")
    }
}

impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySource")
            .field("place", &self.header_name().unwrap_or("closure"))
            .field("max_length", &self.max_length)
            .finish()
    }
}
