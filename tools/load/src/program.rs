use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::{cores::Core, serve::Subject};

/// What is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    /// One of this program's own servers.
    Own(Subject),
    /// A script in tools/peers/express.
    Express(&'static str),
    /// tools/peers/actix_idempotent.
    ActixIdempotent,
}

const PEERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../peers");

impl Program {
    /// Why it cannot be started, if it cannot.
    pub(crate) fn missing(self) -> Option<&'static str> {
        let path = self.path().ok()?;
        match self {
            Self::Own(_) => None,
            Self::Express(_) if Command::new(&path).arg("--version").output().is_err() => {
                Some("Node is missing")
            }
            Self::Express(_) if !Path::new(PEERS).join("express/node_modules").is_dir() => {
                Some("its packages are missing, tools/load/run installs them")
            }
            Self::ActixIdempotent if !path.exists() => {
                Some("it is not built, tools/load/run does that")
            }
            Self::Express(_) | Self::ActixIdempotent => None,
        }
    }

    /// How it is started, but for its store.
    pub(crate) fn command(self, core: Core) -> Result<Command> {
        let path = self.path()?;
        let mut command = core.command(path.to_str().context("a path that is not UTF-8")?);
        match self {
            Self::Own(subject) => command.args(["serve", &subject.to_string()]),
            Self::Express(script) => command.arg(Path::new(PEERS).join("express").join(script)),
            Self::ActixIdempotent => &mut command,
        };
        Ok(command)
    }

    fn path(self) -> Result<PathBuf> {
        let own = std::env::current_exe()?;
        Ok(match self {
            Self::Own(_) => own,
            Self::Express(_) => PathBuf::from("node"),
            Self::ActixIdempotent => {
                let target = own.ancestors().nth(2).context("not in a target folder")?;
                target.join("peers/release/peer_actix_idempotent")
            }
        })
    }
}
