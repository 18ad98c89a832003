use std::fmt;

use serde::{Serialize, Serializer};

/// An additional member of a problem's body.
#[derive(Clone)]
pub(crate) enum Extension {
    /// The status of the response that could not be recorded.
    OriginalStatus(u16),
    /// The `Location` of that response.
    Location(String),
}

impl Extension {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::OriginalStatus(_) => "original_status",
            Self::Location(_) => "location",
        }
    }
}

/// The value alone.
impl Serialize for Extension {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::OriginalStatus(status) => status.serialize(serializer),
            Self::Location(location) => location.serialize(serializer),
        }
    }
}

/// A location is content of the response.
impl fmt::Debug for Extension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_content() {
        let location = Extension::Location("/secret".to_owned());
        assert_eq!(format!("{location:?}"), "location");
    }
}
