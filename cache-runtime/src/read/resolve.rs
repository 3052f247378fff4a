//! What a call that goes on comes to before its body may run: the value, or who computes it. Compiled once for each stored type.

use std::sync::Arc;

use crate::entry::Found;
use crate::read::call::{Call, Step};
use crate::read::future::{Before, Leading};
use crate::read::lookup::{State, fits};
#[cfg(feature = "redis")]
use crate::read::run::weight;
use crate::value::Storable;
use crate::value::payload::Payload;

impl<T: Storable> State<T> {
    /// What there is to know before the body runs, where nothing is to be waited for.
    pub(crate) fn settled_at_once(self, none: bool) -> Result<Before<T>, Box<Call>> {
        let call = match self {
            Self::Hit(found) => return Ok(Before::Found(found)),
            Self::Bypass => return Ok(Before::Body(None)),
            Self::Leading(leading) => return Ok(Before::Body(Some(leading))),
            Self::Pending(call) => call,
        };
        let mut found = None;
        let step = call.approach_at_once(&mut call.accept(none, &mut found));
        match step {
            Some(step) => Ok(call.before(step, found)),
            None => Err(call),
        }
    }
}

impl Call {
    /// Finds the value, or the lead; neither: the body runs by itself. `none`: a `None` is a value too.
    ///
    /// Cancel safe: what was begun is given back when dropped.
    pub(crate) async fn settle<T: Storable>(self: Box<Self>, none: bool) -> Before<T> {
        let mut found = None;
        let step = self.approach_for(none, &mut found).await;
        self.before(step, found)
    }

    fn before<T>(self: Box<Self>, step: Step, found: Option<Found<Arc<T>>>) -> Before<T> {
        match step {
            Step::Lead(lead) => Before::Body(Some(Leading::new(self, lead))),
            // A refresh is for functions that name one.
            _ => found.map_or(Before::Body(None), Before::Found),
        }
    }

    /// Takes what a function that stores a `T` can use.
    fn accept<T: Storable>(
        &self,
        none: bool,
        found: &mut Option<Found<Arc<T>>>,
    ) -> impl FnMut(&Payload, u32) -> bool + Send {
        move |payload, entry_version| {
            *found = payload
                .share(entry_version, self.version)
                .filter(|found| fits(found, none));
            found.is_some()
        }
    }

    /// The next step of a call that stores a `T`.
    pub(crate) async fn approach_for<T: Storable>(
        &self,
        none: bool,
        found: &mut Option<Found<Arc<T>>>,
    ) -> Step {
        let step = self.approach(&mut self.accept(none, found)).await;
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
