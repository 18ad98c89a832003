//! Lower-case hexadecimal, as stored keys and owner tokens are written.

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Two digits per byte, written where the caller has room for as many.
pub(crate) fn write<'a>(bytes: &[u8], room: &'a mut [u8]) -> &'a str {
    for (byte, digits) in bytes.iter().zip(room.as_chunks_mut().0) {
        *digits = [byte >> 4, byte & 0xf].map(|half| DIGITS[usize::from(half)]);
    }
    str::from_utf8(room).unwrap_or_default()
}

/// Two digits per byte.
pub(crate) fn text(bytes: &[u8]) -> String {
    let mut room = vec![0; 2 * bytes.len()];
    write(bytes, &mut room);
    String::from_utf8(room).unwrap_or_default()
}

/// The bytes of exactly as many digits; `None` when there is anything else.
pub(crate) fn bytes<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    if digits.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, [high, low]) in bytes.iter_mut().zip(digits.as_chunks().0) {
        *byte = value(*high)? << 4 | value(*low)?;
    }
    Some(bytes)
}

/// What a digit stands for. Upper case is never written here, so it is not read either.
fn value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_byte_has_two_lower_case_digits() {
        assert_eq!(super::text(&[0x00, 0x0f, 0xa5, 0xff]), "000fa5ff");
    }

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        for byte in 0..=u8::MAX {
            assert_eq!(super::bytes(super::text(&[byte]).as_bytes()), Some([byte]));
        }
        for text in ["", "0", "0f0", "0f0f", "0F", "+f", "g0", "0 "] {
            assert_eq!(super::bytes::<1>(text.as_bytes()), None, "{text:?}");
        }
    }
}
