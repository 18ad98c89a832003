use actix_web::{
    Error, HttpResponse,
    body::{self, MessageBody},
    dev::{Service, ServiceResponse},
};
use futures_util::future::join_all;

use super::{Replies, Reply};

/// Sends equal requests at the same time, and reads all responses.
///
/// They are polled in turn on one thread. They meet when the handler awaits something, for instance a
/// [`sleep`](tokio::time::sleep); a handler that never does has ended before the second begins.
///
/// # Panics
///
/// If the body of a response breaks off.
pub async fn at_once<S, R, B>(app: &S, requests: usize, request: impl Fn() -> R) -> Replies
where
    S: Service<R, Response = ServiceResponse<B>, Error: Into<Error>>,
    B: MessageBody,
{
    let replies = (0..requests).map(|_| send(app, request()));
    Replies::new(join_all(replies).await)
}

/// Sends equal requests one after the other, as a client that retries, and reads all responses.
///
/// # Panics
///
/// If the body of a response breaks off.
pub async fn in_turn<S, R, B>(app: &S, requests: usize, request: impl Fn() -> R) -> Replies
where
    S: Service<R, Response = ServiceResponse<B>, Error: Into<Error>>,
    B: MessageBody,
{
    let mut replies = Vec::with_capacity(requests);
    for _ in 0..requests {
        replies.push(send(app, request()).await);
    }
    Replies::new(replies)
}

/// An error is answered as a server answers it.
async fn send<S, R, B>(app: &S, request: R) -> Reply
where
    S: Service<R, Response = ServiceResponse<B>, Error: Into<Error>>,
    B: MessageBody,
{
    match app.call(request).await {
        Ok(response) => read(response.into()).await,
        Err(err) => read(err.into().error_response()).await,
    }
}

async fn read<B: MessageBody>(response: HttpResponse<B>) -> Reply {
    let (status, headers) = (response.status(), response.headers().clone());
    match body::to_bytes(response.into_body()).await {
        Ok(body) => Reply::new(status, headers, body),
        Err(err) => {
            let err: Box<dyn std::error::Error> = err.into();
            panic!("the body of a {status} broke off: {err}")
        }
    }
}
