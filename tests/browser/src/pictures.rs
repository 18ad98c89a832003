use std::{env, fs, path::Path};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::json;

use crate::{chromium::Chromium, playground::Playground};

/// The page after a press on Send is more than its background. With PICTURES=folder what was seen
/// is left there.
#[tokio::test]
async fn there_is_something_to_see() {
    let (chromium, playground) = (Chromium::start(), Playground::start());
    for (name, width, height, scheme, leaving) in [
        ("light", 1120, 800, "light", "0"),
        ("dark", 1280, 900, "dark", "20"),
        ("phone", 360, 740, "light", "20"),
        ("phone-dark", 360, 740, "dark", "0"),
    ] {
        let mut page = chromium.open(&playground.url).await;
        page.screen(width, height, scheme).await;
        page.set("leaving", leaving).await;
        page.click("#send").await;
        page.until("document.querySelectorAll('.row').length === 20")
            .await;
        page.ended().await;
        page.value(
            "document.activeElement.blur(), window.scrollTo({ top: 0, behavior: 'instant' })",
        )
        .await;
        let whole = json!({ "format": "png", "captureBeyondViewport": true });
        let picture = page.call("Page.captureScreenshot", whole).await;
        let picture = BASE64_STANDARD.decode(picture["data"].as_str().unwrap());
        let picture = picture.unwrap();
        assert!(picture.len() > 15_000, "{name}: {} bytes", picture.len());
        if let Ok(folder) = env::var("PICTURES") {
            fs::write(Path::new(&folder).join(format!("{name}.png")), picture).unwrap();
        }
    }
}
