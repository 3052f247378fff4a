//! All call sites of the program, numbered.

use std::collections::HashMap;

use super::{AuditRate, ReadSite, WriteSite};
use crate::sync::LazyLock;

/// A call site, as an attribute submits it at link time.
#[derive(Clone, Copy, Debug)]
pub enum Registered {
    /// A call site of `#[cacheable]`.
    Read(&'static ReadSite),
    /// A call site of `#[invalidate]`.
    Write(&'static WriteSite),
    /// A call site of `#[write_through]`.
    WriteThrough(&'static ReadSite),
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
            Self::Read(site) | Self::WriteThrough(site) => site.info.position(),
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

/// Return the functions with `owner`.
pub(crate) fn owned() -> Vec<&'static ReadSite> {
    let sites = inventory::iter::<Registered>.into_iter();
    let reads = sites.filter_map(|site| match site {
        Registered::Read(site) => Some(*site),
        _ => None,
    });
    reads.filter(|site| site.info.owner.is_some()).collect()
}

/// Return the function that reads a template of this shape and either has several entries for one
/// path, or keeps an account of its owners, if there is one. A write-through can't replace all of
/// the entries, and knows no owner.
pub(crate) fn variants_of(shape: &str) -> Option<&'static str> {
    static VARYING: LazyLock<HashMap<&'static str, &'static str>> = LazyLock::new(|| {
        let varying = |site: &Registered| match site {
            Registered::Read(site) if site.info.varies || site.info.owner.is_some() => {
                Some((site.info.shape, site.info.function))
            }
            _ => None,
        };
        let sites = inventory::iter::<Registered>.into_iter();
        sites.filter_map(varying).collect()
    });
    VARYING.get(shape).copied()
}

/// Return the count of numbers in use.
pub(crate) fn numbers() -> usize {
    POSITIONS.0.len() + 1
}

/// Return the source positions by number, starting at 1.
pub(crate) fn positions() -> &'static [SourcePosition] {
    &POSITIONS.0
}

/// Roles of the functions of one number.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Roles {
    /// `#[cacheable]`.
    pub(crate) reads: bool,
    /// `#[invalidate]` or `#[write_through]`.
    pub(crate) writes: bool,
    /// `#[cacheable(audit)]`.
    pub(crate) audits: bool,
}

impl Roles {
    pub(crate) const ALL: Self = Self {
        reads: true,
        writes: true,
        audits: true,
    };

    /// Return what either of two functions does.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            reads: self.reads || other.reads,
            writes: self.writes || other.writes,
            audits: self.audits || other.audits,
        }
    }
}

/// Return the roles by number, starting at 1.
pub(crate) fn roles() -> &'static [Roles] {
    static ROLES: LazyLock<Vec<Roles>> = LazyLock::new(|| {
        let mut roles = vec![Roles::default(); POSITIONS.0.len()];
        for site in inventory::iter::<Registered>
            .into_iter()
            .filter(|site| counted(site))
        {
            if let Some(at) = number(site.position()).checked_sub(1) {
                roles[at].reads |= matches!(site, Registered::Read(_));
                roles[at].writes |= !matches!(site, Registered::Read(_));
                roles[at].audits |=
                    matches!(site, Registered::Read(site) if site.info.audit != AuditRate::Never);
            }
        }
        roles
    });
    &ROLES
}

/// Return the number of a function. A companion has its function's position and so shares its
/// number; an unregistered position counts as explicit.
pub(crate) fn number(position: SourcePosition) -> usize {
    POSITIONS.1.get(&position).copied().unwrap_or(EXPLICIT)
}
