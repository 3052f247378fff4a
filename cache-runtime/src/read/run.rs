//! Answering a call of a function with `#[cacheable]`: from the store, from another caller's
//! flight, or by running the body and sharing its value.

use std::future::Future;

use crate::read::computation::{Computation, Resolved};
use crate::read::fill::conclude::{ttl_unset, unless_unset};
use crate::read::future::{AsyncRead, ReadFuture};
use crate::read::lookup::{Lookup, LookupState, rebuild};
use crate::runtime::block_on;
use crate::ttl::IntoTtl;
use crate::value::shape::Cached;

/// Answer an async call: from the store, from another caller's flight, or by the body.
///
/// Cancel safety: dropped while it waits, it leaves no trace; dropped while it leads, a waiting
/// caller takes over; dropped while it fills, the fill finishes.
#[inline]
pub fn read_async_if<R, S, V, D, U, B>(
    lookup: Lookup<R, S>,
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
    ReadFuture::new(AsyncRead::new(lookup, value_ttl, unless), body)
}

/// Answer a blocking call. Its thread parks while it waits; the work that it waits for runs on the
/// cache's thread.
#[inline]
pub fn read_sync_if<R, S, V, D, U, B>(lookup: Lookup<R, S>, value_ttl: V, unless: U, body: B) -> R
where
    R: Cached<S>,
    V: FnOnce(&R::Stored) -> D,
    D: IntoTtl,
    U: FnOnce(&R::Stored) -> bool,
    B: FnOnce() -> R,
{
    match lookup.hit() {
        Ok(value) => value,
        Err(lookup) => read_sync_miss(lookup, value_ttl, unless, body),
    }
}

/// Not inlined, so that the hit path stays small enough to be inlined.
#[inline(never)]
fn read_sync_miss<R, S, V, D, U, B>(lookup: Lookup<R, S>, value_ttl: V, unless: U, body: B) -> R
where
    R: Cached<S>,
    V: FnOnce(&R::Stored) -> D,
    D: IntoTtl,
    U: FnOnce(&R::Stored) -> bool,
    B: FnOnce() -> R,
{
    let leading = match lookup.resolve_blocking() {
        Resolved::Found(found) => match rebuild(found) {
            Some(value) => return value,
            None => None,
        },
        Resolved::Body(leading) => leading,
    };
    let entered = leading.as_deref().map(Computation::enter);
    let value = body();
    let Some(leading) = leading else {
        return value;
    };
    let opened = value.open();
    drop(entered);
    conclude_sync::<R, S, D>(*leading, &opened, value_ttl, unless);
    R::close(opened)
}

fn conclude_sync<R: Cached<S>, S, D: IntoTtl>(
    leading: Computation,
    opened: &R::Opened,
    value_ttl: impl FnOnce(&R::Stored) -> D,
    unless: impl FnOnce(&R::Stored) -> bool,
) {
    if let Some((_, filling)) = leading.conclude::<R, S, D>(opened, value_ttl, unless) {
        block_on(filling);
    }
}

/// [`read_async_if`] without a value TTL or an `unless` condition.
#[inline]
pub fn read_async<R: Cached<S>, S, B: Future<Output = R>>(
    lookup: Lookup<R, S>,
    body: B,
) -> impl Future<Output = R> {
    read_async_if(lookup, ttl_unset, unless_unset, body)
}

/// [`read_sync_if`] without a value TTL or an `unless` condition.
#[inline]
pub fn read_sync<R: Cached<S>, S, B: FnOnce() -> R>(lookup: Lookup<R, S>, body: B) -> R {
    read_sync_if(lookup, ttl_unset, unless_unset, body)
}

impl<R: Cached<S>, S> Lookup<R, S> {
    /// Return the value if the lookup was a hit.
    #[inline]
    pub fn hit(self) -> Result<R, Self> {
        let state = match self.state {
            LookupState::Hit(found) => match rebuild(found) {
                Some(value) => return Ok(value),
                None => LookupState::Bypass,
            },
            state => state,
        };
        Err(Self::new(state))
    }

    /// Look up the value of a blocking call, or the computation to run.
    fn resolve_blocking(self) -> Resolved<R::Stored> {
        let mut state = self.state;
        if let LookupState::Pending(call) = &mut state {
            call.blocking = true;
        }
        let none = R::none().is_some();
        match state.resolve_now(none) {
            Ok(resolved) => resolved,
            Err(call) => block_on(call.resolve(none)),
        }
    }
}
