use std::{borrow::Cow, fmt, sync::Arc};

use actix_web::Error;
use sha2::{Digest, Sha256};

use super::{
    label::{IntoLabel, Sealed},
    named_header::{NamedHeader, Only},
};
use crate::{
    config::ConfigError,
    fingerprint::put,
    middleware::{RequestFn, RequestView},
};

/// The owner of idempotency keys: a tenant, a user, or explicitly all clients together.
///
/// Clients choose keys, so two clients can choose the same one, by accident or to see the other's response.
/// Keys of different scopes never meet.
///
/// Take what stays the same between two tries of one client, such as a tenant or account id. A token does not:
/// if it is renewed between the first try and the retry, the retry is in another scope and runs a second time.
///
/// ```
/// use actix_web::error::ErrorUnauthorized;
/// use actix_web_idempotency::Scope;
///
/// struct UserId(String); // in the extensions, by the layer that verifies the JWT
///
/// let by_user = Scope::from_fn(|req| req.extensions().get::<UserId>().map(|user| user.0.clone()));
/// let by_tenant = Scope::header("x-tenant-id"); // set by a gateway that clients cannot go around
/// let checked = Scope::from_fn(|req| {
///     let tenant = req.header("x-tenant-id").ok_or_else(|| ErrorUnauthorized("no tenant"))?;
///     Ok::<_, actix_web::Error>(tenant.into_owned())
/// });
/// ```
///
/// The guide shows [the layer](crate::guide#choosing-a-scope), and the same with
/// [actix-session and actix-identity](crate::guide::sessions).
#[derive(Clone)]
#[must_use]
pub struct Scope {
    source: Origin,
    or_anonymous: bool,
}

#[derive(Clone)]
enum Origin {
    Global,
    Header(NamedHeader),
    Closure(RequestFn<Option<String>>),
}

impl Scope {
    /// Takes the scope from a closure. If it returns `None` or an empty text, the response is 401
    /// `scope-missing`; if it returns an error, that error's own response.
    ///
    /// The closure returns a text or an integer. Any other id that can be displayed, such as a `Uuid`, becomes
    /// a text by `to_string()`:
    ///
    /// ```
    /// # mod uuid { #[derive(Clone)] pub struct Uuid; impl std::fmt::Display for Uuid {
    /// #     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str("id") } } }
    /// use actix_web::HttpMessage;
    /// use actix_web_idempotency::Scope;
    ///
    /// #[derive(Clone)]
    /// struct User { id: uuid::Uuid }
    ///
    /// let scope = Scope::from_fn(|req| req.extensions().get::<User>().map(|user| user.id.to_string()));
    /// ```
    pub fn from_fn<F, L>(scope: F) -> Self
    where
        F: Fn(&RequestView<'_>) -> L + Send + Sync + 'static,
        L: IntoLabel + 'static,
    {
        Self::from(Origin::Closure(RequestFn::from_fn(
            scope,
            Sealed::into_label,
        )))
    }

    /// Takes the scope from an async closure, for instance one that looks up a session.
    ///
    /// ```
    /// use actix_web_idempotency::Scope;
    ///
    /// # async fn account_of(session: Option<&str>) -> Result<Option<u64>, actix_web::Error> { Ok(Some(7)) }
    /// let scope = Scope::from_async_fn(async |req| account_of(req.header("cookie").as_deref()).await);
    /// ```
    pub fn from_async_fn<F, L>(scope: F) -> Self
    where
        F: AsyncFn(&RequestView<'_>) -> L + Send + Sync + 'static,
        L: IntoLabel + 'static,
    {
        Self::from(Origin::Closure(RequestFn::from_async_fn(
            scope,
            Sealed::into_label,
        )))
    }

    /// Takes the scope from a header. If it is absent, empty or repeated, the response is 401 `scope-missing`.
    /// Only for a header that clients cannot set, because a gateway sets it.
    ///
    /// On HTTP/2, `host` means `:authority`, which replaces it there.
    pub fn header(name: impl Into<Arc<str>>) -> Self {
        Self::from(Origin::Header(NamedHeader::new(name)))
    }

    /// Puts all clients into one scope: for a service with one client, or keys that cannot be guessed and are
    /// not chosen twice.
    pub fn global() -> Self {
        Self::from(Origin::Global)
    }

    /// Puts requests without a scope into one anonymous scope instead of answering 401. Their keys can meet.
    pub fn or_anonymous(mut self) -> Self {
        self.or_anonymous = true;
        self
    }

    fn from(source: Origin) -> Self {
        Self {
            source,
            or_anonymous: false,
        }
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        match &self.source {
            Origin::Header(name) if name.get().is_none() => Err(ConfigError::new(format!(
                "the header of the scope must be a valid header name (got {name:?})"
            ))),
            Origin::Global if self.or_anonymous => Err(ConfigError::new(
                "Scope::global() must not have or_anonymous(), because a global scope is never missing",
            )),
            _ => Ok(()),
        }
    }

    /// Returns the header that the scope is taken from, if it is.
    pub(super) fn header_name(&self) -> Option<&str> {
        match &self.source {
            Origin::Header(name) => Some(name.as_str()),
            _ => None,
        }
    }

    /// Returns the scope of requests without a name of their own.
    pub(super) fn nameless(&self) -> ScopeId<'static> {
        match &self.source {
            Origin::Global => ScopeId::Global,
            Origin::Header(_) | Origin::Closure(_) => ScopeId::Anonymous,
        }
    }

    /// Returns the scope of a request; `None` if it has none and needs one.
    pub(super) async fn resolve<'a>(
        &self,
        req: &'a RequestView<'_>,
    ) -> Result<Option<ScopeId<'a>>, Error> {
        let found = match &self.source {
            Origin::Global => return Ok(Some(ScopeId::Global)),
            Origin::Header(name) => match Only::from_values(name.values_of(req)) {
                Only::One(value) => Some(Cow::Borrowed(value)),
                Only::Nothing | Only::Many => None,
            },
            Origin::Closure(scope) => {
                let name = scope.call(req).await?;
                name.map(|name| Cow::Owned(name.into_bytes()))
            }
        };
        Ok(match found.filter(|scope| !scope.is_empty()) {
            Some(scope) => Some(ScopeId::Named(scope)),
            None => self.or_anonymous.then_some(ScopeId::Anonymous),
        })
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = match &self.source {
            Origin::Global => "global",
            Origin::Header(name) => name.as_str(),
            Origin::Closure(_) => "closure",
        };
        f.debug_struct("Scope")
            .field("source", &source)
            .field("or_anonymous", &self.or_anonymous)
            .finish()
    }
}

/// The scope of one request. No name can make it look like one of the other two.
#[derive(PartialEq, Eq)]
pub(super) enum ScopeId<'a> {
    Global,
    Anonymous,
    Named(Cow<'a, [u8]>),
}

impl ScopeId<'_> {
    pub(super) fn put(&self, digest: &mut Sha256) {
        match self {
            Self::Global => digest.update(b"g"),
            Self::Anonymous => digest.update(b"a"),
            Self::Named(name) => {
                digest.update(b"n");
                put(digest, name);
            }
        }
    }
}
