use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, error::ErrorBadRequest, rt, web};
use serde::{Deserialize, Serialize};

use crate::{answer::Answer, ledger::Ledger, place::Place};

/// An order, and how the handler is to deal with it.
#[derive(Deserialize, Serialize)]
pub(crate) struct Order {
    pub(crate) item: String,
    pub(crate) millis: u64,
    pub(crate) answer: Answer,
}

/// Works for a while, creates the order, answers.
pub(crate) async fn order(
    req: HttpRequest,
    order: web::Json<Order>,
    ledger: web::Data<Ledger>,
) -> actix_web::Result<HttpResponse> {
    let place =
        Place::from_headers(req.headers()).ok_or_else(|| ErrorBadRequest("no x-request"))?;
    let mut running = Running::new(ledger.clone(), place);
    rt::time::sleep(Duration::from_millis(order.millis.min(5_000))).await;
    running.cut_off = false;
    let created = order.answer.creates().then(|| ledger.create_order(place));
    Ok(order.answer.respond(created))
}

/// A handler at work. Dropped at an await, it is cut off.
struct Running {
    ledger: web::Data<Ledger>,
    place: Place,
    cut_off: bool,
}

impl Running {
    fn new(ledger: web::Data<Ledger>, place: Place) -> Self {
        ledger.note(place, |request, now| request.began = Some(now));
        Self {
            ledger,
            place,
            cut_off: true,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.ledger.note(self.place, |request, now| {
            request.ended = Some(now);
            request.cut_off = self.cut_off;
        });
    }
}
