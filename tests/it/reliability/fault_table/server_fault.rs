/// What happens to one server, to the way to it, or to those who use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ServerFault {
    Killed,
    KilledWithAof,
    Stopped,
    Paused,
    ClientsKilled,
    Cut,
    Slow,
    TooSlow,
    Reset,
    Forgotten,
    ClosedWhileQuiet,
    ForgottenWhileQuiet,
    Unanswered,
    Swallowed,
    ScriptsFlushed,
    Flushed,
    Squatted,
    Deleted,
    OutOfMemory,
    ReadOnly,
    WrongPassword,
    RotatedPassword,
    MaxClients,
    Exhausted,
    WorkersEnd,
}

use ServerFault::*;

impl ServerFault {
    /// How the server is started.
    pub(super) fn options(self) -> &'static [&'static str] {
        match self {
            KilledWithAof => &["--appendonly", "yes", "--appendfsync", "always"],
            ClosedWhileQuiet => &["--timeout", "1"],
            _ => &[],
        }
    }

    /// Whether it concerns connections over which nothing comes for some time.
    pub(super) fn is_of_quiet_times(self) -> bool {
        matches!(self, ClosedWhileQuiet | ForgottenWhileQuiet)
    }

    pub(super) fn has_a_password(self) -> bool {
        matches!(self, WrongPassword | RotatedPassword)
    }

    pub(super) fn is_of_the_network(self) -> bool {
        matches!(
            self,
            Cut | Slow | TooSlow | Reset | Forgotten | ForgottenWhileQuiet | Unanswered | Swallowed
        )
    }
}
