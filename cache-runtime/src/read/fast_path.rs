//! The path of a call until it is known whether this process holds its entry: render the key, look
//! it up and, on a hit, count it. This code is compiled once for all functions. The generic shell
//! around it is in `lookup.rs`, and everything that a hit doesn't need is in functions of its own.

use std::any::{Any, TypeId};
use std::sync::Arc;

use crate::clock::Moment;
use crate::core::Cache;
use crate::current::Handle;
use crate::entry::payload::{Payload, Value};
use crate::events;
use crate::key::text::Text;
use crate::key::writer::{Rendered, Rendering, with_rendering};
use crate::read::call::Call;
use crate::report;
use crate::site::ReadSite;
use crate::stats::Counter;
use crate::store::Store;
use crate::store::memory::{MemoryStore, Unmatched};
use crate::tally;
use crate::ttl::Ttl;

/// A call whose key isn't rendered yet.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) site: &'a ReadSite,
    /// By reference: copying it would stall on store-to-load forwarding, since it was only just
    /// written.
    pub(crate) render: &'a Rendered<'a>,
}

/// The kind of entry that a call can use at once. Nearly every hit is of this kind and of the call
/// site's version.
pub(crate) struct Expected {
    /// The type that the function stores.
    pub(crate) stored: TypeId,
    /// Whether the return type has a `None`.
    pub(crate) none: bool,
}

/// Outcome of a lookup without a value.
pub(crate) enum Miss {
    /// A cached `None`, which the return type can express.
    CachedNone,
    /// No usable entry.
    Pending(PendingCall),
    /// The call bypasses the cache.
    Bypass,
}

/// A value of the call site's version, already counted as a hit. It is nearly always of the
/// expected type; the generic caller finds out when it downcasts the value. Without a value, `miss`
/// holds the outcome. It is a separate parameter so that a value is returned in registers.
pub(crate) type MemoryHit = Option<Arc<dyn Any + Send + Sync>>;

/// A call that missed and goes on.
pub(crate) struct PendingCall {
    pub(crate) call: Box<Call>,
    /// The unusable payload that was found, with its version: bytes, or a value of another type.
    pub(crate) other: Option<(Payload, u32)>,
}

/// Render the key, and look it up if the store is in this process.
pub(crate) fn try_hit(
    request: Request<'_>,
    handle: Handle<'_>,
    condition: bool,
    expected: fn() -> Expected,
    miss: &mut Miss,
) -> MemoryHit {
    try_hit_with(
        request,
        handle,
        condition,
        expected,
        miss,
        |store, key, now, other| store.get_typed(key, now, request.site.info.version, other),
    )
}

/// Do the same with a given lookup function.
#[inline(always)]
pub(crate) fn try_hit_with(
    request: Request<'_>,
    handle: Handle<'_>,
    condition: bool,
    expected: fn() -> Expected,
    miss: &mut Miss,
    look_up: impl FnOnce(&MemoryStore, &Text, Moment, &mut Unmatched) -> Option<Arc<dyn Value>>,
) -> MemoryHit {
    let first = || request.site.info.first_call();
    handle.lend_to_read(first, |cache| {
        let inner = cache.inner();
        if !condition || !inner.enabled {
            *miss = Miss::Bypass;
            return None;
        }
        with_rendering(|rendering| {
            let traced = events::wanted(request.site.info.debug);
            if !request.render(cache, rendering, traced) {
                *miss = Miss::Bypass;
                return None;
            }
            let key = &rendering.text;
            let mut other = Unmatched::Absent;
            if let Some((store, now)) = inner
                .store
                .here(&inner.clock, request.site.info.options.near)
                && let Some(value) = look_up(store, key, now, &mut other)
            {
                if traced {
                    return request.traced_value(cache, key, value, expected, miss);
                }
                // `Absent` owns nothing to drop, which the compiler can't see.
                debug_assert!(matches!(other, Unmatched::Absent));
                std::mem::forget(other);
                inner.counters.hit(request.site.number());
                return Some(value);
            }
            *miss = request.unmatched(cache, key, other, expected, traced);
            None
        })
    })
}

/// Count a call that bypasses the cache. The fast path doesn't: a call there would cost every hit two
/// instructions.
#[cold]
#[inline(never)]
pub(crate) fn bypassed(site: &ReadSite, handle: Handle<'_>) {
    tally::uncached();
    handle.with(|cache| {
        let counters = &cache.inner().counters;
        counters.add(site.number(), Counter::Uncached, 1);
    });
}

/// Handle a hit, counted by [`try_hit`], whose value is of another type: take the hit back, and
/// look up the entry once more.
#[cold]
#[inline(never)]
pub(crate) fn wrong_type(
    request: Request<'_>,
    handle: Handle<'_>,
    expected: fn() -> Expected,
) -> Miss {
    handle.with(|cache| {
        let inner = cache.inner();
        inner.counters.undo_hit(request.site.number());
        let miss = request.with_text(cache, |key| {
            let here = inner
                .store
                .here(&inner.clock, request.site.info.options.near);
            let hit = here.and_then(|(store, now)| store.get(&key.to_str(), now));
            request.unmatched(
                cache,
                key,
                hit.map_or(Unmatched::Absent, Unmatched::Entry),
                expected,
                false,
            )
        });
        miss.unwrap_or(Miss::Bypass)
    })
}

impl<'a> Request<'a> {
    /// Render the key, and pass it to `use_it`. For operations that aren't lookups.
    pub(crate) fn with_key<T>(self, cache: &Cache, use_it: impl FnOnce(&str) -> T) -> Option<T> {
        self.with_text(cache, |text| use_it(&text.to_str()))
    }

    fn with_text<T>(self, cache: &Cache, use_it: impl FnOnce(&Text) -> T) -> Option<T> {
        with_rendering(|rendering| {
            let traced = events::wanted(self.site.info.debug);
            let rendered = self.render(cache, rendering, traced);
            rendered.then(|| use_it(&rendering.text))
        })
    }

    /// Render the key, and emit the call's event if `tracing` wants it. Return false, logged and
    /// counted, where an argument's `Serialize` or `Display` fails.
    #[inline(always)]
    fn render(self, cache: &Cache, rendering: &mut Rendering, traced: bool) -> bool {
        if traced {
            rendering.show_parts();
        }
        self.site.render(rendering, self.render);
        if rendering.failed() {
            self.unrendered(cache, rendering);
            return false;
        }
        if traced {
            self.trace_call(cache, rendering);
        }
        true
    }

    #[cold]
    fn unrendered(self, cache: &Cache, rendering: &mut Rendering) {
        let reason = rendering.failure.take().unwrap_or_default();
        let counters = &cache.inner().counters;
        counters.add(self.site.number(), Counter::NoKey, 1);
        cache.log_no_key(self.site.into(), self.template_or_function(), &reason);
    }

    /// Return the name of a call without a key.
    fn template_or_function(self) -> &'static str {
        match self.site.info.template {
            "" => self.site.info.function,
            template => template,
        }
    }

    #[cold]
    fn trace_call(self, cache: &Cache, rendering: &Rendering) {
        let key = cache.full_key(&rendering.text.to_str());
        let info = &self.site.info;
        // Other companions only use the key.
        if matches!(info.companion, "" | "_refresh") {
            let ttl = match info.ttl {
                Ttl::Fixed(ttl) if info.options.jitter == 0.0 => Some(ttl),
                _ => None,
            };
            report::began(&key, ttl);
        }
        let arguments = rendering.shown_arguments(self.site.identity_bytes(self.render));
        events::call(self.site.into(), &arguments, &key);
    }

    #[cold]
    fn trace_hit(self, cache: &Cache, key: &str) {
        cache.inner().counters.hit(self.site.number());
        let emit = match &cache.inner().store {
            Store::Memory(_) => events::hit,
            #[cfg(feature = "redis")]
            Store::Redis(_) => events::near_hit,
        };
        emit(self.site.into(), &cache.full_key(key));
    }

    /// Return a value while `tracing` is listening. The event says "hit", so the type is checked
    /// first.
    #[cold]
    #[inline(never)]
    fn traced_value(
        self,
        cache: &Cache,
        key: &Text,
        value: Arc<dyn Value>,
        expected: fn() -> Expected,
        miss: &mut Miss,
    ) -> MemoryHit {
        if (*value).is_a(expected().stored) {
            self.trace_hit(cache, &key.to_str());
            return Some(value);
        }
        let other = Some((Payload::Typed(value), self.site.info.version));
        *miss = self.missed(cache, &key.to_str(), other, None);
        None
    }

    /// Handle an entry that isn't a value of the call site's version.
    #[cold]
    #[inline(never)]
    fn unmatched(
        self,
        cache: &Cache,
        key: &Text,
        unmatched: Unmatched,
        expected: fn() -> Expected,
        traced: bool,
    ) -> Miss {
        let hit = match unmatched {
            Unmatched::Entry(hit) => hit,
            Unmatched::Due(until) => return self.missed(cache, &key.to_str(), None, Some(until)),
            Unmatched::Absent => return self.missed(cache, &key.to_str(), None, None),
        };
        let is_none = matches!(hit.payload, Payload::Nothing);
        if is_none && hit.version == self.site.info.version && expected().none {
            match traced {
                true => self.trace_hit(cache, &key.to_str()),
                false => cache.inner().counters.hit(self.site.number()),
            }
            return Miss::CachedNone;
        }
        let other = Some((hit.payload, hit.version));
        self.missed(cache, &key.to_str(), other, None)
    }

    fn missed(
        self,
        cache: &Cache,
        key: &str,
        other: Option<(Payload, u32)>,
        due: Option<Moment>,
    ) -> Miss {
        let mut call = Box::new(self.call(cache, key));
        call.due = due;
        Miss::Pending(PendingCall { call, other })
    }

    /// Build a call that goes on. A computed TTL isn't known yet.
    pub(crate) fn call(self, cache: &Cache, key: &str) -> Call {
        let info = &self.site.info;
        Call {
            cache: cache.clone(),
            origin: self.site.into(),
            key: key.into(),
            version: info.version,
            cache_none: info.cache_none,
            options: info.options,
            owner: None,
            own_staleness: None,
            wait_limit: None,
            ttl: match info.ttl {
                Ttl::Fixed(ttl) => Some(ttl),
                Ttl::Preset(name) => cache.preset(self.site.into(), name),
                Ttl::Default | Ttl::Computed | Ttl::Family(_) => None,
            },
            refresh: false,
            due: None,
            audit: None,
            blocking: false,
        }
    }
}
