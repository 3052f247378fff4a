//! Where in a value something is, and how deep. A serializer and a deserializer that follow the same value count the
//! same places, so what one wrote can be set against what the other asks for.

/// How many levels of a value, or of an argument, are followed. Each element, field, entry, `Some` and newtype is one.
///
/// Reading one level of MessagePack takes over 4 kB of stack in a build without optimization, so this many take a
/// quarter of a thread's 2 MiB. It is also how deep `serde_json` reads.
pub(crate) const DEEPEST: u32 = 128;

/// A place within a value, as a digest of the way there.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Place(u64);

impl Place {
    /// The value itself.
    pub(crate) const ROOT: Self = Self(0x51_7C_C1_B7_27_22_0A_95);

    fn step(self, step: u64) -> Self {
        let mixed = (self.0 ^ step).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        Self(mixed ^ (mixed >> 29))
    }

    /// The element, or key, with this index.
    pub(crate) fn element(self, index: u32) -> Self {
        self.step(u64::from(index) << 2 | 1)
    }

    /// The field, or the value of the entry, with this index.
    pub(crate) fn value(self, index: u32) -> Self {
        self.step(u64::from(index) << 2 | 2)
    }

    /// What an enum's variant holds.
    pub(crate) fn variant(self) -> Self {
        self.step(3)
    }
}
