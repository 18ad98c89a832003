//! Inner locks.

use actix_web_idempotency::{
    ApiLock,
    api_lock::{ApiLockBuilder, LockPayload},
    problem::Problems,
    testing::BackgroundHere,
};

use super::*;

fn lock_on(says: Says) -> ApiLockBuilder {
    ApiLock::builder(says, |req| req.path().to_owned())
}

#[actix_web::test]
async fn response_of_the_handler_inside_of_a_lock_is_recorded() {
    let lock = lock_on(Says::Claimed).build().unwrap();
    let (reply, records) = nested(lock, &request, nothing).await;
    assert_eq!((reply.status().as_u16(), records), (201, 1));
}

#[actix_web::test]
async fn problems_of_an_inner_lock_are_not_recorded() {
    tokio::time::pause();
    let _here = BackgroundHere::here();
    let busy = || lock_on(Says::InFlight);
    let away = || lock_on(Says::Away);
    let small = || lock_on(Says::Claimed).max_body(10);
    let slow = || lock_on(Says::Claimed);
    for is_rendered in [false, true] {
        for (what, lock, between, status) in [
            ("busy", busy(), nothing as Between, 409),
            ("store-unavailable", away(), nothing, 503),
            ("payload-too-large", small(), nothing, 413),
            ("body-timeout", slow(), stalls_the_body, 408),
        ] {
            let (lock, status) = match is_rendered {
                false => (lock, status),
                true => (lock.problems(Problems::new().render(render)), RENDERED),
            };
            is_not_recorded(what, lock.build().unwrap(), request, between, status).await;
        }
    }
}

#[actix_web::test]
async fn what_an_inner_lock_answers_to_a_failure_is_not_recorded() {
    let says = Says::Claimed;
    let fails =
        ApiLock::builder_with_payload(says, LockPayload::fallible(|_| teapot::<Option<u8>>()));
    let fails_later = ApiLock::builder_with_payload(
        says,
        LockPayload::from_async_fn(async |_| teapot::<Option<u8>>()),
    );
    let no_payload = ApiLock::builder(says, |_| no_json());
    for (what, lock, between, status) in [
        ("error of the payload", fails, nothing as Between, 418),
        ("late error of the payload", fails_later, nothing, 418),
        ("payload that is not JSON", no_payload, nothing, 500),
        ("half a body", lock_on(says), breaks_the_body_off, 400),
    ] {
        is_not_recorded(what, lock.build().unwrap(), request, between, status).await;
    }
}
