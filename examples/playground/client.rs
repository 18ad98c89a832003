use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::{Duration, Instant},
};

use tokio::sync::mpsc::Sender;

use crate::{event::Event, order::Order, settings::Settings};

/// Longer than all waiting and working that a page can ask for.
const PATIENCE: Duration = Duration::from_secs(60);

/// How much of a body the page shows.
const SHOWN: usize = 400;

/// The clients of the playground. They send from here, each over a connection of its own, because
/// a browser opens no more than six to a server and would hold the others back.
pub(crate) struct Client {
    http: reqwest::Client,
    server: SocketAddr,
}

impl Client {
    pub(crate) fn to(server: SocketAddr) -> reqwest::Result<Self> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .pool_max_idle_per_host(0)
            .build()?;
        let ip = match server.ip() {
            IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        let server = SocketAddr::new(ip, server.port());
        Ok(Self { http, server })
    }

    /// Sends one request of a run and tells what became of it.
    pub(crate) async fn send(
        &self,
        run: (u64, Instant),
        request: usize,
        key: &str,
        settings: &Settings,
        tell: Sender<Event>,
    ) {
        let (run, began) = run;
        let now = || began.elapsed().as_millis() as u64;
        let at = now();
        let _ = tell.send(Event::Sent { request, at }).await;
        let answer = self.ask(format!("{run}-{request}"), key, settings);
        let patience = match settings.leaves(request) {
            true => Duration::from_millis(settings.millis / 2),
            false => PATIENCE,
        };
        // Dropping the request closes its connection: that is how a client hangs up.
        let event = match tokio::time::timeout(patience, answer).await {
            Err(_) => Event::Left { request, at: now() },
            Ok(Err(_)) => Event::Broken { request, at: now() },
            Ok(Ok((status, headers, body))) => Event::Answered {
                request,
                at: now(),
                status,
                headers,
                body,
            },
        };
        let _ = tell.send(event).await;
    }

    async fn ask(
        &self,
        name: String,
        key: &str,
        settings: &Settings,
    ) -> reqwest::Result<(u16, Vec<(String, String)>, String)> {
        let order = Order {
            item: "tea".to_owned(),
            millis: settings.millis,
            answer: settings.answer,
        };
        let request = self
            .http
            .post(format!("http://{}{}", self.server, settings.guard.path()));
        let request = request
            .header("x-user", "ann")
            .header("x-request", name)
            .header("idempotency-key", key);
        let answer = request.json(&order).send().await?;
        let headers = answer.headers().iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            (name.to_string(), value.into_owned())
        });
        let (status, headers) = (answer.status().as_u16(), headers.collect());
        Ok((
            status,
            headers,
            answer.text().await?.chars().take(SHOWN).collect(),
        ))
    }
}
