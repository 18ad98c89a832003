use std::sync::LazyLock;

use redis::{Cmd, cmd};

/// A script as it is called: by its hash first, by its text when the server has forgotten it.
///
/// The text is sent with `EVAL`, which runs and loads it in one step: a `SCRIPT FLUSH` at any
/// moment costs one more round trip and nothing else.
#[derive(Debug)]
pub(crate) struct Script {
    code: &'static str,
    hash: String,
}

macro_rules! script {
    ($file:literal) => {
        LazyLock::new(|| {
            Script::new(concat!(
                include_str!("scripts/owner.lua"),
                include_str!(concat!("scripts/", $file))
            ))
        })
    };
}

pub(crate) static BEGIN: LazyLock<Script> = script!("begin.lua");
pub(crate) static RENEW: LazyLock<Script> = script!("renew.lua");
pub(crate) static COMPLETE: LazyLock<Script> = script!("complete.lua");
pub(crate) static LOOK: LazyLock<Script> = script!("look.lua");
pub(crate) static RELEASE: LazyLock<Script> = script!("release.lua");
pub(crate) static INSPECT: LazyLock<Script> = script!("inspect.lua");
pub(crate) static FORCE_RELEASE: LazyLock<Script> = script!("force_release.lua");
pub(crate) static DELETE: LazyLock<Script> = script!("delete.lua");

impl Script {
    fn new(code: &'static str) -> Self {
        Self {
            code,
            hash: redis::Script::new(code).get_hash().to_owned(),
        }
    }

    /// The call by hash, without its arguments. All scripts work on one key, as a cluster needs.
    pub(crate) fn by_hash(&self, key: &str) -> Cmd {
        let mut call = cmd("EVALSHA");
        call.arg(&self.hash).arg(1).arg(key);
        call
    }

    /// The same with the text.
    pub(crate) fn by_text(&self, key: &str) -> Cmd {
        let mut call = cmd("EVAL");
        call.arg(self.code).arg(1).arg(key);
        call
    }
}
