//! An entry's bytes for a reader that doesn't know the value's type.

use std::borrow::Cow;

use serde::de::DeserializeOwned;

use super::header::{self, Header};
use super::{Codec, HEADER_BYTES, codec, compression};

/// Return the name of an entry's codec.
pub(crate) fn codec_name(header: &Header) -> &'static str {
    match header.codec {
        1 => "bincode",
        2 => "postcard",
        3 => "messagepack",
        _ => "unknown",
    }
}

/// Return the name of an entry's compression, if it is compressed.
pub(crate) fn compression_name(header: &Header) -> Option<&'static str> {
    match header.compression {
        0 => None,
        1 => Some("lz4"),
        2 => Some("zstd"),
        _ => Some("unknown"),
    }
}

/// Whether the checksum agrees with the bytes. `header` is theirs.
pub(crate) fn is_intact(header: &Header, bytes: &[u8]) -> bool {
    header.checksum == header::checksum(bytes)
}

/// Return the text of the owner.
pub(crate) fn owner<'b>(header: &Header, bytes: &'b [u8]) -> Option<Cow<'b, str>> {
    let start = bytes.len().checked_sub(header.owner_bytes)?;
    let text = bytes.get(start.max(HEADER_BYTES)..)?;
    (!text.is_empty()).then(|| String::from_utf8_lossy(text))
}

/// Return the value as its codec wrote it. `None` if the bytes are damaged, or this build lacks the
/// compression.
pub(crate) fn expanded<'b>(header: &Header, bytes: &'b [u8]) -> Option<Cow<'b, [u8]>> {
    if !is_intact(header, bytes) {
        return None;
    }
    let end = bytes.len().checked_sub(header.owner_bytes)?;
    compression::expand(header.compression, bytes.get(HEADER_BYTES..end)?)
}

/// Decode a value of unknown type, if its codec describes it.
pub(crate) fn described<T: DeserializeOwned>(header: &Header, bytes: &[u8]) -> Option<T> {
    let codec = codec::by_id(header.codec).filter(|codec| *codec == Codec::MessagePack)?;
    codec.decode(&expanded(header, bytes)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::{Encoding, Facts, encode, incomparable, inspect};

    #[test]
    fn numbers_and_names_of_codecs_agree() {
        for name in Codec::names() {
            let codec = Codec::by_name(name).expect("it is a codec of this build");
            let encoding = Encoding {
                codec,
                ..Encoding::default()
            };
            let bytes = encode(&7, &Facts::default(), &encoding, incomparable)
                .expect("a number is encoded")
                .bytes;
            let header = inspect(&bytes).expect("it is an entry");
            assert_eq!(codec_name(&header), name);
            let seven = described::<u64>(&header, &bytes);
            assert_eq!(seven, (codec == Codec::MessagePack).then_some(7));
        }
    }

    #[test]
    fn damaged_bytes_have_no_value() {
        let encoding = Encoding {
            codec: Codec::MessagePack,
            ..Encoding::default()
        };
        let mut bytes = encode("text", &Facts::default(), &encoding, incomparable)
            .expect("a text is encoded")
            .bytes;
        *bytes.last_mut().expect("it has bytes") ^= 1;
        let header = inspect(&bytes).expect("the header is unchanged");
        assert!(!is_intact(&header, &bytes));
        assert_eq!(expanded(&header, &bytes), None);
    }
}
