use std::sync::{Arc, Mutex};

use actix_web_idempotency::event::{Event, IncidentKind, Outcome, RequestEvent};

use super::eventually;

/// Hears all events.
#[derive(Clone, Default)]
pub(crate) struct Ear(Arc<Mutex<Heard>>);

#[derive(Default)]
struct Heard {
    requests: Vec<RequestEvent>,
    incidents: Vec<IncidentKind>,
    shown: String,
}

impl Ear {
    pub(crate) fn hears(&self) -> impl Fn(Event<'_>) + Send + Sync + 'static {
        let ear = self.clone();
        move |event| {
            let mut heard = ear.0.lock().unwrap();
            heard.shown += &format!("{event:?}");
            match event {
                Event::Request(request) => heard.requests.push(request.clone()),
                Event::Incident(incident) => heard.incidents.push(incident.kind),
                _ => unreachable!("there are two"),
            }
        }
    }

    pub(crate) fn requests(&self) -> Vec<RequestEvent> {
        self.0.lock().unwrap().requests.clone()
    }

    /// All but those of a second store: tests that run at the same time have stores with one prefix.
    pub(crate) fn incidents(&self) -> Vec<IncidentKind> {
        let mut incidents = self.all_incidents();
        incidents.retain(|kind| *kind != IncidentKind::SecondStore);
        incidents
    }

    pub(crate) fn all_incidents(&self) -> Vec<IncidentKind> {
        self.0.lock().unwrap().incidents.clone()
    }

    /// The requests, once there are so many, and not one more.
    pub(crate) async fn all(&self, many: usize) -> Vec<RequestEvent> {
        eventually("as many events", async || self.requests().len() >= many).await;
        let requests = self.requests();
        assert_eq!(requests.len(), many, "{requests:#?}");
        requests
    }

    pub(crate) async fn hears_incident(&self, kind: IncidentKind) {
        eventually(kind.as_str(), async || self.incidents().contains(&kind)).await;
    }

    /// All that events show of themselves.
    pub(crate) fn shown(&self) -> String {
        self.0.lock().unwrap().shown.clone()
    }
}

pub(crate) fn outcomes(requests: &[RequestEvent]) -> Vec<Outcome> {
    requests.iter().map(|request| request.outcome).collect()
}
