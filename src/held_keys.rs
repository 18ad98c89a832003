use actix_web::{HttpMessage, dev::ServiceRequest};

use crate::store::StoreKey;

/// The keys that are held for a request by the middlewares around this one.
#[derive(Default)]
pub(crate) struct HeldKeys(Vec<StoreKey>);

impl HeldKeys {
    /// Adds a key; false when it is there already, for then the outer middleware does the work and
    /// the request would only meet itself.
    pub(crate) fn insert(req: &ServiceRequest, key: &StoreKey) -> bool {
        let mut extensions = req.extensions_mut();
        let Some(Self(keys)) = extensions.get_mut::<Self>() else {
            extensions.insert(Self(vec![key.clone()]));
            return true;
        };
        if keys.contains(key) {
            return false;
        }
        keys.push(key.clone());
        true
    }
}
