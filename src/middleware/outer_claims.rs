use std::sync::Arc;

use actix_web::{HttpMessage, dev::ServiceRequest};

use crate::store::NewClaim;

/// The claims that the middlewares around this one have made, or are about to make, for a request.
pub(crate) struct OuterClaims {
    outermost: Arc<NewClaim>,
    /// More are rare.
    inner: Vec<Arc<NewClaim>>,
}

impl OuterClaims {
    /// Adds the key of a claim. Returns `false` if it is there already: the outer middleware does the work, and
    /// the request would only meet itself.
    pub(crate) fn insert(req: &ServiceRequest, claim: &Arc<NewClaim>) -> bool {
        let mut extensions = req.extensions_mut();
        let Some(held) = extensions.get_mut::<Self>() else {
            extensions.insert(Self {
                outermost: Arc::clone(claim),
                inner: Vec::new(),
            });
            return true;
        };
        let is_held = held.outermost.key == claim.key
            || held.inner.iter().any(|outer| outer.key == claim.key);
        if !is_held {
            held.inner.push(Arc::clone(claim));
        }
        !is_held
    }
}
