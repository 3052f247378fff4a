//! What a call does until it is known whether this process holds its entry: the key, the look and, on a hit, the count. One
//! copy for all functions. What is generic is a thin shell around it, in `lookup.rs`; what a hit doesn't need is in functions of
//! its own.

use std::any::{Any, TypeId};
use std::sync::Arc;

use crate::cache::Cache;
use crate::cache::current::Handle;
use crate::call::Call;
use crate::clock::Moment;
use crate::events;
use crate::key::writer::{Rendered, Rendering, with_rendering};
use crate::site::ReadSite;
use crate::stats::Counter;
use crate::store::memory::{Hit, MemoryStore};
use crate::ttl::Ttl;
use crate::value::payload::{Payload, Value};

/// A call's key, still to be written.
pub(crate) struct Asked<'a> {
    pub(crate) site: &'a ReadSite,
    /// Not by value: a copy would wait for what was only just written.
    pub(crate) render: &'a Rendered<'a>,
}

/// What a call can use at once. Nearly every hit is of this kind, and of the call site's version.
#[derive(Clone, Copy)]
pub(crate) struct Wanted {
    /// The type that it stores.
    pub(crate) stored: TypeId,
    /// Whether it has a place for a `None`.
    pub(crate) none: bool,
}

/// What a call comes to that isn't answered with a value.
pub(crate) enum Rest {
    /// A `None`, which is wanted.
    Nothing,
    /// Nothing of that kind.
    Missed(Box<Missed>),
    /// This call goes without the cache.
    Bypassed,
}

/// A value of the wanted type, if there is one; else `rest` says what there is. Apart, so that a value is returned in registers.
pub(crate) type Opened = Option<Arc<dyn Any + Send + Sync>>;

/// A call that has to go on.
pub(crate) struct Missed {
    pub(crate) call: Box<Call>,
    /// What was found instead, with its version: bytes, or a value of another type.
    pub(crate) other: Option<(Payload, u32)>,
}

/// What a look at the store is to a call.
pub(crate) enum Glance {
    /// A value of the call site's version, whatever its type.
    Typed(Arc<dyn Value>),
    /// Anything else that is fresh.
    Other(Hit),
    /// Fresh until then, and to be computed early.
    Due(Moment),
    Nothing,
}

/// Renders the key and looks where the store is in this process.
pub(crate) fn open(
    asked: &Asked<'_>,
    handle: Handle<'_>,
    condition: bool,
    wanted: Wanted,
    rest: &mut Rest,
) -> Opened {
    let version = asked.site.info.version;
    open_by(asked, handle, condition, wanted, rest, |store, key, now| {
        store.glance(key, now, version)
    })
}

/// The same by any look.
#[inline(always)]
pub(crate) fn open_by(
    asked: &Asked<'_>,
    handle: Handle<'_>,
    condition: bool,
    wanted: Wanted,
    rest: &mut Rest,
    look: impl FnOnce(&MemoryStore, &str, Moment) -> Glance,
) -> Opened {
    handle.with(|cache| {
        let inner = cache.inner();
        if !condition || !inner.enabled {
            *rest = Rest::Bypassed;
            return None;
        }
        with_rendering(|rendering| {
            let Some(shown) = asked.render(cache, rendering) else {
                *rest = Rest::Bypassed;
                return None;
            };
            let key = rendering.text.as_str();
            let here = inner.store.here(&inner.clock, asked.site.info.options.near);
            let glance = here.map_or(Glance::Nothing, |(store, now)| look(store, key, now));
            let Glance::Typed(value) = glance else {
                *rest = asked.rest(cache, key, glance, wanted.none, shown);
                return None;
            };
            if !(*value).is_a(wanted.stored) {
                *rest = asked.rest(cache, key, Glance::Typed(value), wanted.none, shown);
                return None;
            }
            inner.counters.hit(asked.site.number());
            if shown {
                asked.show_hit(cache, key);
            }
            Some(value as Arc<dyn Any + Send + Sync>)
        })
    })
}

impl Asked<'_> {
    /// Renders the key for what is no look, and hands it on.
    pub(crate) fn with_key<T>(&self, cache: &Cache, use_it: impl FnOnce(&str) -> T) -> Option<T> {
        with_rendering(|rendering| {
            self.render(cache, rendering)?;
            Some(use_it(&rendering.text))
        })
    }

    /// Renders the key; whether somebody listens to this call's events. `None`, logged and counted, where an argument's `Serialize`
    /// or `Display` fails.
    #[inline(always)]
    fn render(&self, cache: &Cache, rendering: &mut Rendering) -> Option<bool> {
        let shown = events::wanted(self.site.info.debug);
        if shown {
            rendering.with_parts_shown();
        }
        self.site.render(rendering, *self.render);
        if rendering.failure.is_some() {
            self.unrendered(cache, rendering);
            return None;
        }
        if shown {
            self.show(cache, rendering);
        }
        Some(shown)
    }

    #[cold]
    fn unrendered(&self, cache: &Cache, rendering: &mut Rendering) {
        let reason = rendering.failure.take().unwrap_or_default();
        let counters = &cache.inner().counters;
        counters.add(self.site.number(), Counter::Errors, 1);
        events::error(self.site.info.function, self.site.info.template, &reason);
    }

    #[cold]
    fn show(&self, cache: &Cache, rendering: &Rendering) {
        let key = cache.full_key(&rendering.text);
        events::call(self.site.into(), &rendering.shown_parts(), &key);
    }

    #[cold]
    fn show_hit(&self, cache: &Cache, key: &str) {
        events::hit(self.site.into(), &cache.full_key(key));
    }

    /// What isn't a value of the wanted type.
    #[cold]
    #[inline(never)]
    fn rest(&self, cache: &Cache, key: &str, glance: Glance, none: bool, shown: bool) -> Rest {
        let version = self.site.info.version;
        let (mut due, mut other) = (None, None);
        match glance {
            Glance::Other(hit) => {
                let is_none = matches!(hit.payload, Payload::Nothing) && hit.version == version;
                if is_none && none {
                    cache.inner().counters.hit(self.site.number());
                    if shown {
                        self.show_hit(cache, key);
                    }
                    return Rest::Nothing;
                }
                other = Some((hit.payload, hit.version));
            }
            Glance::Typed(value) => other = Some((Payload::Typed(value), version)),
            Glance::Due(until) => due = Some(until),
            Glance::Nothing => {}
        }
        let mut call = Box::new(self.call(cache, key));
        call.due = due;
        Rest::Missed(Box::new(Missed { call, other }))
    }

    /// What is known of a call that has to go on. A lifetime that is computed isn't known yet.
    pub(crate) fn call(&self, cache: &Cache, key: &str) -> Call {
        let info = &self.site.info;
        Call {
            cache: cache.clone(),
            origin: self.site.into(),
            key: key.into(),
            version: info.version,
            cache_none: info.cache_none,
            options: info.options,
            ttl: match info.ttl {
                Ttl::Fixed(ttl) => Some(ttl),
                Ttl::Preset(name) => cache.preset(name),
                Ttl::Default | Ttl::Computed => None,
            },
            refresh: false,
            due: None,
            blocking: false,
        }
    }
}
