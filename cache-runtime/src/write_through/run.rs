//! Running the body of a write-through.

use std::future::Future;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "redis")]
use crate::entry;
use crate::entry::CachedValue;
use crate::entry::payload::Payload;
use crate::read::fill::FillFuture;
use crate::read::fill::conclude::{Plan, conclude};
use crate::read::fill::plan::FillPlan;
use crate::read::lookup::rebuild;
use crate::runtime::block_on;
use crate::store::Store;
use crate::ttl::IntoTtl;
use crate::value::shape::{Cached, Returns};
use crate::write_through::future::{Concluded, Conclusion, WriteThroughFuture, failed};
use crate::write_through::plan::WriteThrough;
use crate::write_through::writing::Writing;

/// Run an async body that persists a value, and store the value.
///
/// An `Err`, a panic and a drop once polled have an unknown outcome: the key is invalidated. After
/// an `Err` the caller doesn't wait for that; the future is thus `Send` even if the error isn't.
///
/// Cancel safety: dropped before it is polled, nothing has happened. After that, the outcome is
/// unknown, and the key is invalidated: in memory at once, in Redis by work that has begun. A fill
/// that has begun finishes without its caller.
pub fn write_through_async<R, S, V, D, U, B>(
    plan: WriteThrough,
    _: Returns<R, S>,
    value_ttl: V,
    unless: U,
    body: B,
) -> impl Future<Output = R>
where
    R: Cached<S>,
    V: FnOnce(&R::Stored) -> D,
    D: IntoTtl,
    U: FnOnce(&R::Stored) -> bool,
    B: Future<Output = R>,
{
    WriteThroughFuture::new(plan, by_shape::<R, S, V, U>(value_ttl, unless), body)
}

/// Run a blocking body that persists a value, and store the value before returning it. After an
/// `Err` or a panic, the key is invalidated before.
pub fn write_through_sync<R, S, V, D, U, B>(
    plan: WriteThrough,
    _: Returns<R, S>,
    value_ttl: V,
    unless: U,
    body: B,
) -> R
where
    R: Cached<S>,
    V: FnOnce(&R::Stored) -> D,
    D: IntoTtl,
    U: FnOnce(&R::Stored) -> bool,
    B: FnOnce() -> R,
{
    run_blocking(plan, by_shape::<R, S, V, U>(value_ttl, unless), body)
}

/// Run a blocking body.
pub(crate) fn run_blocking<R, C: Conclusion<R>>(
    plan: WriteThrough,
    conclusion: C,
    body: impl FnOnce() -> R,
) -> R {
    let writing = match plan.begin() {
        Ok(writing) => writing,
        Err(taking) => Some(block_on(taking)),
    };
    let Some(writing) = writing else {
        return body();
    };
    let value = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(value) => value,
        Err(panic) => {
            if let Some(invalidation) = failed(writing) {
                // A panic of a `tracing` subscriber must not replace this one.
                let _ = catch_unwind(AssertUnwindSafe(|| block_on(invalidation)));
            }
            resume_unwind(panic)
        }
    };
    // Begun within `block_on`: on the cache's own thread, work that was begun before would wait for
    // the thread that waits for it.
    block_on(async {
        match conclusion.conclude(writing, value) {
            Concluded::Held(held, ending) => {
                ending.await;
                C::restore(held)
            }
            Concluded::Returned(value, ending) => {
                if let Some(ending) = ending {
                    ending.await;
                }
                value
            }
        }
    })
}

/// The value as it is stored, where it is, and the work that is still to be awaited.
type Ended<T> = (Option<CachedValue<Arc<T>>>, Option<FillFuture>);

/// End the write whose body has returned. Return the value as it is stored, where it is, and the
/// work that is still to be awaited.
fn end<R: Cached<S>, S, D: IntoTtl>(
    writing: Writing,
    opened: &R::Opened,
    value_ttl: impl FnOnce(&R::Stored) -> D,
    unless: impl FnOnce(&R::Stored) -> bool,
) -> Ended<R::Stored> {
    let decided = writing.decide(|call, lead, took| {
        let conclude = || conclude::<R, S, D>(call, lead, opened, value_ttl, unless, took);
        lead.leader.run(conclude)
    });
    match decided {
        None
        | Some(Plan {
            plan: FillPlan::Discard,
            ..
        }) => (None, writing.fail()),
        Some(Plan { plan, stored }) => (Some(stored), writing.succeed(plan)),
    }
}

/// Return the conclusion that stores the value in the returned one.
pub(crate) fn by_shape<R, S, V, U>(value_ttl: V, unless: U) -> ByShape<R, S, V, U> {
    ByShape {
        value_ttl,
        unless,
        returns: PhantomData,
    }
}

/// Store the value that is in the returned one.
pub(crate) struct ByShape<R, S, V, U> {
    value_ttl: V,
    unless: U,
    returns: PhantomData<fn() -> (R, S)>,
}

impl<R, S, V, D, U> Conclusion<R> for ByShape<R, S, V, U>
where
    R: Cached<S>,
    V: FnOnce(&R::Stored) -> D,
    D: IntoTtl,
    U: FnOnce(&R::Stored) -> bool,
{
    type Held = CachedValue<Arc<R::Stored>>;

    fn conclude(self, writing: Writing, value: R) -> Concluded<Self::Held, R> {
        let opened = value.open();
        match end::<R, S, D>(writing, &opened, self.value_ttl, self.unless) {
            (Some(stored), Some(ending)) => Concluded::Held(stored, ending),
            (_, ending) => Concluded::Returned(R::close(opened), ending),
        }
    }

    fn restore(held: Self::Held) -> R {
        match rebuild(held) {
            Some(value) => value,
            None => unreachable!("a `None` was stored for a type without `None`"),
        }
    }
}

/// Return the conclusion that stores bytes that were encoded before. Without any, the key is
/// invalidated.
pub(crate) fn by_value(encoded: Option<Vec<u8>>, ttl: Duration) -> ByValue {
    ByValue {
        encoded: encoded.filter(|_| !ttl.is_zero()),
        ttl,
    }
}

/// Store a value that was known before the body ran.
pub(crate) struct ByValue {
    encoded: Option<Vec<u8>>,
    ttl: Duration,
}

impl<T, E> Conclusion<Result<T, E>> for ByValue {
    type Held = T;

    fn conclude(self, writing: Writing, value: Result<T, E>) -> Concluded<T, Result<T, E>> {
        let value = match value {
            Ok(value) => value,
            Err(error) => return Concluded::Returned(Err(error), writing.fail()),
        };
        let ttl = self.ttl;
        let plan = self.encoded.and_then(|bytes| {
            writing.decide(|call, lead, took| match &call.cache.inner().store {
                Store::Memory(_) => {
                    // Its lease is the lead itself.
                    let _ = lead;
                    FillPlan::Memory {
                        ttl,
                        took,
                        weight: bytes.len(),
                        payload: Payload::Encoded(bytes.into()),
                    }
                }
                #[cfg(feature = "redis")]
                Store::Redis(_) => {
                    let mut bytes = bytes;
                    if let Some(lease) = &lead.lease {
                        entry::set_token(&mut bytes, lease.token());
                    }
                    FillPlan::Redis {
                        payload: Payload::Nothing,
                        ttl,
                        bytes,
                        near: None,
                    }
                }
            })
        });
        match writing.succeed(plan.unwrap_or(FillPlan::Share(Payload::Nothing))) {
            Some(ending) => Concluded::Held(value, ending),
            None => Concluded::Returned(Ok(value), None),
        }
    }

    fn restore(held: T) -> Result<T, E> {
        Ok(held)
    }
}
