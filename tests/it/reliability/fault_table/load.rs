use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{task::JoinSet, time::sleep};

use super::{answer::Answer, caller::Caller, target::Target};

/// How many clients each target has.
pub(super) const CLIENTS: usize = 3;
/// How long clients send new keys of one number, so that they meet.
const ROUND: Duration = Duration::from_millis(100);
/// How many locks there are.
const LOCKS: usize = 3;

/// Clients that go on sending until they are stopped.
pub(super) struct Load {
    is_over: Arc<AtomicBool>,
    clients: JoinSet<Vec<Answer>>,
}

struct Client {
    caller: Caller,
    target: Target,
    /// The number of what runs all the time.
    long: Option<usize>,
    begun: Instant,
    pause: Duration,
    is_over: Arc<AtomicBool>,
}

impl Load {
    /// `long` tells what runs all the time.
    pub(super) fn start(
        caller: &Caller,
        pause: Duration,
        long: impl Fn(Target) -> Option<usize>,
    ) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let begun = Instant::now();
        let targets = (0..CLIENTS).flat_map(|_| Target::ALL);
        let clients = targets.map(|target| {
            let client = Client {
                caller: caller.clone(),
                target,
                long: long(target),
                begun,
                pause,
                is_over: Arc::clone(&is_over),
            };
            client.sends()
        });
        Self {
            clients: clients.collect(),
            is_over,
        }
    }

    pub(super) async fn stop(self) -> Vec<Answer> {
        self.is_over.store(true, Ordering::SeqCst);
        self.clients
            .join_all()
            .await
            .into_iter()
            .flatten()
            .collect()
    }
}

impl Client {
    async fn sends(self) -> Vec<Answer> {
        let mut answers = Vec::new();
        for nth in 0.. {
            if self.is_over.load(Ordering::SeqCst) {
                break;
            }
            let number = match self.long {
                // Now and then, since who waits for it waits long.
                Some(long) if nth % 8 == 7 => long,
                _ => self.number(nth),
            };
            answers.push(self.caller.call(self.target, number).await);
            sleep(self.pause).await;
        }
        answers
    }

    fn number(&self, nth: usize) -> usize {
        match self.target.replays() {
            false => nth % LOCKS,
            // By turns something new and something that was answered long ago.
            true if nth.is_multiple_of(2) => 0,
            true => 1 + (self.begun.elapsed().as_millis() / ROUND.as_millis()) as usize,
        }
    }
}
