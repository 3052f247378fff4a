//! Position and depth within a value. A serializer and a deserializer that follow the same value
//! compute the same places, so the fields that one wrote can be compared with those that the other
//! requests.

/// Number of levels that are followed in a value, or in an argument. Each element, field, entry,
/// `Some` and newtype is one.
///
/// Reading one level of MessagePack takes over 4 kB of stack in a build without optimization, so
/// this limit takes a quarter of a thread's 2 MiB. `serde_json` has the same limit.
pub(crate) const MAX_DEPTH: u32 = 128;

/// A place within a value, as a digest of the path to it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct ValuePath(u64);

impl ValuePath {
    /// The value itself.
    pub(crate) const ROOT: Self = Self(0x51_7C_C1_B7_27_22_0A_95);

    #[inline]
    fn step(self, step: u64) -> Self {
        let mixed = (self.0 ^ step).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        Self(mixed ^ (mixed >> 29))
    }

    /// Return the place of the element, or key, with this index.
    #[inline]
    pub(crate) fn element(self, index: u32) -> Self {
        self.step(u64::from(index) << 2 | 1)
    }

    /// Return the place of the field, or the value of the entry, with this index.
    #[inline]
    pub(crate) fn value(self, index: u32) -> Self {
        self.step(u64::from(index) << 2 | 2)
    }

    /// Return the place of the content of an enum's variant.
    pub(crate) fn variant(self) -> Self {
        self.step(3)
    }
}
