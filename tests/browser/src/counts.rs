//! What the page counts is what the server has counted, and what each guard promises.

use serde_json::Value;

use crate::{chromium::Chromium, page::Page, playground::Playground};

const COUNTED: [&str; 7] = [
    "executed", "waited", "replayed", "refused", "failed", "left", "orders",
];

/// Sends what is set with this guard alone, by `button`, and compares both counts.
async fn sent(playground: &Playground, page: &mut Page, guard: &str, button: &str) -> Value {
    page.click(&format!("[name=guard][value={guard}]")).await;
    // The panels of the last run make room for the next one's.
    page.value("document.querySelectorAll('.panel').forEach(panel => panel.dataset.old = 1)")
        .await;
    page.click(button).await;
    page.until("document.querySelector('.panel') && !document.querySelector('.panel[data-old]')")
        .await;
    page.ended().await;
    let (run, shown) = page.panel(guard).await;
    let state = playground.state(&run).await;
    for name in COUNTED {
        assert_eq!(
            shown[name], state[name],
            "{name}, {guard}: {shown} and {state}"
        );
    }
    let rows = format!("document.querySelectorAll('.panel[data-guard={guard}] .row').length");
    assert_eq!(page.value(&rows).await, state["requests"]);
    assert_eq!(
        page.value("document.querySelector('#summary').className")
            .await,
        ""
    );
    state
}

async fn opened(chromium: &Chromium, playground: &Playground, requests: &str) -> Page {
    let mut page = chromium.open(&playground.url).await;
    page.set("requests", requests).await;
    page.set("millis", "1000").await;
    page.click("#compare").await; // off
    page
}

#[tokio::test]
async fn without_a_guard_each_request_creates_an_order_with_one_only_the_first() {
    let (chromium, playground) = (Chromium::start(), Playground::start());
    let mut page = opened(&chromium, &playground, "20").await;
    for (guard, orders, others) in [
        ("none", 20, "executed"),
        ("lock", 1, "refused"),
        ("reject", 1, "refused"),
        ("wait", 1, "waited"),
    ] {
        let state = sent(&playground, &mut page, guard, "#send").await;
        assert_eq!(state["requests"], 20);
        assert_eq!(state["orders"], orders, "{guard}: {state}");
        let expected = if orders == 1 { 19 } else { 20 };
        assert_eq!(state[others], expected, "{guard}: {state}");
    }
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);
}

#[tokio::test]
async fn sent_again_with_its_key_an_order_is_replayed_but_a_lock_has_forgotten_it() {
    let (chromium, playground) = (Chromium::start(), Playground::start());
    let mut page = opened(&chromium, &playground, "5").await;
    for (guard, orders, replayed) in [("lock", 1, 0), ("reject", 0, 5), ("wait", 0, 5)] {
        sent(&playground, &mut page, guard, "#send").await;
        let state = sent(&playground, &mut page, guard, "#again").await;
        assert_eq!(state["orders"], orders, "{guard}: {state}");
        assert_eq!(state["replayed"], replayed, "{guard}: {state}");
    }
}

#[tokio::test]
async fn whatever_the_handler_answers_both_count_the_same() {
    let (chromium, playground) = (Chromium::start(), Playground::start());
    let mut page = opened(&chromium, &playground, "4").await;
    page.set("millis", "500").await;
    for answer in ["error", "panic", "large"] {
        page.set("answer", answer).await;
        for guard in ["none", "lock", "reject", "wait"] {
            let state = sent(&playground, &mut page, guard, "#send").await;
            let orders = match (answer, guard) {
                ("large", "none") => 4,
                ("large", _) => 1,
                _ => 0,
            };
            assert_eq!(state["orders"], orders, "{answer}, {guard}: {state}");
            // Who waits for a handler that fails runs it in turn.
            let failed = match (answer, guard) {
                ("large", _) => 0,
                (_, "none" | "wait") => 4,
                _ => 1,
            };
            assert_eq!(state["failed"], failed, "{answer}, {guard}: {state}");
        }
    }
}

#[tokio::test]
async fn who_hangs_up_cuts_a_bare_handler_off_but_not_one_with_a_key() {
    let (chromium, playground) = (Chromium::start(), Playground::start());
    let mut page = opened(&chromium, &playground, "10").await;
    page.set("leaving", "100").await;
    for (guard, left, cut_off, orders) in [
        ("none", 10, 10, 0),
        ("lock", 1, 1, 0),
        ("reject", 1, 0, 1),
        ("wait", 10, 0, 1),
    ] {
        let state = sent(&playground, &mut page, guard, "#send").await;
        assert_eq!(state["left"], left, "{guard}: {state}");
        assert_eq!(state["cut_off"], cut_off, "{guard}: {state}");
        assert_eq!(state["orders"], orders, "{guard}: {state}");
    }
}
