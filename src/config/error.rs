use std::{borrow::Cow, error::Error, fmt, io};

/// A setting that cannot work. Its text names the setting, the value, and what to do.
///
/// Opaque, because nothing depends on its kind at run time: the cure is in the code or the configuration. It
/// converts to [`io::Error`], so `?` works in an actix `main`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError(Cow<'static, str>);

impl ConfigError {
    pub(crate) fn new(message: impl Into<Cow<'static, str>>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for ConfigError {}

impl From<ConfigError> for io::Error {
    fn from(err: ConfigError) -> Self {
        io::Error::new(io::ErrorKind::InvalidInput, err)
    }
}
