//! The goal of eviction: few misses, or little time spent in computations.

use super::Access;

/// Time in microseconds that a miss takes besides the computation. A value that takes less to
/// compute is hardly cheaper, and one that was stored without being computed has a cost too.
const LOOKUP_MICROS: f32 = 100.0;

/// The goal by which the memory store and the near cache choose the entries that they evict:
/// [`CacheBuilder::eviction`](crate::CacheBuilder::eviction).
///
/// Either policy keeps what is read often or was read recently, and finds by itself which of the
/// two matters more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Eviction {
    /// Have as many hits as possible. All entries count the same, whatever they cost.
    #[default]
    HitRatio,
    /// Spend as little time as possible on computing values. An entry is worth more the longer its
    /// value took to compute, and the fewer bytes it takes. A value that was stored with `set`
    /// counts as one that is cheap to compute.
    ComputeTime,
}

impl Eviction {
    /// Return what a hit on the entry saves, in the unit of the goal.
    pub(super) fn gain(self, access: Access) -> f32 {
        match self {
            Self::HitRatio => 1.0,
            Self::ComputeTime => access.compute_micros as f32 + LOOKUP_MICROS,
        }
    }

    /// Return the gain of a hit for each byte of the entry, or `None` if that doesn't matter.
    pub(super) fn density(self, access: Access) -> Option<f32> {
        let is_weighed = self == Self::ComputeTime;
        is_weighed.then(|| self.gain(access) / access.weight.max(1) as f32)
    }
}
