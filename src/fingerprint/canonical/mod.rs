//! What equal bodies have in common: JSON text and forms in an order of their own.

mod digest;
mod form;
mod json;

pub(crate) use self::{
    digest::digest,
    form::form,
    json::{from_foreign as json, from_valid as valid_json},
};
