//! Whether a value survives being written and read.
//!
//! serde lets a type write something different from what it reads: `skip`, `skip_serializing`,
//! `skip_deserializing`, a `serialize_with` that masks a secret. So the codec's output is read back
//! and checked in three ways:
//!
//! * Both values are serialized, and their digests must be equal. This finds fields that are
//!   written and not read, and most forms that are written in one way and read in another.
//! * The names that a struct wrote are compared with those that it requested when it was read. This
//!   finds fields that are read and never written, which take their defaults.
//! * Both values are compared, if the type is `PartialEq`. This finds fields that serde neither
//!   writes nor reads.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Codec;
use super::bounded::{RequestLog, RequestedFields};
use super::fingerprint::TypeFacts;
use crate::value::Settable;
use crate::value::measure::{Details, Measure, details, measure};

/// Comparison of a value with the one that was read back; `None` if the type can't be compared.
pub(crate) type Equal<T> = fn(&T, &<T as Settable>::Owned) -> Option<bool>;

/// Comparison for types that aren't known to be `PartialEq`.
pub(crate) fn incomparable<T: ?Sized, U>(_: &T, _: &U) -> Option<bool> {
    None
}

/// A value that is about to be written and read back.
pub(super) struct RoundTrip<'a, T: Settable + ?Sized> {
    pub(super) value: &'a T,
    pub(super) measure: &'a Measure,
    pub(super) shape: &'a TypeFacts,
    pub(super) equal: Equal<T>,
    /// Whether names are compared.
    pub(super) watched: bool,
}

/// Reason why a value doesn't survive.
pub(super) enum Failed {
    Unreadable(Box<dyn std::error::Error + Send + Sync>),
    Changed(String),
}

impl<T: Settable + ?Sized> RoundTrip<'_, T> {
    /// Read the bytes back, and return the result if it equals the value.
    pub(super) fn back(&self, codec: Codec, bytes: &[u8]) -> Result<T::Owned, Failed> {
        let watch = RequestLog::default();
        let read = codec
            .decode_watched::<T::Owned>(bytes, self.watched.then_some(&watch))
            .map_err(Failed::Unreadable)?;
        if !self.shape.std_only {
            self.compare(&read, watch.into_inner())
                .map_err(Failed::Changed)?;
        }
        Ok(read)
    }

    fn compare(&self, read: &T::Owned, asked: Vec<RequestedFields>) -> Result<(), String> {
        if !self.is_shown_alike(read) {
            return Err(describe_difference(self.value, read));
        }
        let equal = (self.equal)(self.value, read);
        if !asked.is_empty() {
            let written = details(self.value);
            for asked in asked {
                self.check_names(&written, asked, equal)?;
            }
        }
        if equal == Some(false) {
            return Err(
                "the value read back isn't equal (`PartialEq`) to the value written: a field has \
                 `#[serde(skip)]`, or a `serialize_with` that loses part of its value"
                    .to_owned(),
            );
        }
        Ok(())
    }

    fn is_shown_alike(&self, read: &T::Owned) -> bool {
        measure(read, true).is_ok_and(|read| read.digest == self.measure.digest)
    }

    /// Find a field that is read and not written.
    fn check_names(
        &self,
        written: &Details,
        asked: RequestedFields,
        equal: Option<bool>,
    ) -> Result<(), String> {
        // A type that is written as one struct and read as another (`from`, `into`) has no
        // comparable names.
        let Some(shown) = written
            .shown(asked.place)
            .filter(|shown| asked.name.is_none_or(|name| name == shown.name))
            .filter(|_| !written.is_tagged(asked.place))
        else {
            return Ok(());
        };
        let is_missing = |name: &&&str| !shown.fields.contains(*name);
        let Some(missing) = asked.fields.iter().find(is_missing) else {
            return Ok(());
        };
        let written = asked.fields.len() - asked.fields.iter().filter(is_missing).count();
        let mut lengths = self.shape.fields.iter();
        // Aliases are names of one field.
        let is_lost = match lengths.find(|(names, _)| *names == asked.fields) {
            Some(&(_, length)) => written < length,
            None => equal != Some(true),
        };
        if !is_lost {
            return Ok(());
        }
        Err(format!(
            "the field `{missing}` of `{}` is read but never written (`skip_serializing`), so it would get its default value",
            shown.name
        ))
    }
}

/// Return where serde's views of both values differ.
fn describe_difference<T: Serialize + ?Sized, U: DeserializeOwned + Serialize>(
    value: &T,
    read: &U,
) -> String {
    match details(value).difference(&details(read)) {
        Some((name, field)) => format!(
            "the field `{field}` of `{name}` isn't read back as it was written \
             (`skip_deserializing`, or a `serialize_with` without its `deserialize_with`)"
        ),
        None => "serde doesn't read the value back as it was written".to_owned(),
    }
}
