//! Sends bodies that end early, sized and chunked, to both middlewares on a real server.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use actix_web::{App, HttpResponse, HttpServer, rt::task::spawn_blocking, web};
use actix_web_idempotency::{ApiLock, Idempotency, MemoryStore, Scope};

/// How a body is announced, a part of it, and all of it.
const FRAMINGS: [(&str, &str, &str); 2] = [
    ("content-length: 8", "half", "halfhalf"),
    (
        "transfer-encoding: chunked",
        "4\r\nhalf\r\n",
        "4\r\nhalf\r\n4\r\nhalf\r\n0\r\n\r\n",
    ),
];

#[actix_web::main]
async fn main() -> io::Result<()> {
    let store = MemoryStore::new();
    let lock = ApiLock::new(store.clone(), |req| req.path().to_owned());
    let keys = Idempotency::builder(store, Scope::global())
        .required(true)
        .build()?;
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = web::Data::from(Arc::clone(&runs));
    let server = HttpServer::new(move || {
        let handled = || {
            web::to(async |runs: web::Data<AtomicUsize>, body: web::Bytes| {
                runs.fetch_add(1, Ordering::SeqCst);
                HttpResponse::Created().body(body)
            })
        };
        App::new()
            .app_data(counted.clone())
            .service(
                web::scope("/lock")
                    .wrap(lock.clone())
                    .default_service(handled()),
            )
            .service(
                web::scope("/keys")
                    .wrap(keys.clone())
                    .default_service(handled()),
            )
    })
    .workers(1)
    .disable_signals()
    .bind(("127.0.0.1", 0))?;
    let addr = server.addrs()[0];
    let running = server.run();
    let handle = running.handle();
    let checks = spawn_blocking(move || check(addr, &runs));
    let ended = actix_web::rt::spawn(running);
    let checked = checks.await.map_err(io::Error::other)?;
    handle.stop(false).await;
    ended.await.map_err(io::Error::other)??;
    checked
}

fn check(addr: SocketAddr, runs: &AtomicUsize) -> io::Result<()> {
    let mut whole = 0;
    for path in ["/lock", "/keys"] {
        for (key, (framing, half, all)) in FRAMINGS.into_iter().enumerate() {
            let head = format!(
                "POST {path} HTTP/1.1\r\nhost: x\r\nidempotency-key: {key}\r\n{framing}\r\n\r\n"
            );
            let refused = answer(addr, &format!("{head}{half}"))?;
            assert!(
                refused.starts_with("HTTP/1.1 400"),
                "{path} {framing}: {refused:?}"
            );
            assert_eq!(
                runs.load(Ordering::SeqCst),
                whole,
                "half of it ran: {path} {framing}"
            );
            let served = answer(addr, &format!("{head}{all}"))?;
            assert!(
                served.starts_with("HTTP/1.1 201"),
                "{path} {framing}: {served:?}"
            );
            assert!(served.ends_with("halfhalf"), "{path} {framing}: {served:?}");
            whole += 1;
            println!("{path} with {framing}: half is refused, all of it runs");
        }
    }
    assert_eq!(runs.load(Ordering::SeqCst), whole);
    Ok(())
}

/// Sends this and no more, and reads what comes.
fn answer(addr: SocketAddr, request: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(addr)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    stream.write_all(request.as_bytes())?;
    stream.shutdown(Shutdown::Write)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
