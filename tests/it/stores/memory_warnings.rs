//! A memory store warns when another one has claims with its prefix, and when it fills up.

use actix_web::{App, HttpResponse, web};
use actix_web_idempotency::{Idempotency, MemoryStore, Scope, event::IncidentKind};

use crate::{
    serve,
    support::{
        ear::Ear,
        eventually,
        gate::Gate,
        keys::{answer, keys_on, numbered, pay},
        log,
    },
};

/// The mistake: the closure of `HttpServer::new` runs once for each worker.
#[tokio::test]
async fn store_that_is_built_for_each_worker_is_reported() {
    log::collect();
    let ear = Ear::default();
    let heard = ear.clone();
    let server = serve!(4, {
        let keys = Idempotency::builder(MemoryStore::new(), Scope::global())
            .key_prefix("built-for-each-worker:")
            .on_event(heard.hears())
            .build()
            .unwrap();
        let pay = || web::post().to(async || HttpResponse::Created().finish());
        App::new().wrap(keys).route("/", pay())
    });
    // Workers take connections in turn, and each of these has one of its own.
    eventually("two workers have run it", async || {
        assert_eq!(answer(pay(&server, "a", "tea")).await.status, 201);
        ear.all_incidents().contains(&IncidentKind::SecondStore)
    })
    .await;
    let said = log::lines_with("prefix=built-for-each-worker:");
    assert_eq!(said.len(), 1, "for all workers: {said:?}");
    assert!(
        said[0].starts_with("WARN") && said[0].contains("build the store once"),
        "{said:?}"
    );
}

#[tokio::test]
async fn two_stores_with_prefixes_of_their_own_or_one_after_the_other_are_no_mistake() {
    log::collect();
    let ear = Ear::default();
    let claim = async |store: &MemoryStore, prefix: &str| {
        let keys = keys_on(store.clone())
            .key_prefix(prefix)
            .on_event(ear.hears());
        let server = numbered(&keys.build().unwrap(), &Gate::open());
        for key in ["a", "b"] {
            assert_eq!(answer(pay(&server, key, "tea")).await.status, 201);
        }
        server.stop(true).await;
    };
    let (one, other) = (MemoryStore::new(), MemoryStore::new());
    claim(&one, "no-mistake-a:").await;
    claim(&one, "no-mistake-b:").await;
    claim(&other, "no-mistake-c:").await;
    drop((one, other));
    claim(&MemoryStore::new(), "no-mistake-a:").await;
    assert_eq!(ear.all_incidents(), []);
    assert_eq!(log::lines_with("prefix=no-mistake").len(), 0);
}

#[tokio::test]
async fn store_that_fills_up_is_reported_at_80_and_95_percent() {
    log::collect();
    let ear = Ear::default();
    let store = MemoryStore::builder().max_entries(37).build().unwrap();
    let keys = keys_on(store.clone())
        .key_prefix("fills-up:")
        .on_event(ear.hears());
    let server = numbered(&keys.build().unwrap(), &Gate::open());
    let mut sent = 0;
    for (level, reports) in [(29, 0), (30, 1), (36, 2)] {
        while sent < level {
            sent += 1;
            assert_eq!(
                answer(pay(&server, &format!("key-{sent}"), "tea"))
                    .await
                    .status,
                201
            );
        }
        assert_eq!(store.usage().entries, level);
        let lines = || log::lines_with("of 37 entries");
        eventually("the level is logged", async || lines().len() >= reports).await;
        // The next claim takes it along, a replay as well.
        assert_eq!(answer(pay(&server, "key-1", "tea")).await.status, 201);
        assert_eq!(ear.incidents(), vec![IncidentKind::StoreFilling; reports]);
        assert_eq!(lines().len(), reports, "{:?}", lines());
    }
    let said = log::lines_with("the memory store holds 30 of 37 entries");
    let said = said.first().unwrap();
    assert!(
        said.starts_with("WARN") && said.contains("raise max_entries"),
        "{said}"
    );
    assert!(
        said.contains("more each second, so it is full in"),
        "{said}"
    );
    assert!(store.usage().bytes > 0 && store.usage().max_entries == 37);
}
