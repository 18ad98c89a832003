use std::fmt;

use bytes::Bytes;

/// The headers of a recorded response, in their order; repeated names are repeated.
///
/// They are one piece of memory, which clones share. `Debug` shows their size, never their content.
///
/// ```
/// use actix_web_idempotency::store::Headers;
///
/// let headers: Headers = [("location", "/orders/7"), ("x-total", "12")].into_iter().collect();
/// let (name, value) = headers.iter().next().unwrap();
/// assert_eq!((name, &value[..]), ("location", &b"/orders/7"[..]));
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Headers(Bytes);

impl Headers {
    /// Returns empty headers.
    pub const fn new() -> Self {
        Self(Bytes::new())
    }

    /// Iterates over names and values. The values share the memory of these headers.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Bytes)> {
        let mut rest = self.0.as_ref();
        std::iter::from_fn(move || {
            let (name, value);
            (name, value, rest) = split(rest)?;
            Some((name, self.0.slice_ref(value)))
        })
    }

    /// Returns the bytes of names and values, and six more for each header.
    pub fn size(&self) -> usize {
        self.0.len()
    }

    /// Returns the encoded headers, in the Redis store's format.
    #[allow(
        dead_code,
        reason = "only a store that keeps its records elsewhere needs it"
    )]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Parses encoded headers; `None` if they are malformed.
    #[allow(
        dead_code,
        reason = "only a store that keeps its records elsewhere needs it"
    )]
    pub(crate) fn from_bytes(bytes: Bytes) -> Option<Self> {
        let mut rest = bytes.as_ref();
        while !rest.is_empty() {
            (_, _, rest) = split(rest)?;
        }
        Some(Self(bytes))
    }
}

/// Splits off the first header.
fn split(bytes: &[u8]) -> Option<(&str, &[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (name, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
    let (length, rest) = rest.split_first_chunk()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (value, rest) = rest.split_at_checked(length)?;
    Some((str::from_utf8(name).ok()?, value, rest))
}

/// Enough for most responses.
const USUAL: usize = 256;

/// A header that is larger than HTTP libraries take, with a name over 64 KiB or a value over 4 GiB,
/// is left out.
impl<N: AsRef<str>, V: AsRef<[u8]>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(headers: I) -> Self {
        let mut bytes = Vec::with_capacity(USUAL);
        for (name, value) in headers {
            let (name, value) = (name.as_ref(), value.as_ref());
            let (Ok(of_name), Ok(digest_json)) =
                (u16::try_from(name.len()), u32::try_from(value.len()))
            else {
                continue;
            };
            bytes.extend_from_slice(&of_name.to_be_bytes());
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(&digest_json.to_be_bytes());
            bytes.extend_from_slice(value);
        }
        // They may be kept for a day, so the unused capacity is given back.
        Self(Bytes::copy_from_slice(&bytes))
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Headers({} bytes)", self.size())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out_in_order() {
        let all: [(&str, &[u8]); 4] = [
            ("x-twice", b"one"),
            ("x-twice", b"t\xffo"),
            ("x-empty", b""),
            ("location", b"/orders/7"),
        ];
        let headers: Headers = all.into_iter().collect();
        let read: Vec<_> = headers.iter().collect();
        let expected = all.map(|(name, value)| (name, Bytes::copy_from_slice(value)));
        assert_eq!(read, expected);
        let copy = Bytes::copy_from_slice(headers.as_bytes());
        assert_eq!(Headers::from_bytes(copy), Some(headers));
        assert_eq!(Headers::new().iter().count(), 0);
    }

    #[test]
    fn what_is_cut_off_cannot_be_read() {
        let headers: Headers = [("a", "1"), ("b", "2")].into_iter().collect();
        let one = headers.size() / 2;
        for end in 0..headers.size() {
            let read = Headers::from_bytes(headers.0.slice(..end));
            assert_eq!(read.is_some(), end % one == 0, "{end}");
        }
        let no_text = Bytes::from_static(b"\x00\x01\xff\x00\x00\x00\x00");
        assert_eq!(Headers::from_bytes(no_text), None);
    }

    #[test]
    fn what_is_too_long_is_left_out() {
        let long = "x".repeat(0x1_0000);
        let headers: Headers = [(long.as_str(), "1"), ("b", "2")].into_iter().collect();
        assert_eq!(
            headers.iter().map(|(name, _)| name).collect::<Vec<_>>(),
            ["b"]
        );
    }

    #[test]
    fn debug_shows_no_content() {
        let headers: Headers = [("set-cookie", "secret")].into_iter().collect();
        assert_eq!(format!("{headers:?}"), "Headers(22 bytes)");
    }
}
