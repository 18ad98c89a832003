use actix_web::http::header::HeaderMap;

/// A request of a run, as the header `x-request` names it: `run-request`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) run: u64,
    pub(crate) request: usize,
}

impl Place {
    pub(crate) fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let (run, request) = headers.get("x-request")?.to_str().ok()?.split_once('-')?;
        Some(Self {
            run: run.parse().ok()?,
            request: request.parse().ok()?,
        })
    }
}
