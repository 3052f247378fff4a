//! Invalidations: what one removes, and how it is queued if it can't be sent.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::task::JoinHandle;

use crate::error::CacheError;
use crate::pattern::Pattern;
use crate::store::redis::client::Client;
use crate::store::redis::purpose::Purpose;

/// Target of an invalidation.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// A single key.
    Key(Arc<str>),
    Pattern(Pattern),
    /// The entries of an owner, and patterns that cover them and may cover others.
    Owner(Arc<str>, Arc<[Pattern]>),
}

impl Target {
    /// Return the text to show.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Key(key) => key,
            Self::Pattern(pattern) => pattern.text(),
            Self::Owner(owner, _) => owner,
        }
    }

    /// Report whether the target names this key.
    pub(crate) fn matches(&self, other: &[u8]) -> bool {
        match self {
            Self::Key(key) => key.as_bytes() == other,
            Self::Pattern(pattern) => pattern.matches(other),
            Self::Owner(_, patterns) => patterns.iter().any(|pattern| pattern.matches(other)),
        }
    }

    /// Return the patterns to remember. For a key, it is the pattern of its path, which covers the
    /// key. An owner's account may be gone by the time they are needed, so it isn't relied on.
    fn patterns(&self) -> Vec<Pattern> {
        match self {
            Self::Key(key) => vec![Pattern::of_path(key)],
            Self::Pattern(pattern) => vec![pattern.clone()],
            Self::Owner(_, patterns) => patterns.to_vec(),
        }
    }
}

/// Future of an operation that runs on the cache's thread, or was refused. Dropping it doesn't stop
/// the operation.
pub(crate) enum PendingReply<T> {
    Sent(JoinHandle<Result<T, CacheError>>),
    Refused(CacheError),
}

impl<T> Future for PendingReply<T> {
    type Output = Result<T, CacheError>;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            Self::Sent(reply) => Pin::new(reply).poll(cx).map(|ended| {
                ended.unwrap_or_else(|panic| {
                    Err(CacheError::Background {
                        source: Arc::new(panic),
                    })
                })
            }),
            Self::Refused(error) => Poll::Ready(Err(error.clone())),
        }
    }
}

impl Client {
    /// Invalidate the targets, or queue all of them if one can't be sent. Return the number of
    /// values that each target has removed.
    pub(crate) async fn invalidate(
        self: &Arc<Self>,
        targets: &[Target],
    ) -> Result<Vec<u64>, CacheError> {
        let mut total = vec![0; targets.len()];
        loop {
            let before = self.server_of(Purpose::Invalidation);
            match self.remove_targets(targets, Purpose::Invalidation).await {
                Ok(removed) => {
                    let sums = total.iter_mut().zip(removed);
                    sums.for_each(|(sum, removed)| *sum += removed);
                }
                Err(error) => {
                    self.queue_invalidations(targets, &error);
                    return Err(error);
                }
            }
            // If the server changed in between, each of the two has received only a part of it.
            let server = self.server_of(Purpose::Invalidation);
            if server.is_some() && server == before {
                for pattern in targets.iter().flat_map(Target::patterns) {
                    self.replay.acknowledged(&pattern, server.as_deref());
                }
                self.start_monitor();
                self.start_publishing();
                return Ok(total);
            }
        }
    }

    /// Queue invalidations. Reads run uncached until they are sent.
    pub(crate) fn queue_invalidations(self: &Arc<Self>, targets: &[Target], cause: &CacheError) {
        for pattern in targets.iter().flat_map(Target::patterns) {
            self.queue_invalidation(&pattern, cause);
        }
    }

    fn queue_invalidation(self: &Arc<Self>, pattern: &Pattern, cause: &CacheError) {
        let opened = self.replay.queue(pattern, || self.breaker.open(cause));
        if let Some(opened) = opened {
            self.breaker_opened(cause, opened);
        }
    }
}
