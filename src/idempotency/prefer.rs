use std::time::Duration;

use actix_web::http::header::HeaderMap;

/// The seconds of the first `wait` preference
/// ([RFC 7240](https://www.rfc-editor.org/rfc/rfc7240#section-4.3)), if there is one that is a
/// number.
pub(crate) fn wait(headers: &HeaderMap) -> Option<Duration> {
    let lines = headers
        .get_all("prefer")
        .filter_map(|line| line.to_str().ok());
    let mut preferences = lines.flat_map(|line| line.split(','));
    let seconds = preferences.find_map(|preference| {
        let preference = preference.split(';').next()?;
        let (name, value) = preference.split_once('=')?;
        (name.trim().eq_ignore_ascii_case("wait")).then(|| value.trim().trim_matches('"'))
    })?;
    seconds
        .parse()
        .ok()
        .map(|seconds: u32| Duration::from_secs(seconds.into()))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn of(lines: &[&'static str]) -> Option<u64> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("prefer".parse().unwrap(), HeaderValue::from_static(line));
        }
        wait(&headers).map(|wait| wait.as_secs())
    }

    #[test]
    fn the_first_wait_counts() {
        assert_eq!(of(&["wait=5"]), Some(5));
        assert_eq!(of(&["respond-async, Wait = \"7\"; x=1"]), Some(7));
        assert_eq!(of(&["respond-async", "wait=1, wait=2"]), Some(1));
        assert_eq!(of(&["wait=0"]), Some(0));
        for line in [
            "", "wait", "wait=", "wait=x", "wait=-1", "waiter=1", "wait=1.5",
        ] {
            assert_eq!(of(&[line]), None, "{line}");
        }
        assert_eq!(of(&[]), None);
    }
}
