//! All call sites of the program, numbered.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::{ReadInfo, ReadSite, WriteSite};
use crate::site::identity::declared;

/// A call site, as an attribute submits it at link time.
#[derive(Clone, Copy, Debug)]
pub enum Registered {
    /// A call site of `#[cacheable]`.
    Read(&'static ReadSite),
    /// A call site of `#[invalidate]`.
    Write(&'static WriteSite),
}

inventory::collect!(Registered);

/// The number of the handle's explicit operations.
pub(crate) const EXPLICIT: usize = 0;

/// The source position of a function.
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

/// Return every call site, ordered by source position.
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

/// Return whether any function uses early refresh. If so, compute times are also recorded for
/// entries of other functions, which may share its keys.
pub(crate) fn any_early() -> bool {
    static ANY: LazyLock<bool> = LazyLock::new(|| {
        let early =
            |site: &Registered| matches!(site, Registered::Read(site) if site.info.options.early);
        inventory::iter::<Registered>.into_iter().any(early)
    });
    *ANY
}

/// Return the count of numbers in use.
pub(crate) fn numbers() -> usize {
    PLACES.0.len() + 1
}

/// Return the source positions by number, starting at 1.
pub(crate) fn places() -> &'static [Place] {
    &PLACES.0
}

/// Return the number of a function. A companion has its function's position and so shares its
/// number; an unregistered position counts as explicit.
pub(crate) fn number(place: Place) -> usize {
    PLACES.1.get(&place).copied().unwrap_or(EXPLICIT)
}

/// Source position of a function: its attribute (in a macro, the outermost call) and its name.
type SourcePosition = (&'static str, u32, u32, (u32, u32));

fn source_position(site: &ReadInfo) -> SourcePosition {
    let at = site.at;
    (at.file(), at.line(), at.column(), site.name_at)
}

/// Return the source position of a function without a written key if another such function has the
/// same name. `declared` is its declared name.
///
/// Other keys leave the position out, since it changes whenever a line is added above it.
pub(crate) fn place_among_namesakes(site: &ReadInfo, declared: &str) -> Option<String> {
    static SPOTS: LazyLock<HashMap<String, Vec<SourcePosition>>> = LazyLock::new(|| {
        let mut spots = HashMap::<String, Vec<SourcePosition>>::new();
        for site in inventory::iter::<Registered> {
            if let Registered::Read(site) = site
                && site.info.template.is_empty()
            {
                let of_name = spots.entry(self::declared(&site.info)).or_default();
                let here = source_position(&site.info);
                if !of_name.contains(&here) {
                    of_name.push(here);
                }
            }
        }
        spots.retain(|_, of_name| of_name.len() > 1);
        spots
    });
    SPOTS.get(declared)?;
    let (file, line, column, (name_line, name_column)) = source_position(site);
    Some(format!("{file}:{line}:{column}:{name_line}:{name_column}"))
}
