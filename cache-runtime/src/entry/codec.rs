//! The codecs of this build. Each has a number that entries carry, so a build reads what another wrote if it
//! has the codec, and misses if it hasn't.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::bounded::{self, Watch};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// How stored values are written. Entries say which codec wrote them, so caches of different codecs read each
/// other's entries; a build that lacks an entry's codec computes the value and overwrites it.
///
/// The default is the first of these that the build has.
///
/// ```
/// use cache_runtime::{Cache, Codec};
///
/// let cache = Cache::builder().codec(Codec::MessagePack).build()?;
/// # Ok::<(), cache_runtime::CacheError>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Codec {
    /// Compact: values without names, fields in their order. What it can't carry is MessagePack.
    #[cfg(feature = "bincode")]
    Bincode,
    /// Compact too, and smaller in most cases. What it can't carry is MessagePack.
    #[cfg(feature = "postcard")]
    Postcard,
    /// With names, so that other programs can read it. Every value is read back once when it is stored, since no
    /// look at a value tells whether names suffice for it; an `Option` within an `Option` takes a compact codec.
    MessagePack,
}

impl Default for Codec {
    fn default() -> Self {
        ALL[0]
    }
}

/// The codecs of this build; the first is the default.
const ALL: &[Codec] = &[
    #[cfg(feature = "bincode")]
    Codec::Bincode,
    #[cfg(feature = "postcard")]
    Codec::Postcard,
    Codec::MessagePack,
];

/// The codec with this number, if the build has it.
pub(super) fn by_id(id: u8) -> Option<Codec> {
    ALL.iter().copied().find(|codec| codec.id() == id)
}

impl Codec {
    /// The codecs in the order in which they are tried: this one, the self-describing one for what it can't carry, and
    /// the others, for what that can't carry either.
    pub(super) fn and_fallbacks(self) -> impl Iterator<Item = Self> {
        let others = ALL.iter().copied();
        let others = others.filter(move |other| *other != self && *other != Self::MessagePack);
        let describing = (self != Self::MessagePack).then_some(Self::MessagePack);
        [self].into_iter().chain(describing).chain(others)
    }

    /// Whether its bytes name fields and tell kinds; the others go by position.
    pub(super) fn is_self_describing(self) -> bool {
        self == Self::MessagePack
    }

    pub(super) const fn id(self) -> u8 {
        match self {
            #[cfg(feature = "bincode")]
            Self::Bincode => 1,
            #[cfg(feature = "postcard")]
            Self::Postcard => 2,
            Self::MessagePack => 3,
        }
    }

    /// Appends the value's bytes.
    pub(super) fn encode<T: Serialize + ?Sized>(
        self,
        value: &T,
        out: &mut Vec<u8>,
    ) -> Result<(), BoxError> {
        match self {
            #[cfg(feature = "bincode")]
            Self::Bincode => bincode::encode(value, out),
            #[cfg(feature = "postcard")]
            Self::Postcard => postcard::encode(value, out),
            Self::MessagePack => message_pack::encode(value, out),
        }
    }

    /// Reads a value that must take all the bytes.
    pub(super) fn decode<T: DeserializeOwned>(self, bytes: &[u8]) -> Result<T, BoxError> {
        self.decode_watched(bytes, None)
    }

    /// The same, and notes which structs the type asks for.
    pub(super) fn decode_watched<T: DeserializeOwned>(
        self,
        bytes: &[u8],
        watch: Option<&Watch>,
    ) -> Result<T, BoxError> {
        match self {
            #[cfg(feature = "bincode")]
            Self::Bincode => bincode::decode(bytes, watch),
            #[cfg(feature = "postcard")]
            Self::Postcard => postcard::decode(bytes, watch),
            Self::MessagePack => message_pack::decode(bytes, watch),
        }
    }
}

#[cfg(feature = "bincode")]
mod bincode {
    use std::marker::PhantomData;

    use ::bincode::config::{Configuration, Limit, LittleEndian, Varint};
    use ::bincode::enc::write::Writer;
    use ::bincode::error::EncodeError;

    use super::*;

    /// No value of a Redis string is longer; a corrupt length is refused before it is allocated.
    const LARGEST: usize = 512 * 1024 * 1024;
    const CONFIG: Configuration<LittleEndian, Varint, Limit<LARGEST>> =
        ::bincode::config::standard().with_limit::<LARGEST>();

    struct Append<'a>(&'a mut Vec<u8>);
    impl Writer for Append<'_> {
        fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
            self.0.extend_from_slice(bytes);
            Ok(())
        }
    }

    pub(super) fn encode<T: Serialize + ?Sized>(
        value: &T,
        out: &mut Vec<u8>,
    ) -> Result<(), BoxError> {
        ::bincode::serde::encode_into_writer(value, Append(out), CONFIG)?;
        Ok(())
    }

    pub(super) fn decode<T: DeserializeOwned>(
        bytes: &[u8],
        watch: Option<&Watch>,
    ) -> Result<T, BoxError> {
        let seed = bounded::Seed {
            bytes: bytes.len(),
            watch,
            of: PhantomData,
        };
        let (value, used) = ::bincode::serde::seed_decode_from_slice(seed, bytes, CONFIG)?;
        if used == bytes.len() {
            Ok(value)
        } else {
            Err("bytes are left over".into())
        }
    }
}

#[cfg(feature = "postcard")]
mod postcard {
    use super::*;

    pub(super) fn encode<T: Serialize + ?Sized>(
        value: &T,
        out: &mut Vec<u8>,
    ) -> Result<(), BoxError> {
        let bytes = ::postcard::to_allocvec(value)?;
        out.extend_from_slice(&bytes);
        Ok(())
    }

    pub(super) fn decode<T: DeserializeOwned>(
        bytes: &[u8],
        watch: Option<&Watch>,
    ) -> Result<T, BoxError> {
        let mut deserializer = ::postcard::Deserializer::from_bytes(bytes);
        let value = bounded::deserialize(&mut deserializer, bytes.len(), watch)?;
        let rest = deserializer.finalize()?;
        if rest.is_empty() {
            Ok(value)
        } else {
            Err("bytes are left over".into())
        }
    }
}

mod message_pack {
    //! "Human readable", as serde calls it: what serde buffers (`untagged`, `tag`, `flatten`) it reads back as if
    //! from text, so an address in it must have been written as text.

    use super::*;

    pub(super) fn encode<T: Serialize + ?Sized>(
        value: &T,
        out: &mut Vec<u8>,
    ) -> Result<(), BoxError> {
        let mut serializer = rmp_serde::Serializer::new(out)
            .with_struct_map()
            .with_human_readable();
        value.serialize(&mut serializer)?;
        Ok(())
    }

    pub(super) fn decode<T: DeserializeOwned>(
        bytes: &[u8],
        watch: Option<&Watch>,
    ) -> Result<T, BoxError> {
        let mut rest = bytes;
        let mut deserializer = rmp_serde::Deserializer::new(&mut rest).with_human_readable();
        let value = bounded::deserialize(&mut deserializer, bytes.len(), watch)?;
        if rest.is_empty() {
            Ok(value)
        } else {
            Err("bytes are left over".into())
        }
    }
}
