/// Does something when a task is dropped before it has ended: by a panic, or with its runtime.
pub(super) struct OnCutOff<F: FnMut()> {
    then: F,
    is_armed: bool,
}

impl<F: FnMut()> OnCutOff<F> {
    pub(super) fn new(then: F) -> Self {
        Self {
            then,
            is_armed: true,
        }
    }

    /// The task has ended.
    pub(super) fn never(mut self) {
        self.is_armed = false;
    }
}

impl<F: FnMut()> Drop for OnCutOff<F> {
    fn drop(&mut self) {
        if self.is_armed {
            (self.then)();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn task_that_is_cut_off_is_followed_and_one_that_has_ended_is_not() {
        let mut times = 0;
        drop(OnCutOff::new(|| times += 1));
        OnCutOff::new(|| times += 10).never();
        assert_eq!(times, 1);
    }
}
