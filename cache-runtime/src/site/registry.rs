//! All call sites of the program, numbered.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::{ReadSite, WriteSite};

/// A call site, as an attribute submits it at link time.
#[derive(Clone, Copy, Debug)]
pub enum Registered {
    /// Of `#[cacheable]`.
    Read(&'static ReadSite),
    /// Of `#[invalidate]`.
    Write(&'static WriteSite),
}

inventory::collect!(Registered);

/// The number of the handle's explicit operations.
pub(crate) const EXPLICIT: usize = 0;

/// Where a function stands.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct Place {
    pub(crate) module: &'static str,
    pub(crate) file: &'static str,
    pub(crate) line: u32,
    pub(crate) function: &'static str,
}

impl Registered {
    pub(crate) fn place(self) -> Place {
        match self {
            Self::Read(site) => site.info.place(),
            Self::Write(site) => site.info.place(),
        }
    }
}

/// Every call site, in the order of its place.
pub(crate) fn all() -> Vec<Registered> {
    let mut all: Vec<Registered> = inventory::iter::<Registered>.into_iter().copied().collect();
    all.sort_by_key(|site| site.place());
    all
}

static PLACES: LazyLock<(Vec<Place>, HashMap<Place, usize>)> = LazyLock::new(|| {
    let mut places: Vec<Place> = all().into_iter().map(Registered::place).collect();
    places.dedup();
    let numbers = places
        .iter()
        .enumerate()
        .map(|(at, place)| (*place, at + 1))
        .collect();
    (places, numbers)
});

/// Whether any function refreshes early, and so asks how long entries took to compute, also those of others that share its keys.
pub(crate) fn any_early() -> bool {
    static ANY: LazyLock<bool> = LazyLock::new(|| {
        let early =
            |site: &Registered| matches!(site, Registered::Read(site) if site.info.options.early);
        inventory::iter::<Registered>.into_iter().any(early)
    });
    *ANY
}

/// How many numbers there are.
pub(crate) fn numbers() -> usize {
    PLACES.0.len() + 1
}

/// The places by number, from 1.
pub(crate) fn places() -> &'static [Place] {
    &PLACES.0
}

/// The number of a function. A companion stands where its function stands and shares its number; what stands
/// nowhere counts as explicit.
pub(crate) fn number(place: Place) -> usize {
    PLACES.1.get(&place).copied().unwrap_or(EXPLICIT)
}
