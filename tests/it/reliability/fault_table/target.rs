/// What requests are sent to: a middleware, and what it does while the store is away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
    LockClosed,
    LockOpen,
    KeysClosed,
    KeysOpen,
    /// Fails closed too; requests wait for a key in flight.
    KeysWait,
}

impl Target {
    pub(super) const ALL: [Self; 5] = [
        Self::LockClosed,
        Self::LockOpen,
        Self::KeysClosed,
        Self::KeysOpen,
        Self::KeysWait,
    ];

    pub(super) fn fails_open(self) -> bool {
        matches!(self, Self::LockOpen | Self::KeysOpen)
    }

    pub(super) fn replays(self) -> bool {
        !matches!(self, Self::LockClosed | Self::LockOpen)
    }

    pub(super) fn waits(self) -> bool {
        self == Self::KeysWait
    }

    /// What its paths and its stored keys begin with.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::LockClosed => "lock-closed",
            Self::LockOpen => "lock-open",
            Self::KeysClosed => "keys-closed",
            Self::KeysOpen => "keys-open",
            Self::KeysWait => "keys-wait",
        }
    }

    pub(super) fn prefix(self) -> String {
        format!("{}:", self.name())
    }

    /// What is equal for this target, and what is not, is told by a number.
    pub(super) fn path(self, number: usize) -> String {
        format!("/{}/{number}", self.name())
    }

    /// Reads a path.
    pub(super) fn parse(path: &str) -> (Self, usize) {
        let mut parts = path.split('/').skip(1);
        let name = parts.next().unwrap();
        let mut all = Self::ALL.into_iter();
        let target = all.find(|target| target.name() == name).unwrap();
        (target, parts.next().unwrap().parse().unwrap())
    }
}
