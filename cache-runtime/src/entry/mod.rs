//! An entry's bytes: a fixed header, then the value as its codec wrote it, optionally compressed.
//!
//! Only self-consistent bytes are read: format, codec, the type's shape and a checksum must agree,
//! otherwise the bytes are a miss. The token is at a fixed offset, so that a script in the store
//! can compare and replace it.

pub(crate) mod age;
mod any_value;
mod bounded;
mod codec;
mod compression;
pub(crate) mod fingerprint;
mod header;
pub(crate) mod inspect;
mod negative;
mod options;
pub(crate) mod payload;
mod round_trip;

use std::any::type_name;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::error::CacheError;
use crate::value::Settable;
use crate::value::measure::{MeasureError, measure};
use crate::value::path::MAX_DEPTH;
pub use any_value::AnyValue;
pub use codec::Codec;
use fingerprint::TypeFacts;
use header::Form;
pub(crate) use header::{EntryKind, Facts, HEADER_BYTES, Header, inspect};
#[cfg(feature = "redis")]
pub(crate) use header::{layout, set_owner};
pub(crate) use negative::{encode_error, read_error};
pub(crate) use options::Encoding;
pub(crate) use round_trip::{Equal, incomparable};
use round_trip::{Failed, RoundTrip};

/// An encoded entry, shared: as read or written, without a copy.
pub(crate) type Bytes = Arc<Vec<u8>>;

/// Encode a value: by the requested codec if that is safe, otherwise by another; compressed if that
/// is enabled and helps. A value that is too large, nests too deep or doesn't survive the round
/// trip is refused.
pub(crate) fn encode<T: Settable + ?Sized>(
    value: &T,
    facts: &Facts,
    encoding: &Encoding,
    equal: Equal<T>,
) -> Result<Encoded<T::Owned>, CacheError> {
    let shape = fingerprint::of::<T::Owned>();
    let measure = measure(value, !shape.std_only).map_err(unmeasured)?;
    // The number of fields written equals the number read. It is unknown if two types share a name
    // and differ in length.
    let known = |&(name, length): &(&str, usize)| {
        let mut namesakes = shape
            .structs
            .iter()
            .filter(|known| known.0 == name)
            .peekable();
        namesakes.peek().is_some() && namesakes.all(|known| known.1 == length)
    };
    let positional = shape.complete && !measure.skips_fields && measure.structs.iter().all(known);
    let trip = RoundTrip {
        value,
        measure: &measure,
        shape,
        equal,
        // If as many fields are read as are written, none is missing.
        watched: !positional,
    };
    let mut out = header::room(measure.bytes);
    let (mut cause, mut changed) = (None, None);
    for codec in encoding.codec.and_fallbacks() {
        out.truncate(HEADER_BYTES);
        // A codec can't carry every value: a positional one writes `Some(None)` correctly and a
        // struct with a field left out incorrectly, and a self-describing one the other way round.
        // Differences that the measurement can't detect are found by reading the value back.
        let fits = if codec.is_self_describing() {
            !measure.nests_nil
        } else {
            positional
        };
        if !fits {
            continue;
        }
        if let Err(error) = codec.encode(value, &mut out) {
            cause = Some(error);
            continue;
        }
        encoding.check_value(out.len() - HEADER_BYTES)?;
        if shape.std_only && shape.plain && !codec.is_self_describing() {
            let bytes = finish(out, codec, shape, facts, encoding)?;
            return Ok(Encoded {
                bytes,
                read_back: None,
            });
        }
        match trip.back(codec, &out[HEADER_BYTES..]) {
            Ok(read) => {
                let bytes = finish(out, codec, shape, facts, encoding)?;
                return Ok(Encoded {
                    bytes,
                    read_back: Some(read),
                });
            }
            Err(Failed::Unreadable(error)) => cause = Some(error),
            // Another codec may carry it: a type can write itself differently to each.
            Err(Failed::Changed(reason)) => changed = changed.or(Some(reason)),
        }
    }
    if let Some(reason) = changed {
        return Err(CacheError::Changed {
            type_name: type_name::<T>(),
            reason,
        });
    }
    Err(cause.map_or_else(
        || refused("none of the codecs in this build can store an `Option` within an `Option` together with skipped fields"),
        refused,
    ))
}

/// An entry, and its value as readers will get it, if it was read back.
#[derive(Debug)]
pub(crate) struct Encoded<T> {
    pub(crate) bytes: Vec<u8>,
    /// Memory keeps the value itself, or the bytes alone.
    #[cfg_attr(
        not(feature = "redis"),
        expect(dead_code, reason = "for the near cache")
    )]
    pub(crate) read_back: Option<T>,
}

/// Apply limits, compression and header to the value that a codec wrote. The value's limit applies
/// to the codec's output, so that it doesn't depend on how well the value compresses.
fn finish(
    mut entry: Vec<u8>,
    codec: Codec,
    shape: &TypeFacts,
    facts: &Facts,
    encoding: &Encoding,
) -> Result<Vec<u8>, CacheError> {
    let mut form = Form::of(codec);
    if encoding.compresses(&entry) {
        form.compression = compression::compress(&mut entry, HEADER_BYTES);
    }
    encoding.check_entry(entry.len())?;
    Ok(header::seal(entry, form, shape, facts))
}

/// Return the entry of a cached `None`.
#[cfg(any(test, feature = "redis"))]
pub(crate) fn nothing<T: DeserializeOwned + 'static>(facts: &Facts) -> Vec<u8> {
    let facts = Facts {
        kind: EntryKind::Nothing,
        ..*facts
    };
    header::seal(
        header::room(0),
        Form::of(Codec::default()),
        fingerprint::of::<T>(),
        &facts,
    )
}

/// The purpose of a lease.
#[cfg(feature = "redis")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum LeasePurpose {
    /// A computation of the entry: other callers wait for it.
    Read = 0,
    /// A write-through: other callers run uncached.
    Write = 1,
    /// A write-through that has met another one, and can't fill.
    ContestedWrite = 2,
}

/// Return a lease: the right to fill an entry, stored at the entry's key.
#[cfg(feature = "redis")]
pub(crate) fn lease(token: u64, purpose: LeasePurpose) -> Vec<u8> {
    let facts = Facts {
        kind: EntryKind::Lease,
        token,
        ..Facts::default()
    };
    let form = Form {
        codec: purpose as u8,
        ..Form::default()
    };
    header::seal(header::room(0), form, &TypeFacts::default(), &facts)
}

/// Return whether these are the bytes of a write-through's lease.
#[cfg(feature = "redis")]
pub(crate) fn is_write_lease(bytes: &[u8]) -> bool {
    let is_lease = bytes.starts_with(header::LEASE_START);
    is_lease && bytes.get(layout::CODEC) != Some(&(LeasePurpose::Read as u8))
}

/// Set the token of an entry's fill. The checksum doesn't cover it.
#[cfg(feature = "redis")]
pub(crate) fn set_token(entry: &mut [u8], token: u64) {
    if let Some(place) = entry.get_mut(layout::TOKEN..layout::TOKEN + 8) {
        place.copy_from_slice(&token.to_le_bytes());
    }
}

/// Return whether bytes with this start are an entry and not a lease.
#[cfg(feature = "redis")]
pub(crate) fn holds_value(start: &[u8]) -> bool {
    start.len() == 3 && start[..2] == header::LEASE_START[..2] && start != header::LEASE_START
}

/// Return how many milliseconds before its expiry the entry turns stale; 0 for never, and for bytes
/// that aren't an entry.
#[cfg(feature = "redis")]
pub(crate) fn grace(bytes: &[u8]) -> u64 {
    inspect(bytes).map_or(0, |header| header.grace)
}

/// Decoded content of an entry.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum CachedValue<T> {
    Value(T),
    None,
}

/// Return the value of an entry, if the bytes are an entry of this type (and of `version`, if
/// given).
pub(crate) fn read<T: DeserializeOwned + 'static>(
    bytes: &[u8],
    version: Option<u32>,
) -> Option<CachedValue<T>> {
    let header = inspect(bytes)?;
    let ours = version.is_none_or(|version| version == header.version)
        && header.fingerprint == fingerprint::of::<T>().fingerprint
        && header.checksum == header::checksum(bytes);
    if !ours {
        return None;
    }
    match header.kind {
        EntryKind::Lease | EntryKind::Error => None,
        EntryKind::Nothing => Some(CachedValue::None),
        EntryKind::Value => value_of(&header, bytes).map(CachedValue::Value),
    }
}

/// [`read`] for an entry in a buffer of its own, which long byte strings of the value share.
pub(crate) fn read_whole<T: DeserializeOwned + 'static>(
    bytes: &Bytes,
    version: Option<u32>,
) -> Option<CachedValue<T>> {
    sharing(bytes, || read(bytes, version))
}

#[cfg(feature = "bytes")]
use crate::shared_bytes::while_decoding as sharing;

/// Without the feature, no value shares anything.
#[cfg(not(feature = "bytes"))]
fn sharing<T>(_: &Bytes, decode: impl FnOnce() -> T) -> T {
    decode()
}

/// Decode the value behind a header. Check the checksum first: damaged bytes are never expanded.
fn value_of<T: DeserializeOwned>(header: &Header, bytes: &[u8]) -> Option<T> {
    let codec = codec::by_id(header.codec)?;
    let end = bytes.len().checked_sub(header.owner_bytes)?;
    let value = compression::expand(header.compression, bytes.get(HEADER_BYTES..end)?)?;
    codec.decode(&value).ok()
}

/// Return the value alone.
pub(crate) fn decode<T: DeserializeOwned + 'static>(
    bytes: &[u8],
    version: Option<u32>,
) -> Option<T> {
    value_only(read(bytes, version)?)
}

/// [`decode`] for an entry in a buffer of its own.
pub(crate) fn decode_whole<T: DeserializeOwned + 'static>(
    bytes: &Bytes,
    version: Option<u32>,
) -> Option<T> {
    value_only(read_whole(bytes, version)?)
}

fn value_only<T>(found: CachedValue<T>) -> Option<T> {
    match found {
        CachedValue::Value(value) => Some(value),
        CachedValue::None => None,
    }
}

fn unmeasured(error: MeasureError) -> CacheError {
    if error.too_deep {
        return CacheError::TooDeep {
            limit: MAX_DEPTH as usize,
        };
    }
    refused(error)
}

fn refused(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> CacheError {
    CacheError::Encode {
        source: Arc::from(error.into()),
    }
}

#[cfg(test)]
mod tests;
