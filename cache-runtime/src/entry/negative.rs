//! The entry of a cached error. Its fingerprint is that of the error's type together with the type
//! of the function's values, so another function's error under the same key is a miss.

use serde::Serialize;
use serde::de::DeserializeOwned;
use xxhash_rust::xxh3::xxh3_64;

use super::{
    CacheError, Encoded, Encoding, EntryKind, Facts, encode, fingerprint, header, incomparable,
    inspect, value_of,
};

/// Encode an error of a function whose values are a `T`.
pub(crate) fn encode_error<T, X>(
    error: &X,
    facts: &Facts,
    encoding: &Encoding,
) -> Result<Encoded<X>, CacheError>
where
    T: DeserializeOwned + 'static,
    X: Serialize + DeserializeOwned + 'static,
{
    let facts = Facts {
        kind: EntryKind::Error,
        ..*facts
    };
    let mut encoded = encode(error, &facts, encoding, incomparable)?;
    header::set_fingerprint(&mut encoded.bytes, shape_of::<T, X>());
    Ok(encoded)
}

/// Return the error of an entry, if the bytes are such an entry of these types and this version.
pub(crate) fn read_error<T, X>(bytes: &[u8], version: u32) -> Option<X>
where
    T: DeserializeOwned + 'static,
    X: DeserializeOwned + 'static,
{
    let header = inspect(bytes)?;
    let ours = header.kind == EntryKind::Error
        && header.version == version
        && header.fingerprint == shape_of::<T, X>()
        && header.checksum == header::checksum(bytes);
    if !ours {
        return None;
    }
    value_of(&header, bytes)
}

fn shape_of<T, X>() -> u64
where
    T: DeserializeOwned + 'static,
    X: DeserializeOwned + 'static,
{
    let of_value = fingerprint::of::<T>().fingerprint;
    let of_error = fingerprint::of::<X>().fingerprint;
    let mut both = [0; 16];
    both[..8].copy_from_slice(&of_value.to_le_bytes());
    both[8..].copy_from_slice(&of_error.to_le_bytes());
    xxh3_64(&both)
}

#[cfg(test)]
mod tests {
    use super::{encode_error, read_error};
    use crate::entry::{self, Encoding, Facts};

    #[test]
    fn an_error_is_read_by_its_own_function_only() {
        let facts = Facts {
            version: 3,
            ..Facts::default()
        };
        let error = "gone".to_owned();
        let encoded = encode_error::<u32, _>(&error, &facts, &Encoding::default());
        let bytes = encoded.expect("it is stored").bytes;
        assert_eq!(read_error::<u32, String>(&bytes, 3), Some(error));
        assert_eq!(read_error::<u32, String>(&bytes, 4), None);
        assert_eq!(read_error::<u64, String>(&bytes, 3), None);
        assert_eq!(read_error::<u32, u64>(&bytes, 3), None);
        assert!(entry::read::<String>(&bytes, Some(3)).is_none());
        let mut damaged = bytes.clone();
        let last = damaged.len() - 1;
        damaged[last] ^= 1;
        assert_eq!(read_error::<u32, String>(&damaged, 3), None);
        let value = entry::encode(
            &"gone".to_owned(),
            &facts,
            &Encoding::default(),
            entry::incomparable,
        );
        let value = value.expect("it is stored").bytes;
        assert_eq!(read_error::<String, String>(&value, 3), None);
    }

    /// Stored bytes are read by other builds.
    #[test]
    #[cfg(feature = "bincode")]
    fn the_kind_is_pinned() {
        let encoded = encode_error::<u32, _>(&7_u8, &Facts::default(), &Encoding::default());
        let bytes = encoded.expect("it is stored").bytes;
        assert_eq!(bytes[..3], [0xCA, 2, 3]);
        #[cfg(feature = "redis")]
        assert!(entry::holds_value(&bytes[..3]));
    }
}
