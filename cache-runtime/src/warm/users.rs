//! Warming for users who log in: in the background, a few at a time.

use std::collections::HashSet;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::sync::Semaphore;

use super::panic::CatchPanic;
use super::registry::Registry;
use super::report::{WarmCounts, WarmOutcome};
use super::state::is_out_of_reach;
use super::warmer::WarmerOutput;
use super::{Warm, events};
use crate::context;
use crate::core::Cache;
use crate::read::refresh::CallContext;
use crate::runtime::{self, sleep};

/// Number of users whose entries are warmed at a time.
const TURNS: usize = 4;
/// Number of users who are waiting or have their turn.
const MOST: usize = 256 + TURNS;
/// How long the run of one user may take.
const LIMIT: Duration = Duration::from_secs(60);

/// The users of a cache.
pub(super) struct Users {
    turns: Arc<Semaphore>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Those who are waiting or have their turn.
    active: HashSet<String>,
    runs: u64,
    refused: u64,
    counts: WarmCounts,
}

impl Default for Users {
    fn default() -> Self {
        Self {
            turns: Arc::new(Semaphore::new(TURNS)),
            state: Mutex::default(),
        }
    }
}

/// Counts of warming for users, in this process. Returned by
/// [`Cache::user_warming`](crate::Cache::user_warming).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct UserWarming {
    /// Number of users whose run is waiting or under way.
    pub active: u64,
    /// Number of runs that have ended.
    pub runs: u64,
    /// Number of runs that were refused, for one of the reasons that
    /// [`Warm::for_user_with`](crate::Warm::for_user_with) names.
    pub refused: u64,
    /// The counts of the runs that have ended.
    #[serde(flatten)]
    pub counts: WarmCounts,
}

impl Users {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn counts(&self) -> UserWarming {
        let state = self.state();
        UserWarming {
            active: state.active.len() as u64,
            runs: state.runs,
            refused: state.refused,
            counts: state.counts,
        }
    }
}

/// Begin a run for a user. Return whether it will be run.
pub(super) fn begin<F, Fut>(warm: &Warm, id: &str, work: F) -> bool
where
    F: FnOnce(Warm) -> Fut + Send + 'static,
    Fut: Future<Output: WarmerOutput> + Send + 'static,
{
    let cache = &warm.state.cache;
    let Some(place) = Place::take(cache, id) else {
        return false;
    };
    let warm = Warm {
        state: Arc::new(super::RunState::new(
            cache,
            &format!("user {id}"),
            Vec::new(),
        )),
        ..*warm
    };
    let values = context::current().with([("user_id", id)]);
    let surroundings = values.scope_sync(CallContext::current);
    let turns = Arc::clone(&Registry::of(cache).users.turns);
    // On the cache's thread it waits without a thread of its own, whatever the caller's runtime.
    let waiting = runtime::spawn(async move {
        let Ok(turn) = turns.acquire_owned().await else {
            return;
        };
        surroundings.spawn(async move {
            run(warm, work, place).await;
            drop(turn);
        });
    });
    waiting.is_ok()
}

async fn run<F, Fut>(warm: Warm, work: F, mut place: Place)
where
    F: FnOnce(Warm) -> Fut,
    Fut: Future<Output: WarmerOutput>,
{
    let since = Instant::now();
    let state = Arc::clone(&warm.state);
    let working = CatchPanic::new(async move { work(warm).await.error() });
    let mut working = pin!(state.cache.scope(working));
    let mut limit = sleep(LIMIT);
    let ended = poll_fn(|cx| {
        if let Poll::Ready(ended) = working.as_mut().poll(cx) {
            return Poll::Ready(Some(ended));
        }
        // False: there is no timer.
        match std::pin::Pin::new(&mut limit).poll(cx) {
            Poll::Ready(true) => Poll::Ready(None),
            _ => Poll::Pending,
        }
    })
    .await;
    let (outcome, error) = match (state.was_stopped(), ended) {
        (_, None) => (WarmOutcome::Dropped, None),
        (_, Some(Ok(Some(error)) | Err(error))) => (WarmOutcome::Failed, Some(error)),
        (Some(stopped), _) => (stopped, None),
        (None, _) => (WarmOutcome::Complete, None),
    };
    let counts = state.counts();
    events::warmed_user(
        &state.name,
        outcome,
        &counts,
        error.as_deref(),
        since.elapsed(),
    );
    place.counts = counts;
}

/// The place of a user among those who are waiting or have their turn. Dropping it gives it back.
struct Place {
    cache: Cache,
    id: String,
    counts: WarmCounts,
}

impl Place {
    fn take(cache: &Cache, id: &str) -> Option<Self> {
        let is_of_use = cache.inner().enabled && !is_out_of_reach(cache);
        let mut state = Registry::of(cache).users.state();
        let has_room = state.active.len() < MOST && !state.active.contains(id);
        if !is_of_use || !has_room {
            state.refused += 1;
            return None;
        }
        state.active.insert(id.to_owned());
        Some(Self {
            cache: cache.clone(),
            id: id.to_owned(),
            counts: WarmCounts::default(),
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = Registry::of(&self.cache).users.state();
        state.active.remove(&self.id);
        state.runs += 1;
        state.counts.merge(&self.counts);
    }
}
