use std::fmt;

/// The request that all rows are asked with, up to its number.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) path: &'static str,
    pub(crate) media: Media,
    pub(crate) cookie: Option<String>,
}

/// What its body is said to be. It is JSON in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Media {
    Json,
    Text,
}

/// Stands where the number comes.
const PLACE: &str = "#";

/// Ten digits and a bracket make it 200 bytes.
const BODY: &str = concat!(
    r#"{"item":"green tea","quantity":2,"price":{"amount":1250,"currency":"EUR"},"#,
    r#""gift":false,"address":{"name":"Ann Example","street":"12 Long Lane","city":"Utrecht"},"#,
    r#""note":"leave it here","id":"#
);

impl Request {
    /// As it is sent, with `#` in the places of its number: the key, and the end of the body.
    pub(crate) fn template(&self) -> String {
        let Self { path, media, .. } = self;
        let cookie = match &self.cookie {
            Some(cookie) => format!("cookie: {cookie}\r\n"),
            None => String::new(),
        };
        format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {media}\r\n\
             content-length: 200\r\n{cookie}idempotency-key: {PLACE}\r\n\r\n{BODY}{PLACE}}}"
        )
    }

    /// As it is sent. The number has ten digits.
    pub(crate) fn numbered(&self, number: u64) -> String {
        self.template().replace(PLACE, &number.to_string())
    }
}

impl fmt::Display for Media {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Json => "application/json",
            Self::Text => "text/plain",
        })
    }
}
