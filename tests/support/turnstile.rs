//! Letting runs of a body through one at a time.

use std::sync::Arc;

use tokio::sync::{Notify, Semaphore};

use crate::Runs;

/// A place in a body where it waits until the test lets it through, one run at a time.
#[derive(Clone, Debug)]
pub struct Turnstile {
    /// The runs that have reached it.
    pub runs: Runs,
    entered: Arc<Notify>,
    open: Arc<Semaphore>,
}

impl Turnstile {
    /// Create a turnstile that lets no run through yet.
    pub fn new() -> Self {
        Self {
            runs: Runs::default(),
            entered: Arc::default(),
            // Permits rather than wake-ups: a body that arrives later finds them, too.
            open: Arc::new(Semaphore::new(0)),
        }
    }

    /// Stop the body until it is let through. Return the number of the run, from 1.
    pub async fn pass(&self) -> u32 {
        let run = self.runs.next();
        self.entered.notify_one();
        let permit = self.open.acquire().await;
        permit.expect("the semaphore is never closed").forget();
        run
    }

    /// Wait until a body has reached the turnstile since the last wait.
    pub async fn entered(&self) {
        self.entered.notified().await;
    }

    /// Let this number of runs through, now or when they arrive.
    pub fn let_through(&self, runs: usize) {
        self.open.add_permits(runs);
    }
}

impl Default for Turnstile {
    fn default() -> Self {
        Self::new()
    }
}
