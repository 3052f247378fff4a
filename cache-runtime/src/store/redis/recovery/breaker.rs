use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::CacheError;

/// Remembers that the store is down, and why, so that calls don't find out one by one.
#[derive(Default)]
pub(crate) struct Breaker {
    open: AtomicBool,
    cause: Mutex<Option<CacheError>>,
}

impl Breaker {
    /// One load while all is well.
    pub(crate) fn check(&self) -> Result<(), CacheError> {
        if !self.open.load(Ordering::Acquire) {
            return Ok(());
        }
        let cause = self
            .cause
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let source: crate::error::Cause = match cause {
            Some(cause) => Arc::new(cause),
            None => Arc::from(Box::from("the store was down until now")),
        };
        Err(CacheError::Unavailable { source })
    }

    /// Opens; whether it was closed before.
    pub(crate) fn open(&self, cause: &CacheError) -> bool {
        let mut known = self.cause.lock().unwrap_or_else(PoisonError::into_inner);
        if self.open.swap(true, Ordering::AcqRel) {
            return false;
        }
        *known = Some(cause.clone());
        true
    }

    pub(crate) fn close(&self) {
        let mut known = self.cause.lock().unwrap_or_else(PoisonError::into_inner);
        *known = None;
        self.open.store(false, Ordering::Release);
    }
}
