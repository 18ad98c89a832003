use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{StatusCode, header::HeaderMap},
    middleware::Next,
    web,
};

use crate::{ledger::Ledger, place::Place};

/// Stands before the guards and writes down what they let out.
pub(crate) async fn witness(
    req: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let seen = Seen::new(&req);
    let answer = next.call(req).await;
    if let Some(seen) = seen {
        match &answer {
            Ok(answer) => seen.answered(answer.status(), answer.headers()),
            // A panic that a guard has caught becomes an error, and that an answer.
            Err(error) => seen.answered(error.as_response_error().status_code(), &HeaderMap::new()),
        }
    }
    answer
}

/// A request that was seen to come. Dropped without an answer, its client has left, unless it is
/// a panic that drops it.
struct Seen {
    ledger: web::Data<Ledger>,
    place: Place,
    answered: bool,
}

impl Seen {
    fn new(req: &ServiceRequest) -> Option<Self> {
        let ledger = req.app_data::<web::Data<Ledger>>()?.clone();
        let place = Place::from_headers(req.headers())?;
        ledger.note(place, |request, now| request.arrived = Some(now));
        Some(Self {
            ledger,
            place,
            answered: false,
        })
    }

    fn answered(mut self, status: StatusCode, headers: &HeaderMap) {
        self.answered = true;
        self.ledger.note(self.place, |request, _| {
            request.status = Some(status.as_u16());
            request.replayed = headers.contains_key("idempotent-replayed");
        });
    }
}

impl Drop for Seen {
    fn drop(&mut self) {
        if !self.answered && !std::thread::panicking() {
            self.ledger
                .note(self.place, |request, _| request.left = true);
        }
    }
}
