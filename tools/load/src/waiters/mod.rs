//! Those who wait for the answer of another request.

mod crowd;
mod wake_ups;

pub(crate) use self::{crowd::Crowd, wake_ups::WakeUps};
use crate::{
    program::Program,
    request::{Media, Request},
    serve::Subject,
};

const PROGRAM: Program = Program::Own(Subject::WaitingKeys);

fn slow(path: &'static str) -> Request {
    Request {
        path,
        media: Media::Json,
        cookie: None,
    }
}
