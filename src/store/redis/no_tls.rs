/// Without TLS there is nothing to prepare.
pub(super) fn prepare() {}
