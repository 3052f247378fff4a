//! A future that is polled with something of the thread set, and reset in between.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

/// A setting of the current thread.
pub(crate) trait Enter {
    /// Resets the setting when it is dropped, also by a panic.
    type Guard;

    /// Set it for as long as the guard lives.
    fn enter(&self) -> Self::Guard;
}

pin_project! {
    /// A future with a setting of its own, wherever it is polled.
    #[derive(Debug)]
    pub(crate) struct Entered<S, F> {
        setting: S,
        #[pin]
        future: F,
    }
}

impl<S: Enter, F> Entered<S, F> {
    pub(crate) fn new(setting: S, future: F) -> Self {
        Self { setting, future }
    }
}

impl<S: Enter, F: Future> Future for Entered<S, F> {
    type Output = F::Output;
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _guard = this.setting.enter();
        this.future.poll(cx)
    }
}
