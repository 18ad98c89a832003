//! Text and bars stand out from what is behind them, by the measure of WCAG 2.2.

use crate::{chromium::Chromium, playground::Playground};

/// The contrast of two colours that the style sheet names, between 1 and 21.
const CONTRAST: &str = "(one, other) => {
    const root = getComputedStyle(document.documentElement);
    const channel = c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    const light = name => {
        const probe = document.createElement('canvas').getContext('2d');
        probe.fillStyle = root.getPropertyValue(name);
        const [r, g, b] = [1, 3, 5].map(n => channel(parseInt(probe.fillStyle.slice(n, n + 2), 16) / 255));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const [dark, bright] = [light(one), light(other)].sort((a, b) => a - b);
    return (bright + 0.05) / (dark + 0.05);
}";

#[tokio::test]
async fn everything_stands_out_by_day_and_by_night() {
    let (chromium, playground) = (Chromium::start(), Playground::start());
    let mut page = chromium.open(&playground.url).await;
    for scheme in ["light", "dark"] {
        page.screen(1200, 900, scheme).await;
        let mut pairs = Vec::new();
        for text in ["--ink", "--soft", "--accent", "--failed"] {
            pairs.extend([(text, "--card", 4.5), (text, "--page", 4.5)]);
        }
        pairs.push(("--on-accent", "--accent", 4.5));
        for bar in [
            "--executed",
            "--waited",
            "--replayed",
            "--refused",
            "--failed",
            "--left",
            "--edge",
        ] {
            pairs.push((bar, "--card", 3.0));
        }
        for (one, other, least) in pairs {
            let contrast = page
                .value(&format!("({CONTRAST})('{one}', '{other}')"))
                .await;
            let contrast = contrast.as_f64().unwrap();
            assert!(
                contrast >= least,
                "{scheme}: {one} on {other} is {contrast:.2}"
            );
        }
    }
}
