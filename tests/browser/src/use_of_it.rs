//! Keys alone suffice, a phone suffices, and nothing is asked of anybody else.

use crate::{chromium::Chromium, page::Page, playground::Playground};

async fn tab_to(page: &mut Page, selector: &str) {
    for _ in 0..20 {
        let there = format!("document.activeElement.matches('{selector}')");
        if page.value(&there).await == true {
            return;
        }
        page.press("Tab", 9).await;
    }
    panic!("Tab does not lead to {selector}");
}

#[tokio::test]
async fn keys_alone_choose_send_and_look() {
    let (chromium, playground) = (Chromium::start(), Playground::start());
    let mut page = chromium.open(&playground.url).await;
    tab_to(&mut page, "[name=guard]").await;
    page.press("ArrowUp", 38).await;
    let chosen = "document.querySelector('[name=guard]:checked').value";
    assert_eq!(page.value(chosen).await, "reject");
    tab_to(&mut page, "#millis").await;
    page.press("ArrowLeft", 37).await;
    tab_to(&mut page, "#send").await;
    let outline = "getComputedStyle(document.activeElement).outlineStyle";
    assert_eq!(page.value(outline).await, "solid");
    page.press("Enter", 13).await;
    page.until("document.querySelector('#summary').textContent.includes('order')")
        .await;
    page.ended().await;
    let said = page.value("document.querySelector('#summary').textContent");
    assert_eq!(
        said.await,
        "Without a guard: 10 orders (10 executed). \
         Idempotency, rejecting: 1 order (1 executed, 9 refused)."
    );
    assert_eq!(
        page.value("document.activeElement.id").await,
        "send",
        "the focus stays"
    );

    tab_to(&mut page, ".row").await;
    page.press("Enter", 13).await;
    assert_eq!(
        page.value("document.querySelector('#details').open").await,
        true
    );
    let text = page.value("document.querySelector('#details-text').textContent");
    let text = text.await;
    let text = text.as_str().unwrap();
    assert!(text.starts_with("HTTP/1.1 201"), "{text}");
    assert!(text.contains("content-type: application/json"), "{text}");
    page.press("Escape", 27).await;
    page.until("!document.querySelector('#details').open").await;
    tab_to(&mut page, ".row").await;
}

#[tokio::test]
async fn everything_fits_on_a_phone() {
    let (chromium, playground) = (Chromium::start(), Playground::start());
    let mut page = chromium.open(&playground.url).await;
    page.screen(360, 740, "light").await;
    page.set("requests", "40").await;
    page.click("#send").await;
    page.until("document.querySelectorAll('.row').length === 80")
        .await;
    page.ended().await;
    assert_eq!(
        page.value("document.documentElement.scrollWidth").await,
        360
    );
    // Inside of its panel, and of the padding of that.
    let hidden = "[...document.querySelectorAll('.label, button, .counts li, h2, #settings label')]
        .filter(e => e.getClientRects().length)
        .filter(e => e.scrollWidth > e.clientWidth + 1 || e.getBoundingClientRect().right
            > e.closest('.panel, form').getBoundingClientRect().right - 16)
        .map(e => e.textContent)";
    assert_eq!(page.value(hidden).await, serde_json::json!([]));
}

#[tokio::test]
async fn nothing_is_asked_of_another_origin() {
    let (chromium, playground) = (Chromium::start(), Playground::start());
    let mut page = chromium.open(&playground.url).await;
    page.click("#send").await;
    page.until("document.querySelectorAll('.row').length === 20")
        .await;
    page.ended().await;
    for path in ["", "style.css", "script.js", "runs"] {
        let url = format!("{}{path}", playground.url);
        assert!(page.asked.contains(&url), "{url} of {:?}", page.asked);
    }
    let foreign = page
        .asked
        .iter()
        .filter(|url| !url.starts_with(&playground.url));
    let foreign: Vec<_> = foreign.filter(|url| *url != "data:,").collect();
    assert!(foreign.is_empty(), "{foreign:?}");
    assert!(page.complaints.is_empty(), "{:?}", page.complaints);

    // And it could not: its own policy forbids that.
    page.value("void fetch('http://127.0.0.1:9/').catch(() => { window.forbidden = true })")
        .await;
    page.until("window.forbidden === true").await;
    let policy = page
        .complaints
        .iter()
        .any(|text| text.contains("Content Security Policy"));
    assert!(policy, "{:?}", page.complaints);
}
