use std::{borrow::Cow, fmt, sync::Arc};

use actix_web::HttpResponse;

use super::{Problem, ProblemKind};
use crate::ConfigError;

const DEFAULT_BASE: &str =
    "https://docs.rs/actix-idempotency/latest/actix_idempotency/problem/index.html";

type Render = dyn Fn(&Problem) -> HttpResponse + Send + Sync;

/// Makes answers out of problems, as the application wants them.
#[derive(Clone)]
pub(crate) struct Renderer {
    base: Cow<'static, str>,
    render: Option<Arc<Render>>,
}

impl Renderer {
    pub(crate) fn set_base(&mut self, base: String) {
        self.base = base.into();
    }

    pub(crate) fn set_render(&mut self, render: Arc<Render>) {
        self.render = Some(render);
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let absolute = self.base.split_once(':').is_some_and(|(scheme, rest)| {
            scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
                && !rest.is_empty()
        });
        if absolute && !self.base.contains(['#', ' ']) {
            return Ok(());
        }
        Err(ConfigError::new(format!(
            "problem_base is {:?}: give an absolute URI without a fragment, such as \
             \"https://api.example.com/problems\"; \"#\" and the problem's name are added to it",
            self.base
        )))
    }

    pub(crate) fn response(
        &self,
        kind: ProblemKind,
        detail: Option<Cow<'static, str>>,
    ) -> HttpResponse {
        let problem = Problem {
            kind,
            base: self.base.clone(),
            detail: detail.unwrap_or(Cow::Borrowed(kind.default_detail())),
        };
        match &self.render {
            Some(render) => render(&problem),
            None => problem.to_response(),
        }
    }
}

impl Default for Renderer {
    fn default() -> Self {
        Self {
            base: Cow::Borrowed(DEFAULT_BASE),
            render: None,
        }
    }
}

impl fmt::Debug for Renderer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Renderer")
            .field("base", &self.base)
            .field("render", &self.render.is_some())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_is_an_absolute_uri_without_fragment() {
        let check = |base: &str| {
            let mut renderer = Renderer::default();
            renderer.set_base(base.to_owned());
            renderer.check()
        };
        assert!(Renderer::default().check().is_ok());
        assert!(check("https://api.example.com/problems").is_ok());
        assert!(check("urn:problems").is_ok());
        for bad in [
            "",
            "/problems",
            "problems#",
            "https://a/#x",
            ":x",
            "a b:c",
            "https:",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
