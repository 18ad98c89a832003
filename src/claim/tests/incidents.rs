use tokio::time::sleep;

use super::*;
use crate::event::IncidentKind;

const LEASE: Duration = Duration::from_secs(30);
const LONG: Duration = Duration::from_secs(1200);

type Told = Arc<Mutex<Vec<IncidentKind>>>;

/// A claim that is held, and the incidents that an observer is told of.
async fn watched(store: &Arc<Scripted>) -> (Guard, Told) {
    let told = Told::default();
    let hears = Arc::clone(&told);
    let claims = Claims::new(Arc::clone(store)).observed_by(Observer::new(move |event| {
        if let Event::Incident(incident) = event {
            hears.lock().unwrap().push(incident.kind);
        }
    }));
    let begun = claims
        .begin(&keyed(LEASE, ExpiredLease::Reexecute).into())
        .await;
    let Ok(ClaimOutcome::Mine(guard)) = begun else {
        panic!("{begun:?}");
    };
    (guard, told)
}

#[tokio::test(start_paused = true)]
async fn a_recording_in_the_background_that_fails_for_good_is_one_incident() {
    let _here = BackgroundHere::here();
    for (complete, told) in [
        (vec![Does::Refuse], vec![IncidentKind::NotRecorded]),
        (vec![Does::Time, Does::Lost], vec![IncidentKind::Superseded]),
        (vec![Does::Time, Does::Yes], vec![]),
    ] {
        let (guard, heard) = watched(&Scripted::giving([Does::Yes], complete)).await;
        assert_eq!(
            guard.complete(answer(1), LONG).await,
            FinishOutcome::Deferred
        );
        sleep(LONG).await;
        assert_eq!(*heard.lock().unwrap(), told);
    }
}

#[tokio::test(start_paused = true)]
async fn a_release_that_fails_until_the_lease_ends_is_one_incident() {
    let _here = BackgroundHere::here();
    let (guard, heard) = watched(&Scripted::new(Does::Yes, [Does::Refuse])).await;
    drop(guard);
    sleep(LONG).await;
    assert_eq!(*heard.lock().unwrap(), [IncidentKind::NotReleased]);
}
