//! All call sites of the program, numbered.

use std::collections::HashMap;

use super::{ReadSite, WriteSite};
use crate::sync::LazyLock;

/// A call site, as an attribute submits it at link time.
#[derive(Clone, Copy, Debug)]
pub enum Registered {
    /// A call site of `#[cacheable]`.
    Read(&'static ReadSite),
    /// A call site of `#[invalidate]`.
    Write(&'static WriteSite),
    /// A struct with `#[derive(CacheModel)]`. It is called by nobody, so it has no counters.
    Model(&'static WriteSite),
}

inventory::collect!(Registered);

/// The number of the handle's explicit operations.
pub(crate) const EXPLICIT: usize = 0;

/// The source position of a function.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct SourcePosition {
    pub(crate) module: &'static str,
    pub(crate) file: &'static str,
    pub(crate) line: u32,
    pub(crate) function: &'static str,
}

impl Registered {
    pub(crate) fn position(self) -> SourcePosition {
        match self {
            Self::Read(site) => site.info.position(),
            Self::Write(site) | Self::Model(site) => site.info.position(),
        }
    }
}

/// Whether a call site has counters.
fn counted(site: &Registered) -> bool {
    !matches!(site, Registered::Model(_))
}

/// Return every call site, ordered by source position.
pub(crate) fn all() -> Vec<Registered> {
    let mut all: Vec<Registered> = inventory::iter::<Registered>.into_iter().copied().collect();
    all.sort_by_key(|site| site.position());
    all
}

static POSITIONS: LazyLock<(Vec<SourcePosition>, HashMap<SourcePosition, usize>)> =
    LazyLock::new(|| {
        let mut positions: Vec<SourcePosition> = all()
            .into_iter()
            .filter(counted)
            .map(Registered::position)
            .collect();
        positions.dedup();
        let numbers = positions
            .iter()
            .enumerate()
            .map(|(at, position)| (*position, at + 1))
            .collect();
        (positions, numbers)
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
    POSITIONS.0.len() + 1
}

/// Return the source positions by number, starting at 1.
pub(crate) fn positions() -> &'static [SourcePosition] {
    &POSITIONS.0
}

/// Return the number of a function. A companion has its function's position and so shares its
/// number; an unregistered position counts as explicit.
pub(crate) fn number(position: SourcePosition) -> usize {
    POSITIONS.1.get(&position).copied().unwrap_or(EXPLICIT)
}
