use std::{mem, time::Duration};

use actix_web::http::header::HeaderMap;

/// The seconds of the first `wait` preference
/// ([RFC 7240](https://www.rfc-editor.org/rfc/rfc7240#section-4.3)), if there is one that is a
/// number.
pub(crate) fn wait(headers: &HeaderMap) -> Option<Duration> {
    let lines = headers
        .get_all("prefer")
        .filter_map(|line| line.to_str().ok());
    let mut preferences = lines.flat_map(|line| split(line, ','));
    let seconds = preferences.find_map(|preference| {
        let preference = split(preference, ';').next()?;
        let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
        (name.trim().eq_ignore_ascii_case("wait")).then(|| unquoted(value.trim()))
    })?;
    let is_number = seconds.bytes().all(|byte| byte.is_ascii_digit());
    let seconds: u32 = seconds.parse().ok().filter(|_| is_number)?;
    Some(Duration::from_secs(seconds.into()))
}

/// What stands between the separators that are not in quotes.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    text.split(move |c| {
        let is_literal = mem::take(&mut is_escaped);
        match c {
            '"' if !is_literal => is_quoted = !is_quoted,
            '\\' if is_quoted && !is_literal => is_escaped = true,
            _ => {}
        }
        c == separator && !is_quoted
    })
}

fn unquoted(word: &str) -> &str {
    let inside = word.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
    inside.unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn seconds(lines: &[&'static str]) -> Option<u64> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("prefer".parse().unwrap(), HeaderValue::from_static(line));
        }
        wait(&headers).map(|wait| wait.as_secs())
    }

    #[test]
    fn the_first_wait_counts() {
        assert_eq!(seconds(&["wait=5"]), Some(5));
        assert_eq!(seconds(&["respond-async, Wait = \"7\"; x=1"]), Some(7));
        assert_eq!(seconds(&["respond-async", "wait=1, wait=2"]), Some(1));
        assert_eq!(seconds(&["wait=0"]), Some(0));
        for line in [
            "",
            "wait",
            "wait=",
            "wait=x",
            "wait=-1",
            "wait=+1",
            "waiter=1",
            "wait=1.5",
            "wait=\"5",
            "wait, wait=5",
        ] {
            assert_eq!(seconds(&[line]), None, "{line}");
        }
        assert_eq!(seconds(&[]), None);
    }

    #[test]
    fn what_is_quoted_is_no_preference() {
        assert_eq!(seconds(&[r#"a="x, wait=5", wait=7"#]), Some(7));
        assert_eq!(seconds(&[r#"a="\", wait=5", wait=7"#]), Some(7));
        assert_eq!(seconds(&[r#"a=b; c=", wait=5;""#]), None);
    }
}
