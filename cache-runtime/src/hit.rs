//! What a call does until it is known whether this process holds its entry: the key, the look and, on a hit, the count. One
//! copy for all functions. What is generic is a thin shell around it, in `lookup.rs`.

use std::time::Duration;

use crate::cache::Cache;
use crate::cache::current::Handle;
use crate::call::Call;
use crate::events;
use crate::key::writer::{Rendering, Writer, with_rendering};
use crate::site::ReadSite;
use crate::stats::Counter;
use crate::ttl::Ttl;
use crate::value::payload::Payload;

/// A call's key, still to be written.
pub(crate) struct Asked<'a> {
    pub(crate) site: &'static ReadSite,
    /// The name of the attribute's closure, which tells the instances of a function apart.
    pub(crate) instance: &'static str,
    pub(crate) write: &'a dyn Fn(&mut Writer<'_>),
}

/// Takes a payload with the entry's version, if it is what the caller can use.
pub(crate) type Take<'a> = dyn FnMut(Payload, u32) -> bool + 'a;

/// The lifetime that the attribute computes before the body, asked at most once.
pub(crate) type Lifetime<'a> = dyn FnMut() -> Option<Duration> + 'a;

/// What came of it.
pub(crate) enum Opening {
    /// The payload was taken.
    Answered,
    /// There is nothing to use in this process. Boxed, since what a miss needs is large, and a hit would move its room about.
    Missed(Box<Call>),
    /// This call goes without the cache.
    Bypassed,
}

/// Renders the key and looks where the store is in this process.
pub(crate) fn open(
    asked: &Asked<'_>,
    handle: Handle<'_>,
    condition: bool,
    take: &mut Take<'_>,
    lifetime: &mut Lifetime<'_>,
) -> Opening {
    handle.with(|cache| {
        let inner = cache.inner();
        if !condition || !inner.enabled {
            return Opening::Bypassed;
        }
        let opening = asked.with_key(cache, |key, shown| {
            let here = inner.store.here(&inner.clock, asked.site.info.options.near);
            if let Some((store, now)) = here
                && let Some(hit) = store.get(key, now)
                && take(hit.payload, hit.version)
            {
                asked.hit(cache, key, shown);
                return Opening::Answered;
            }
            Opening::Missed(Box::new(asked.call(cache, key, lifetime())))
        });
        opening.unwrap_or(Opening::Bypassed)
    })
}

impl Asked<'_> {
    /// Renders the key, and says with it whether somebody listens to this call's events. `None`, logged and counted, where an
    /// argument's `Serialize` or `Display` fails.
    #[inline]
    pub(crate) fn with_key<T>(
        &self,
        cache: &Cache,
        use_it: impl FnOnce(&str, bool) -> T,
    ) -> Option<T> {
        with_rendering(|rendering| {
            let shown = events::wanted(self.site.info.debug);
            if shown {
                rendering.with_parts_shown();
            }
            if let Some(reason) = self.site.render(rendering, self.instance, self.write) {
                self.unrendered(cache, &reason);
                return None;
            }
            if shown {
                self.show(cache, rendering);
            }
            Some(use_it(&rendering.text, shown))
        })
    }

    #[cold]
    fn unrendered(&self, cache: &Cache, reason: &str) {
        let counters = &cache.inner().counters;
        counters.add(self.site.number(), Counter::Errors, 1);
        events::error(self.site.info.function, self.site.info.template, &reason);
    }

    #[cold]
    fn show(&self, cache: &Cache, rendering: &Rendering) {
        let key = cache.full_key(&rendering.text);
        events::call(self.site.into(), &rendering.shown_parts(), &key);
    }

    /// Counts a hit, and shows it where somebody listens.
    #[inline]
    pub(crate) fn hit(&self, cache: &Cache, key: &str, shown: bool) {
        cache.inner().counters.hit(self.site.number());
        if shown {
            events::hit(self.site.into(), &cache.full_key(key));
        }
    }

    /// What is known of a call that has to go on.
    #[cold]
    pub(crate) fn call(&self, cache: &Cache, key: &str, computed: Option<Duration>) -> Call {
        let info = &self.site.info;
        let ttl = match info.ttl {
            Ttl::Fixed(ttl) => Some(ttl),
            Ttl::Preset(name) => cache.preset(name),
            Ttl::Default | Ttl::Computed => computed,
        };
        Call {
            cache: cache.clone(),
            origin: self.site.into(),
            key: key.into(),
            version: info.version,
            cache_none: info.cache_none,
            options: info.options,
            ttl,
            refresh: false,
            due: None,
            blocking: false,
        }
    }
}
