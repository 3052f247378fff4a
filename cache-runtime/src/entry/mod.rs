//! An entry's bytes: a fixed header, then the value as its codec wrote it.
//!
//! Nothing is read that doesn't say what it is: format, codec, the type's shape and a checksum must agree, or the
//! bytes are a miss. The token stands at a fixed place, so that a script in the store can compare and replace it.

mod bounded;
mod codec;
pub(crate) mod fingerprint;
mod header;

use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::error::CacheError;
use crate::value::Settable;
use crate::value::measure::measure;
use fingerprint::TypeFacts;
#[cfg(feature = "redis")]
pub(crate) use header::TOKEN_OFFSET;
pub(crate) use header::{Facts, HEADER_BYTES, Kind, inspect};

/// An encoded entry, shared.
pub(crate) type Bytes = Arc<[u8]>;

/// Encodes a value: positionally where that is safe, else self-describing.
pub(crate) fn encode<T: Settable + ?Sized>(
    value: &T,
    facts: &Facts,
) -> Result<Vec<u8>, CacheError> {
    let shape = fingerprint::of::<T::Owned>();
    let measure = measure(value).map_err(refused)?;
    // As many fields are written as will be read. Two types of one name and different lengths: no telling.
    let known = |&(name, length): &(&str, usize)| {
        let mut namesakes = shape
            .structs
            .iter()
            .filter(|known| known.0 == name)
            .peekable();
        namesakes.peek().is_some() && namesakes.all(|known| known.1 == length)
    };
    let positional = shape.complete && !measure.skips_fields && measure.structs.iter().all(known);
    let mut out = header::room(measure.bytes);
    let mut cause = None;
    for &(codec, self_describing) in codec::CHOICES {
        out.truncate(HEADER_BYTES);
        // What a codec can't carry it may still write: a positional one writes `Some(None)` rightly and a struct
        // with a field left out wrongly, a self-describing one the other way round. What the look at the
        // value can't tell, reading it back does.
        let fits = if self_describing {
            !measure.nests_nil
        } else {
            positional
        };
        if !fits {
            continue;
        }
        match codec.encode(value, &mut out) {
            Ok(()) if shape.plain && !self_describing => {
                return Ok(header::seal(out, codec.id(), shape, facts));
            }
            Ok(()) => match codec.decode::<T::Owned>(&out[HEADER_BYTES..]) {
                Ok(_) => return Ok(header::seal(out, codec.id(), shape, facts)),
                Err(error) => cause = Some(error),
            },
            Err(error) => cause = Some(error),
        }
    }
    Err(cause.map_or_else(
        || refused("no codec of this build carries an `Option` within an `Option` together with skipped fields"),
        refused,
    ))
}

/// The entry of a `None` that is kept.
pub(crate) fn nothing<T: DeserializeOwned + 'static>(facts: &Facts) -> Vec<u8> {
    let facts = Facts {
        kind: Kind::Nothing,
        ..*facts
    };
    header::seal(
        header::room(0),
        codec::CHOICES[0].0.id(),
        fingerprint::of::<T>(),
        &facts,
    )
}

/// The right to fill an entry, as it stands at the entry's key.
#[cfg(feature = "redis")]
pub(crate) fn lease(token: u64) -> Vec<u8> {
    let facts = Facts {
        kind: Kind::Lease,
        token,
        ..Facts::default()
    };
    header::seal(header::room(0), 0, &TypeFacts::default(), &facts)
}

/// Notes whose fill an entry is. What the checksum covers stays as it is.
#[cfg(feature = "redis")]
pub(crate) fn set_token(entry: &mut [u8], token: u64) {
    if let Some(place) = entry.get_mut(TOKEN_OFFSET..TOKEN_OFFSET + 8) {
        place.copy_from_slice(&token.to_le_bytes());
    }
}

/// How every lease begins, as `GETRANGE key 0 2` shows it: magic, format, kind.
#[cfg(feature = "redis")]
pub(crate) fn start_of_a_lease() -> &'static [u8] {
    header::LEASE_START
}

/// Whether bytes that begin so are an entry and no lease.
#[cfg(feature = "redis")]
pub(crate) fn holds_value(start: &[u8]) -> bool {
    start.len() == 3 && start[..2] == header::LEASE_START[..2] && start != header::LEASE_START
}

/// What an entry turned out to hold.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Found<T> {
    Value(T),
    Nothing,
}

/// The value of an entry, if the bytes are an entry of this type (and version, where one is asked for).
pub(crate) fn read<T: DeserializeOwned + 'static>(
    bytes: &[u8],
    version: Option<u32>,
) -> Option<Found<T>> {
    let header = inspect(bytes)?;
    let body = &bytes[HEADER_BYTES..];
    let ours = version.is_none_or(|version| version == header.version)
        && header.fingerprint == fingerprint::of::<T>().fingerprint
        && header.checksum == header::checksum(bytes);
    if !ours {
        return None;
    }
    match header.kind {
        Kind::Lease => None,
        Kind::Nothing => Some(Found::Nothing),
        Kind::Value => codec::by_id(header.codec)?
            .decode(body)
            .ok()
            .map(Found::Value),
    }
}

/// The value alone.
pub(crate) fn decode<T: DeserializeOwned + 'static>(
    bytes: &[u8],
    version: Option<u32>,
) -> Option<T> {
    match read(bytes, version)? {
        Found::Value(value) => Some(value),
        Found::Nothing => None,
    }
}

fn refused(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> CacheError {
    CacheError::Encode {
        source: Arc::from(error.into()),
    }
}

#[cfg(test)]
mod tests;
