use serde::Serialize;

use crate::request::Request;

/// What the server has counted in one run.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Tally {
    pub(crate) requests: usize,
    pub(crate) executed: usize,
    pub(crate) waited: usize,
    pub(crate) replayed: usize,
    pub(crate) refused: usize,
    pub(crate) failed: usize,
    pub(crate) left: usize,
    /// Handlers that began, and those of them that were cut off because their client had left.
    pub(crate) handlers: usize,
    pub(crate) cut_off: usize,
    pub(crate) orders: usize,
}

impl Tally {
    pub(crate) fn new(requests: &[Request]) -> Self {
        let last_end = requests.iter().filter_map(|request| request.ended).max();
        let mut tally = Self {
            requests: requests.len(),
            ..Self::default()
        };
        for request in requests {
            tally.handlers += usize::from(request.began.is_some());
            tally.cut_off += usize::from(request.cut_off);
            tally.orders += usize::from(request.order.is_some());
            *tally.place(request, request.arrived < last_end) += 1;
        }
        tally
    }

    /// Where an answer counts. One that is replayed was waited for when it came before the end of
    /// the handler that made it.
    fn place(&mut self, request: &Request, came_before_the_end: bool) -> &mut usize {
        match request.status {
            _ if request.left || request.arrived.is_none() => &mut self.left,
            Some(_) if request.replayed && came_before_the_end => &mut self.waited,
            Some(_) if request.replayed => &mut self.replayed,
            Some(_) if request.began.is_none() => &mut self.refused,
            Some(status) if status < 500 => &mut self.executed,
            _ => &mut self.failed,
        }
    }
}
