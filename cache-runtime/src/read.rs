//! What a function with `#[cacheable]` does around its body: a value, from the store, from another caller's flight,
//! or computed and handed on.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::answer::Answer;
use crate::background::block_on;
use crate::call::{Call, Filling, Landing, Lead, Step};
#[cfg(feature = "redis")]
use crate::entry;
use crate::entry::Found;
use crate::lookup::{Lookup, State, fits};
use crate::ttl::IntoTtl;
use crate::value::payload::Payload;
use crate::value::shape::{Cached, Peek};
use crate::value::{Storable, measure};

/// Answers an async call: from the store, from another caller's flight, or by the body.
///
/// Cancel safety: dropped while it waits, it leaves no trace; dropped while it leads, one of those who
/// wait takes over; dropped while it fills, the fill finishes.
#[inline]
pub fn read_async<R, S, V, D, U, B>(
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
    Answer::of(lookup, |lookup| go_on(lookup, value_ttl, unless, body))
}

/// The same, in one future whether or not the answer is known.
pub(crate) async fn go_on<R, S, V, D, U, B>(
    lookup: Lookup<R, S>,
    value_ttl: V,
    unless: U,
    body: B,
) -> R
where
    R: Cached<S>,
    V: FnOnce(&R::Stored) -> D,
    D: IntoTtl,
    U: FnOnce(&R::Stored) -> bool,
    B: Future<Output = R>,
{
    let mut found = None;
    let lead = match lookup.state {
        State::Hit(hit) => {
            found = Some(hit);
            None
        }
        State::Bypass => None,
        State::Pending(call) => {
            let lead = match call.settle_at_once::<R, S>(&mut found) {
                Some(lead) => lead,
                None => call.settle::<R, S>(&mut found).await,
            };
            lead.map(|lead| (*call, lead))
        }
        State::Leading(leading) => Some(*leading),
    };
    if let Some(value) = found.and_then(rebuild) {
        return value;
    }
    let Some((call, lead)) = lead else {
        return body.await;
    };
    let watch = call.stopwatch();
    // The value isn't held across the await: one that isn't `Send` would make the future so. The block ends its storage;
    // for the compiler, a value that was borrowed and then dropped is held on.
    let (shared, filling) = {
        let value = lead.leader.within(body).await;
        match hand_on(&call, lead, &value, value_ttl, unless, watch.elapsed()) {
            Some(filling) => filling,
            None => return value,
        }
    };
    filling.await;
    match rebuild(shared) {
        Some(value) => value,
        None => unreachable!("a `None` was stored of a type that has none"),
    }
}

/// Answers a blocking call. Its thread parks while it waits; what it waits for runs on the cache's thread.
#[inline]
pub fn read_sync<R, S, V, D, U, B>(lookup: Lookup<R, S>, value_ttl: V, unless: U, body: B) -> R
where
    R: Cached<S>,
    V: FnOnce(&R::Stored) -> D,
    D: IntoTtl,
    U: FnOnce(&R::Stored) -> bool,
    B: FnOnce() -> R,
{
    match lookup.hit() {
        Ok(value) => value,
        Err(lookup) => go_on_sync(lookup, value_ttl, unless, body),
    }
}

/// Apart, so that what a hit does stays small enough to be inlined.
#[inline(never)]
fn go_on_sync<R, S, V, D, U, B>(lookup: Lookup<R, S>, value_ttl: V, unless: U, body: B) -> R
where
    R: Cached<S>,
    V: FnOnce(&R::Stored) -> D,
    D: IntoTtl,
    U: FnOnce(&R::Stored) -> bool,
    B: FnOnce() -> R,
{
    let mut found = None;
    let lead = match lookup.state {
        State::Hit(_) | State::Bypass => None,
        State::Pending(mut call) => {
            call.blocking = true;
            let lead = match call.settle_at_once::<R, S>(&mut found) {
                Some(lead) => lead,
                None => block_on(call.settle::<R, S>(&mut found)),
            };
            lead.map(|lead| (*call, lead))
        }
        State::Leading(leading) => Some(*leading),
    };
    if let Some(value) = found.and_then(rebuild) {
        return value;
    }
    let Some((call, lead)) = lead else {
        return body();
    };
    let watch = call.stopwatch();
    let value = lead.leader.run(body);
    if let Some((_, filling)) = hand_on(&call, lead, &value, value_ttl, unless, watch.elapsed()) {
        block_on(filling);
    }
    value
}

impl<R: Cached<S>, S> Lookup<R, S> {
    /// The answer, if it is known already.
    #[inline]
    pub(crate) fn hit(self) -> Result<R, Self> {
        let state = match self.state {
            State::Hit(found) => match rebuild(found) {
                Some(value) => return Ok(value),
                None => State::Bypass,
            },
            state => state,
        };
        Err(Self::new(state))
    }
}

impl Call {
    /// Finds the value, or the lead; neither: the body runs by itself.
    async fn settle<R: Cached<S>, S>(
        &self,
        found: &mut Option<Found<Arc<R::Stored>>>,
    ) -> Option<Lead> {
        match self.approach_for::<R, S>(found).await {
            Step::Lead(lead) => Some(lead),
            // A refresh is for functions that name one.
            _ => None,
        }
    }

    /// The same where nothing is to be waited for; `None` where that isn't known.
    fn settle_at_once<R: Cached<S>, S>(
        &self,
        found: &mut Option<Found<Arc<R::Stored>>>,
    ) -> Option<Option<Lead>> {
        match self.approach_at_once(&mut self.accept::<R, S>(found))? {
            Step::Lead(lead) => Some(Some(lead)),
            _ => Some(None),
        }
    }

    /// Takes what a function that returns an `R` can use.
    fn accept<R: Cached<S>, S>(
        &self,
        found: &mut Option<Found<Arc<R::Stored>>>,
    ) -> impl FnMut(&Payload, u32) -> bool + Send {
        |payload, entry_version| {
            *found = payload
                .share(entry_version, self.version)
                .filter(fits::<R, S>);
            found.is_some()
        }
    }

    /// The next step of a call that returns an `R`.
    pub(crate) async fn approach_for<R: Cached<S>, S>(
        &self,
        found: &mut Option<Found<Arc<R::Stored>>>,
    ) -> Step {
        let step = self.approach(&mut self.accept::<R, S>(found)).await;
        #[cfg(feature = "redis")]
        if let Step::Arrived(arrival) = step {
            match &*found {
                Some(Found::Value(value)) => {
                    arrival.enter(Payload::typed(Arc::clone(value)), weight(&**value));
                }
                _ => arrival.enter(Payload::Nothing, 0),
            }
            return Step::Taken;
        }
        step
    }
}

/// The return type around what was found, if it fits.
#[inline]
pub(crate) fn rebuild<R: Cached<S>, S>(found: Found<Arc<R::Stored>>) -> Option<R> {
    match found {
        Found::Value(value) => Some(R::wrap(value)),
        Found::Nothing => R::none(),
    }
}

/// Hands a computed value to those who wait, and to the store. What is given back is what is stored, and a fill that is still
/// to be waited for.
pub(crate) fn hand_on<R: Cached<S>, S, D: IntoTtl>(
    call: &Call,
    lead: Lead,
    value: &R,
    value_ttl: impl FnOnce(&R::Stored) -> D,
    unless: impl FnOnce(&R::Stored) -> bool,
    took: Duration,
) -> Option<(Found<Arc<R::Stored>>, Filling)> {
    // Within the flight too: the value's `Serialize` and the conditions on it may call the cache.
    let conclude = || conclude(call, &lead, value, value_ttl, unless, took);
    let conclusion = lead.leader.run(conclude);
    let filling = call.land(lead, conclusion.landing)?;
    Some((conclusion.stored, filling))
}

/// What becomes of a computed value.
struct Conclusion<T> {
    landing: Landing,
    /// What is stored of it, where it is.
    stored: Found<Arc<T>>,
}

fn conclude<R: Cached<S>, S, D: IntoTtl>(
    call: &Call,
    lead: &Lead,
    value: &R,
    value_ttl: impl FnOnce(&R::Stored) -> D,
    unless: impl FnOnce(&R::Stored) -> bool,
    took: Duration,
) -> Conclusion<R::Stored> {
    let shared = match value.verdict() {
        Peek::Err => {
            return Conclusion {
                landing: Landing::Keep,
                stored: Found::Nothing,
            };
        }
        // A type parameter that is an `Option` is its own value, `None` included.
        Peek::None if call.cache_none => value.share(),
        Peek::None => None,
        Peek::Value(_) => value.share(),
    };
    let Some(value) = shared else {
        return Conclusion {
            landing: nothing_lands::<R, S>(call, lead, took),
            stored: Found::Nothing,
        };
    };
    let ttl = if unless(&value) {
        None
    } else {
        call.ttl_or_default(value_ttl(&value).into_ttl())
    };
    let Some(ttl) = ttl else {
        return Conclusion {
            landing: Landing::Share(Payload::typed(Arc::clone(&value))),
            stored: Found::Value(value),
        };
    };
    #[cfg(feature = "redis")]
    if call.is_far() {
        let encoding = call.cache.encoding_of(&call.key);
        let encoded = entry::encode(&*value, &call.facts(lead, took), &encoding);
        let payload = Payload::typed(Arc::clone(&value));
        return Conclusion {
            landing: call.landing_in_redis(payload, ttl, || weight(&*value), encoded),
            stored: Found::Value(value),
        };
    }
    let weight = weight(&*value);
    Conclusion {
        landing: call.landing_in_memory(Payload::typed(value), ttl, weight, took),
        // Nobody waits for a fill in memory, and so nobody asks.
        stored: Found::Nothing,
    }
}

/// What becomes of a `None`.
#[cfg_attr(
    not(feature = "redis"),
    expect(unused_variables, reason = "nothing is encoded for memory")
)]
fn nothing_lands<R: Cached<S>, S>(call: &Call, lead: &Lead, took: Duration) -> Landing {
    let fill = call.cache_none.then(|| call.ttl_or_default(None)).flatten();
    let Some(ttl) = fill else {
        return Landing::Share(Payload::Nothing);
    };
    #[cfg(feature = "redis")]
    if call.is_far() {
        let encoded = Ok(entry::nothing::<R::Stored>(&call.facts(lead, took)));
        return call.landing_in_redis(Payload::Nothing, ttl, || 0, encoded);
    }
    call.landing_in_memory(Payload::Nothing, ttl, 0, took)
}

/// About how many bytes a value takes in this process.
fn weight<T: Storable>(value: &T) -> usize {
    size_of::<T>() + measure::weigh(value)
}
