//! The canonical form of forms.

use std::collections::BTreeMap;

use actix_web_idempotency::internals::canonical_form;
use proptest::{collection::vec, prelude::*, sample::select};

use super::cases;

type Pair = (Vec<u8>, Vec<u8>);

/// Few enough that two lists of them often say the same, in one order or another.
fn pairs() -> impl Strategy<Value = Vec<Pair>> {
    let name = select(vec!["", "a", "b", "ab", "=&+% "]).prop_map(|name| name.as_bytes().to_vec());
    let value = prop_oneof![
        select(vec!["", "b", "bc", "=&+% "]).prop_map(|value| value.as_bytes().to_vec()),
        select(vec![&b"\xe9"[..], b"\xe8", "\u{fffd}".as_bytes()]).prop_map(<[u8]>::to_vec),
    ];
    vec((name, value), 0..4)
}

/// Each byte as it is or by its number, as the bits say.
fn spelt(pairs: &[Pair], mut bits: u64) -> Vec<u8> {
    let mut byte = |out: &mut Vec<u8>, byte: u8| {
        bits = bits.rotate_right(1);
        match byte {
            b' ' if bits & 1 == 0 => out.push(b'+'),
            b'=' | b'&' | b'+' | b'%' | b' ' => out.extend(format!("%{byte:02X}").bytes()),
            _ if bits & 1 == 0 => out.push(byte),
            _ => out.extend(format!("%{byte:02x}").bytes()),
        }
    };
    let mut out = Vec::new();
    for (name, value) in pairs {
        name.iter().for_each(|it| byte(&mut out, *it));
        out.push(b'=');
        value.iter().for_each(|it| byte(&mut out, *it));
        out.push(b'&');
    }
    out
}

/// What a form says: of each name its values, in their order.
fn said(pairs: &[Pair]) -> BTreeMap<&[u8], Vec<&[u8]>> {
    let mut said = BTreeMap::<_, Vec<_>>::new();
    for (name, value) in pairs {
        said.entry(&**name).or_default().push(&**value);
    }
    said
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn the_order_of_pairs_matters_within_a_name_and_nowhere_else(
        (one, other) in pairs().prop_flat_map(|pairs| (Just(pairs.clone()), Just(pairs).prop_shuffle())),
        (bits, other_bits) in any::<(u64, u64)>(),
    ) {
        let same = canonical_form(&spelt(&one, bits)) == canonical_form(&spelt(&other, other_bits));
        prop_assert_eq!(same, said(&one) == said(&other));
    }

    #[test]
    fn two_forms_are_one_when_they_say_the_same(
        one in pairs(), other in pairs(), bits: u64,
    ) {
        let same = canonical_form(&spelt(&one, bits)) == canonical_form(&spelt(&other, !bits));
        prop_assert_eq!(same, said(&one) == said(&other));
    }

    #[test]
    fn any_bytes_have_a_canonical_form_of_bounded_size(
        bytes in prop_oneof![vec(any::<u8>(), 0..256), vec(select(b"a%=&+f\xff".to_vec()), 0..256)],
    ) {
        prop_assert!(canonical_form(&bytes).len() <= 17 * bytes.len());
    }
}
