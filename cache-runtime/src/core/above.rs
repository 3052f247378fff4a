//! State of a cache that belongs to a module above the core, whose types the core can't name.

use std::any::Any;
use std::sync::OnceLock;

/// A place for the state of one such module.
#[derive(Default)]
pub(crate) struct Above(OnceLock<Box<dyn Any + Send + Sync>>);

impl Above {
    /// Return the state, created at the first use.
    pub(crate) fn get<T: Any + Default + Send + Sync>(&self) -> &T {
        let state = self.0.get_or_init(|| Box::new(T::default()));
        state.downcast_ref().expect("one module has this place")
    }
}
