use sha2::{Digest, Sha256};

/// Adds a part to a digest with its length in front, so that no two sequences of parts give the
/// same bytes.
pub(super) fn put(digest: &mut Sha256, part: impl AsRef<[u8]>) {
    let part = part.as_ref();
    digest.update((part.len() as u64).to_be_bytes());
    digest.update(part);
}
