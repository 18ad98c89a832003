/// The pairs of a form, sorted by name; those of one name stay in their order. Each is written with
/// its lengths.
pub(crate) fn form(body: &[u8]) -> Vec<u8> {
    let mut pairs: Vec<_> = form_urlencoded::parse(body).collect();
    pairs.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut out = Vec::with_capacity(body.len() + 16 * pairs.len());
    for (name, value) in pairs {
        for text in [name, value] {
            out.extend_from_slice(&(text.len() as u64).to_be_bytes());
            out.extend_from_slice(text.as_bytes());
        }
    }
    out
}
