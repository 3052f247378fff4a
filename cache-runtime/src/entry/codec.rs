//! The codecs of this build. Each has a number that entries carry, so a build reads the entries of
//! another build if it has the codec, and treats them as misses otherwise.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::bounded::{self, RequestLog};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Encoding of stored values.
///
/// Entries record their codec, so caches of different codecs read each other's entries; a build
/// that lacks an entry's codec computes the value and overwrites it.
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
    /// Compact: values without names, fields in order. Values it can't carry are stored as
    /// MessagePack.
    #[cfg(feature = "bincode")]
    Bincode,
    /// Compact too, and smaller in most cases. Values it can't carry are stored as MessagePack.
    #[cfg(feature = "postcard")]
    Postcard,
    /// With names, so that other programs can read it. Every value is read back once when it is
    /// stored, since inspecting a value doesn't tell whether names suffice for it. A nested
    /// `Option` is stored with a compact codec.
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

/// Return the codec with this number, if the build has it.
pub(super) fn by_id(id: u8) -> Option<Codec> {
    ALL.iter().copied().find(|codec| codec.id() == id)
}

impl Codec {
    /// Return the codec of this name, if the build has it.
    pub(crate) fn by_name(name: &str) -> Option<Self> {
        let mut codecs = ALL.iter().copied();
        codecs.find(|codec| codec.name().eq_ignore_ascii_case(name))
    }

    /// Return the names of the codecs of this build.
    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        ALL.iter().map(|codec| codec.name())
    }

    const fn name(self) -> &'static str {
        match self {
            #[cfg(feature = "bincode")]
            Self::Bincode => "bincode",
            #[cfg(feature = "postcard")]
            Self::Postcard => "postcard",
            Self::MessagePack => "messagepack",
        }
    }

    /// Return the codecs in the order in which they are tried: this one, then the self-describing
    /// one for values that this one can't carry, then the others.
    pub(super) fn and_fallbacks(self) -> impl Iterator<Item = Self> {
        let others = ALL.iter().copied();
        let others = others.filter(move |other| *other != self && *other != Self::MessagePack);
        let describing = (self != Self::MessagePack).then_some(Self::MessagePack);
        [self].into_iter().chain(describing).chain(others)
    }

    /// Return whether its bytes contain field names and kinds; the other codecs are positional.
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

    /// Append the value's bytes.
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

    /// Read a value that must consume all bytes.
    pub(super) fn decode<T: DeserializeOwned>(self, bytes: &[u8]) -> Result<T, BoxError> {
        self.decode_watched(bytes, None)
    }

    /// Read a value that must consume all bytes, and record the structs that the type requests.
    pub(super) fn decode_watched<T: DeserializeOwned>(
        self,
        bytes: &[u8],
        watch: Option<&RequestLog>,
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

    /// Maximum size of a Redis string. A larger (corrupt) length is refused before allocation.
    const MAX_BYTES: usize = 512 * 1024 * 1024;
    const CONFIG: Configuration<LittleEndian, Varint, Limit<MAX_BYTES>> =
        ::bincode::config::standard().with_limit::<MAX_BYTES>();

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
        watch: Option<&RequestLog>,
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
            Err("unread bytes remain".into())
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
        watch: Option<&RequestLog>,
    ) -> Result<T, BoxError> {
        let mut deserializer = ::postcard::Deserializer::from_bytes(bytes);
        let value = bounded::deserialize(&mut deserializer, bytes.len(), watch)?;
        let rest = deserializer.finalize()?;
        if rest.is_empty() {
            Ok(value)
        } else {
            Err("unread bytes remain".into())
        }
    }
}

mod message_pack {
    //! "Human readable" in serde's sense: values that serde buffers (`untagged`, `tag`, `flatten`)
    //! are read back as if from text, so an address in them must have been written as text.

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
        watch: Option<&RequestLog>,
    ) -> Result<T, BoxError> {
        let mut rest = bytes;
        let mut deserializer = rmp_serde::Deserializer::new(&mut rest).with_human_readable();
        let value = bounded::deserialize(&mut deserializer, bytes.len(), watch)?;
        if rest.is_empty() {
            Ok(value)
        } else {
            Err("unread bytes remain".into())
        }
    }
}
