use serde::{Deserialize, Serialize};

/// What stands before the handler.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Guard {
    None,
    Lock,
    Reject,
    Wait,
}

impl Guard {
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::None => "/orders/none",
            Self::Lock => "/orders/lock",
            Self::Reject => "/orders/reject",
            Self::Wait => "/orders/wait",
        }
    }
}
