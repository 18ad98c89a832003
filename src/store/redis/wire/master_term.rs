use std::future::pending;

use tokio::sync::watch;

/// How long a connection leads to the right server: until somebody says that there is another.
#[derive(Clone, Debug)]
pub(crate) struct MasterTerm(Option<watch::Receiver<()>>);

impl MasterTerm {
    /// Of a server that nobody replaces without its knowledge.
    pub(crate) fn endless() -> Self {
        Self(None)
    }

    /// Until the next change, counted from now.
    pub(crate) fn until_next(changes: &watch::Sender<()>) -> Self {
        Self(Some(changes.subscribe()))
    }

    pub(crate) fn is_over(&self) -> bool {
        let changes = self.0.as_ref().map(watch::Receiver::has_changed);
        // An error says that nobody looks any more.
        changes.is_some_and(|changed| changed.unwrap_or(false))
    }

    /// Returns when it is over.
    pub(crate) async fn ends(&mut self) {
        if let Some(changes) = &mut self.0
            && changes.changed().await.is_ok()
        {
            return;
        }
        pending().await
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn it_ends_with_the_next_change_and_not_with_an_earlier_one() {
        let changes = watch::Sender::new(());
        changes.send_replace(());
        let mut master_term = MasterTerm::until_next(&changes);
        assert!(!master_term.is_over() && master_term.ends().now_or_never().is_none());
        let copy = master_term.clone();
        changes.send_replace(());
        assert!(master_term.is_over() && master_term.ends().now_or_never().is_some());
        assert!(copy.is_over());
        assert!(!MasterTerm::until_next(&changes).is_over());
    }

    #[test]
    fn it_goes_on_when_nobody_looks_any_more() {
        let changes = watch::Sender::new(());
        for mut master_term in [MasterTerm::until_next(&changes), MasterTerm::endless()] {
            drop(changes.clone());
            assert!(!master_term.is_over() && master_term.ends().now_or_never().is_none());
        }
        let mut master_term = MasterTerm::until_next(&changes);
        drop(changes);
        assert!(!master_term.is_over() && master_term.ends().now_or_never().is_none());
    }
}
