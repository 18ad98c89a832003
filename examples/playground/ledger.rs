use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::{place::Place, request::Request, tally::Tally};

/// How many runs are remembered.
const RUNS: usize = 50;

/// What really happened, told by the handler and by the witness before the guards. No client has
/// a say in it.
#[derive(Default)]
pub(crate) struct Ledger {
    // Requests on all workers write into it, never across an await.
    books: Mutex<Books>,
}

#[derive(Default)]
struct Books {
    last_run: u64,
    orders: u64,
    runs: BTreeMap<u64, Run>,
}

struct Run {
    began: Instant,
    requests: Vec<Request>,
}

impl Ledger {
    pub(crate) fn open(&self, requests: usize) -> (u64, Instant) {
        let mut books = self.books();
        books.last_run += 1;
        let (run, began) = (books.last_run, Instant::now());
        let requests = vec![Request::default(); requests];
        books.runs.insert(run, Run { began, requests });
        while books.runs.len() > RUNS {
            books.runs.pop_first();
        }
        (run, began)
    }

    /// Writes down what happened to a request, with the time since its run began.
    pub(crate) fn note(&self, place: Place, note: impl FnOnce(&mut Request, Duration)) {
        if let Some(run) = self.books().runs.get_mut(&place.run) {
            let now = run.began.elapsed();
            if let Some(request) = run.requests.get_mut(place.request) {
                note(request, now);
            }
        }
    }

    pub(crate) fn create_order(&self, place: Place) -> u64 {
        let mut books = self.books();
        books.orders += 1;
        let order = books.orders;
        drop(books);
        self.note(place, |request, _| request.order = Some(order));
        order
    }

    pub(crate) fn requests(&self, run: u64) -> Vec<Request> {
        let books = self.books();
        let run = books.runs.get(&run);
        run.map(|run| run.requests.clone()).unwrap_or_default()
    }

    pub(crate) fn tally(&self, run: u64) -> Tally {
        Tally::new(&self.requests(run))
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
