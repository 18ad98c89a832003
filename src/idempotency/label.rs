use std::borrow::Cow;

use actix_web::Error;

/// A scope or a key that a closure finds in a request: a text or a number, perhaps nothing, perhaps an error.
///
/// Implemented for `String`, `&'static str`, `Cow<'static, str>` and integers; for `Option` of
/// these, where `None` says that the request has none; and for `Result` of all of these with an
/// [`actix_web::Error`], which becomes the response. Of any other type that can be displayed, such as a
/// `Uuid`, return the text: `user.id.to_string()`.
///
/// Sealed: closures return one of these, applications need not implement it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot name a scope or a key",
    label = "the closure must return a text or a number, an `Option` of one, or a `Result` of either",
    note = "a `Uuid` or another type with `Display` becomes a text by `to_string()`: `user.id.to_string()`",
    note = "what it returns must own its text: `req.header(\"x\").map(|value| value.into_owned())`",
    note = "an `async` closure goes to `Scope::from_async_fn`"
)]
pub trait IntoLabel: Sealed {}

/// Keeps the trait closed, and what it does out of sight.
pub trait Sealed {
    fn into_label(self) -> Result<Option<String>, Error>;
}

#[diagnostic::do_not_recommend]
impl<T: Sealed> IntoLabel for T {}

macro_rules! label_of {
    ($($type:ty),*) => {$(
        impl Sealed for $type {
            fn into_label(self) -> Result<Option<String>, Error> {
                Ok(Some(self.to_string()))
            }
        }
    )*};
}

label_of! { &'static str, Cow<'static, str>, u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize }

impl Sealed for String {
    fn into_label(self) -> Result<Option<String>, Error> {
        Ok(Some(self))
    }
}

impl<T: Sealed> Sealed for Option<T> {
    fn into_label(self) -> Result<Option<String>, Error> {
        self.map_or(Ok(None), T::into_label)
    }
}

impl<T: Sealed> Sealed for Result<T, Error> {
    fn into_label(self) -> Result<Option<String>, Error> {
        self?.into_label()
    }
}
