use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    net::TcpStream,
    time::{Instant, sleep, timeout},
};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

const LIMIT: Duration = Duration::from_secs(30);

/// A page in the browser, and the hands and eyes of who uses it.
pub(crate) struct Page {
    tools: WebSocketStream<MaybeTlsStream<TcpStream>>,
    calls: u64,
    /// The addresses of everything that it has asked for.
    pub(crate) asked: Vec<String>,
    /// Exceptions, and errors in the console.
    pub(crate) complaints: Vec<String>,
}

impl Page {
    pub(crate) async fn open(tools: &str, url: &str) -> Self {
        let (tools, _) = timeout(LIMIT, connect_async(tools)).await.unwrap().unwrap();
        let mut page = Self {
            tools,
            calls: 0,
            asked: Vec::new(),
            complaints: Vec::new(),
        };
        for domain in ["Log", "Network", "Page", "Runtime"] {
            page.call(&format!("{domain}.enable"), json!({})).await;
        }
        page.screen(1120, 800, "light").await;
        page.call("Page.navigate", json!({ "url": url })).await;
        page.until("document.readyState === 'complete' && location.protocol === 'http:'")
            .await;
        page
    }

    /// Calls the browser, and reads what it tells up to the answer.
    pub(crate) async fn call(&mut self, method: &str, params: Value) -> Value {
        self.calls += 1;
        let call = json!({ "id": self.calls, "method": method, "params": params });
        let sent = self.tools.send(Message::text(call.to_string()));
        timeout(LIMIT, sent).await.unwrap().unwrap();
        loop {
            let message = timeout(LIMIT, self.tools.next()).await.expect("an answer");
            let message = message.expect("the browser lives").unwrap();
            let Message::Text(text) = message else {
                continue;
            };
            let told: Value = serde_json::from_str(&text).unwrap();
            if told["id"] == self.calls {
                assert!(told["error"].is_null(), "{method}: {told}");
                return told["result"].clone();
            }
            self.note(&told);
        }
    }

    fn note(&mut self, told: &Value) {
        let params = &told["params"];
        match told["method"].as_str() {
            Some("Network.requestWillBeSent") => {
                let url = params["request"]["url"].as_str().unwrap();
                self.asked.push(url.to_owned());
            }
            Some("Runtime.exceptionThrown") => self.complaints.push(params.to_string()),
            Some("Log.entryAdded") if params["entry"]["level"] == "error" => {
                self.complaints.push(params.to_string());
            }
            _ => {}
        }
    }

    /// What an expression is worth in the page.
    pub(crate) async fn value(&mut self, expression: &str) -> Value {
        let params = json!({ "expression": expression, "returnByValue": true });
        let answer = self.call("Runtime.evaluate", params).await;
        assert!(
            answer["exceptionDetails"].is_null(),
            "{expression}: {answer}"
        );
        answer["result"]["value"].clone()
    }

    pub(crate) async fn until(&mut self, expression: &str) {
        let end = Instant::now() + LIMIT;
        let expression = format!("Boolean({expression})");
        while self.value(&expression).await != true {
            assert!(Instant::now() < end, "never: {expression}");
            sleep(Duration::from_millis(30)).await;
        }
    }

    /// Clicks into the middle of an element, wherever that is.
    pub(crate) async fn click(&mut self, selector: &str) {
        let middle = format!(
            "(() => {{ const e = document.querySelector({}); e.scrollIntoView({{ block: 'center' }});
             const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; }})()",
            json!(selector)
        );
        let middle = self.value(&middle).await;
        for kind in ["mousePressed", "mouseReleased"] {
            let (x, y) = (&middle[0], &middle[1]);
            let params = json!({ "type": kind, "x": x, "y": y, "button": "left", "clickCount": 1 });
            self.call("Input.dispatchMouseEvent", params).await;
        }
    }

    /// Presses and lets go of a key that has this name and number.
    pub(crate) async fn press(&mut self, key: &str, number: u32) {
        for kind in ["keyDown", "keyUp"] {
            let text = if key == "Enter" { "\r" } else { "" };
            let params = json!({ "type": kind, "key": key, "code": key, "text": text,
                "windowsVirtualKeyCode": number });
            self.call("Input.dispatchKeyEvent", params).await;
        }
    }

    /// Gives a control a value, as moving it does.
    pub(crate) async fn set(&mut self, id: &str, value: &str) {
        let set = format!(
            "(() => {{ const e = document.getElementById({}); e.value = {};
             e.dispatchEvent(new Event('input', {{ bubbles: true }})); return e.value; }})()",
            json!(id),
            json!(value)
        );
        assert_eq!(self.value(&set).await, value, "{id}");
    }

    /// Waits until what was sent has ended.
    pub(crate) async fn ended(&mut self) {
        self.until("document.querySelector('#send').ariaDisabled === 'false'")
            .await;
    }

    /// What stands in the panel of a guard: its run, and a number for each name.
    pub(crate) async fn panel(&mut self, guard: &str) -> (String, Value) {
        let panel = format!("document.querySelector('.panel[data-guard={guard}]')");
        let run = self.value(&format!("{panel}.dataset.run")).await;
        let counts = format!(
            "Object.fromEntries([...{panel}.querySelectorAll('[data-count]')]
             .map(e => [e.dataset.count, Number(e.textContent)]))"
        );
        let counts = self.value(&counts).await;
        (run.as_str().unwrap().to_owned(), counts)
    }

    pub(crate) async fn screen(&mut self, width: u32, height: u32, scheme: &str) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500 });
        self.call("Emulation.setDeviceMetricsOverride", size).await;
        let features = json!([
            { "name": "prefers-color-scheme", "value": scheme },
            // A page that still scrolls has moved on by the time of a click.
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ]);
        self.call(
            "Emulation.setEmulatedMedia",
            json!({ "features": features }),
        )
        .await;
    }
}
