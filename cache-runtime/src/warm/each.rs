//! Going through items: bounded, and each on its own.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::Warm;
use super::panic::{CatchPanic, catch};
use super::report::{ItemOutcome, WarmCounts};
use crate::current::{InScope, Scope};
use crate::runtime::sleep;
use crate::tally::{Tallied, Tally, tallied_sync};

/// Number of items after which others on the same thread get a turn: calls that are answered from
/// memory never wait.
const TURN: u64 = 32;

/// Call `call` for each of the items, and await it. `judge` returns the error in its output.
pub(super) async fn each<I, F, Fut>(
    warm: &Warm,
    items: I,
    mut call: F,
    judge: fn(&Fut::Output) -> Option<String>,
) -> WarmCounts
where
    I: IntoIterator,
    F: FnMut(I::Item) -> Fut,
    Fut: Future,
{
    let state = &warm.state;
    let mut counts = WarmCounts::default();
    let mut items = items.into_iter().peekable();
    let mut promised = items.size_hint().0 as u64;
    counts.expected = promised;
    state.expect(promised);
    let (mut begun, mut turn) = (0, 0);
    let mut rate = warm.rate;
    let mut has_more = true;
    let mut running: Vec<Pin<Box<Item<Fut>>>> = Vec::new();
    loop {
        let mut pause = None;
        while has_more && running.len() < warm.concurrency {
            if state.stopped().is_some() {
                has_more = false;
                break;
            }
            // Before the limit: the end of the items waits for nothing.
            if items.peek().is_none() {
                has_more = false;
                break;
            }
            if let Some(rate) = rate
                && let Err(left) = state.limiter.take(rate)
            {
                pause = Some(sleep(left));
                break;
            }
            let Some(item) = items.next() else { break };
            begun += 1;
            match promised.checked_sub(1) {
                Some(left) => promised = left,
                None => {
                    counts.expected += 1;
                    state.expect(1);
                }
            }
            match Item::begin(warm, &mut call, item, judge, begun) {
                Ok(item) => running.push(Box::pin(item)),
                Err(message) => {
                    let outcome = ItemOutcome::Failed(message);
                    counts.add(&outcome);
                    state.ended(begun, outcome);
                }
            }
        }
        if running.is_empty() && pause.is_none() {
            break;
        }
        let ended = poll_fn(|cx| {
            let paused = pause.as_mut().map(|pause| Pin::new(pause).poll(cx));
            if let Some(Poll::Ready(false)) = paused {
                // Without a timer there is no limit.
                rate = None;
            }
            let ended = poll_all(&mut running, cx, |number, outcome| {
                if let (ItemOutcome::Fresh, Some(rate)) = (&outcome, rate) {
                    state.limiter.give_back(rate);
                }
                counts.add(&outcome);
                state.ended(number, outcome);
            });
            match ended == 0 && !matches!(paused, Some(Poll::Ready(_))) {
                true => Poll::Pending,
                false => Poll::Ready(ended),
            }
        })
        .await;
        turn += ended;
        if turn >= TURN {
            turn = 0;
            yield_now().await;
        }
    }
    counts
}

/// Let other tasks of the thread have their turn. Unlike tokio's function, this works also where an
/// executor that knows nothing of tokio blocks a thread of tokio.
async fn yield_now() {
    let mut has_yielded = false;
    poll_fn(|cx| {
        if has_yielded {
            return Poll::Ready(());
        }
        has_yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Poll all items, remove those that have ended, and return their number.
fn poll_all<F: Future>(
    running: &mut Vec<Pin<Box<Item<F>>>>,
    cx: &mut Context<'_>,
    mut tell: impl FnMut(u64, ItemOutcome),
) -> u64 {
    let (mut at, mut ended) = (0, 0);
    while at < running.len() {
        match running[at].as_mut().poll(cx) {
            Poll::Ready(outcome) => {
                let item = running.swap_remove(at);
                tell(item.number, outcome);
                ended += 1;
            }
            Poll::Pending => at += 1,
        }
    }
    ended
}

pin_project! {
    /// The call for one item.
    struct Item<F: Future> {
        number: u64,
        judge: fn(&F::Output) -> Option<String>,
        #[pin]
        call: CatchPanic<Tallied<Scope<F>>>,
    }
}

impl<F: Future> Item<F> {
    /// Make the call's future, or return the message of a panic.
    fn begin<T>(
        warm: &Warm,
        call: &mut impl FnMut(T) -> F,
        item: T,
        judge: fn(&F::Output) -> Option<String>,
        number: u64,
    ) -> Result<Self, String> {
        let cache = &warm.state.cache;
        let mut tally = Tally::default();
        // A blocking function may be called here, and wrapped into a future that is ready.
        let make = || cache.scope_sync(|| call(item));
        let future = catch(|| tallied_sync(&mut tally, make))?;
        let scoped = Scope::new(InScope(cache.clone()), future);
        Ok(Self {
            number,
            judge,
            call: CatchPanic::new(Tallied::new(tally, scoped)),
        })
    }
}

impl<F: Future> Future for Item<F> {
    type Output = ItemOutcome;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<ItemOutcome> {
        let this = self.project();
        let ended = match this.call.poll(cx) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(ended) => ended,
        };
        // The error's `Debug` and the value's `Drop` are the user's code, too.
        let judged = ended.and_then(|(output, tally)| {
            catch(move || {
                let error = (this.judge)(&output);
                outcome(&tally, error)
            })
        });
        Poll::Ready(judged.unwrap_or_else(ItemOutcome::Failed))
    }
}

/// Return how an item ended whose calls did this.
fn outcome(tally: &Tally, error: Option<String>) -> ItemOutcome {
    match (error, &tally.failed) {
        (Some(error), Some((_, key))) => ItemOutcome::Failed(format!("{key}: {error}")),
        (Some(error), None) => ItemOutcome::Failed(error),
        (None, Some((function, key))) => {
            ItemOutcome::Failed(format!("{key}: `{function}` returned an error"))
        }
        (None, None) if tally.computed > 0 => ItemOutcome::Computed,
        (None, None) if tally.uncached > 0 => ItemOutcome::Uncached,
        (None, None) => ItemOutcome::Fresh,
    }
}
