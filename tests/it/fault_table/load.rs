use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{task::JoinHandle, time::sleep};

use super::{
    answers::Answer,
    scene::{Caller, Scene, Target},
};

/// How many clients each target has.
const CLIENTS: usize = 3;
const PAUSE: Duration = Duration::from_millis(40);
/// How long clients send new keys of one number, so that they meet.
const ROUND: Duration = Duration::from_millis(100);
/// How many locks there are.
const LOCKS: usize = 3;

/// Clients that go on sending until they are stopped.
pub(super) struct Load {
    is_over: Arc<AtomicBool>,
    clients: Vec<JoinHandle<Vec<Answer>>>,
}

impl Load {
    pub(super) fn start(scene: &Scene) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let begun = Instant::now();
        let clients = (0..CLIENTS).flat_map(|_| Target::ALL);
        let clients = clients.map(|target| {
            let client = send(scene.caller.clone(), target, begun, Arc::clone(&is_over));
            tokio::spawn(client)
        });
        Self {
            clients: clients.collect(),
            is_over,
        }
    }

    pub(super) async fn stop(self) -> Vec<Answer> {
        self.is_over.store(true, Ordering::SeqCst);
        let mut answers = Vec::new();
        for client in self.clients {
            answers.extend(client.await.unwrap());
        }
        answers
    }
}

async fn send(
    caller: Caller,
    target: Target,
    begun: Instant,
    is_over: Arc<AtomicBool>,
) -> Vec<Answer> {
    let mut answers = Vec::new();
    for nth in 0.. {
        if is_over.load(Ordering::SeqCst) {
            break;
        }
        let number = match target.replays() {
            false => nth % LOCKS,
            // By turns something new and something that was answered long ago.
            true if nth % 2 == 0 => 0,
            true => 1 + (begun.elapsed().as_millis() / ROUND.as_millis()) as usize,
        };
        answers.push(caller.call(target, number).await);
        sleep(PAUSE).await;
    }
    answers
}
