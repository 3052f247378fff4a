//! `owner = ..`: whose entry a call asks for.

use std::sync::Arc;

use crate::core::owners::is_somebody;
use crate::current::Handle;
use crate::key::writer::{Rendered, with_rendering};
use crate::read::lookup::{Lookup, LookupState};
use crate::site::ReadSite;
use crate::stats::Counter;
use crate::value::shape::Cached;

impl<R: Cached<S>, S> Lookup<R, S> {
    /// Count a hit for its owner, and let a call that goes on know whose entry it is. A call whose
    /// owner can't be written bypasses the cache: its entry couldn't be found by the owner.
    pub fn owned(self, site: &ReadSite, handle: Handle<'_>, of: Rendered<'_>) -> Self {
        let state = match self.state {
            LookupState::Pending(mut call) => match known(site, handle, of) {
                Ok(owner) => {
                    call.owner = owner;
                    LookupState::Pending(call)
                }
                Err(Unknown) => LookupState::Bypass,
            },
            LookupState::Hit(found) => match count_hit(site, handle, of) {
                Ok(()) => LookupState::Hit(found),
                Err(Unknown) => LookupState::Bypass,
            },
            other => other,
        };
        Self::new(state)
    }
}

/// The owner's `Display` failed, or the context doesn't have it. Logged and counted.
struct Unknown;

fn known(
    site: &ReadSite,
    handle: Handle<'_>,
    of: Rendered<'_>,
) -> Result<Option<Arc<str>>, Unknown> {
    with_text(site, handle, of, |text| {
        is_somebody(text).then(|| Arc::from(text))
    })
}

fn count_hit(site: &ReadSite, handle: Handle<'_>, of: Rendered<'_>) -> Result<(), Unknown> {
    with_text(site, handle, of, |text| {
        let first = || site.info.first_call();
        if is_somebody(text) {
            handle.lend_to_read(first, |cache| cache.count_owner(text, true));
        }
    })
}

fn with_text<T>(
    site: &ReadSite,
    handle: Handle<'_>,
    of: Rendered<'_>,
    use_it: impl FnOnce(&str) -> T,
) -> Result<T, Unknown> {
    with_rendering(|rendering| {
        of.render(&mut rendering.writer());
        if !rendering.failed() {
            return Ok(use_it(&rendering.text.to_str()));
        }
        let reason = rendering.failure.take().unwrap_or_default();
        let first = || site.info.first_call();
        handle.lend_to_read(first, |cache| {
            let counters = &cache.inner().counters;
            counters.add(site.number(), Counter::NoKey, 1);
            cache.log_no_key(site.into(), site.info.template, &reason);
        });
        Err(Unknown)
    })
}
