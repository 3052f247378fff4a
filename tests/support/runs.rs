//! Counting the runs of a body.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A counter of a body's runs. The functions under test take it as a skipped argument.
#[derive(Clone, Debug, Default)]
pub struct Runs(Arc<AtomicU32>);

impl Runs {
    /// Count one run and return its number, from 1.
    pub fn next(&self) -> u32 {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Return the number of runs so far.
    pub fn count(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }
}
