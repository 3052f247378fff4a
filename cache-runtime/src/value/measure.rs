//! Measurement of a value before it is stored: its approximate size, the parts that a positional
//! codec would lose, and a digest of everything serde shows. The digest tells whether the value
//! survives being written and read.

use std::collections::HashMap;
use std::fmt;

use serde::ser::{self, Serialize};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::path::{MAX_DEPTH, ValuePath};

/// Result of measuring a value.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Measure {
    /// The bytes of its texts and numbers, and eight for each length.
    pub(crate) bytes: usize,
    /// A field was left out (`skip_serializing_if`): a positional codec would read the next one in
    /// its place.
    pub(crate) skips_fields: bool,
    /// A `Some` contains a `None` or a `()`: a self-describing codec writes the same nil for both.
    pub(crate) nests_nil: bool,
    /// Name and number of fields of the structs in it.
    pub(crate) structs: Vec<(&'static str, usize)>,
    /// Digest that is equal for values that serde shows alike. Elements of sequences and entries of
    /// maps count in any order, since a `HashMap` iterates in a different order after it is read
    /// back.
    pub(crate) digest: u64,
    /// The value nests deeper than [`MAX_DEPTH`]; the measurement ended there.
    pub(crate) too_deep: bool,
    mode: Mode,
    details: Details,
}

/// Amount of information to collect.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
enum Mode {
    /// Size only.
    Weigh,
    /// Also the facts that codecs need.
    Measure,
    /// Also the digest.
    #[default]
    Digest,
    /// Everything.
    Detail,
}

/// Details that explain a difference between two values.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Details {
    /// Struct, field and digest, inner structs first.
    fields: Vec<(&'static str, &'static str, u64)>,
    /// The structs that were written, by place.
    shown: HashMap<ValuePath, WrittenFields>,
    /// The enums of which a variant without content was written, by place.
    variants: HashMap<ValuePath, &'static str>,
}

/// The fields of one struct as they were written.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct WrittenFields {
    pub(crate) name: &'static str,
    /// Includes fields that `skip_serializing_if` left out this time.
    pub(crate) fields: Vec<&'static str>,
}

/// Limit on fields and structs recorded per value: its other elements are of the same types.
const MAX_DETAILS: usize = 10_000;

impl Details {
    /// Return the struct that was written at this place.
    pub(crate) fn shown(&self, place: ValuePath) -> Option<&WrittenFields> {
        self.shown.get(&place)
    }

    /// Return whether the struct at this place is an enum that writes its variant's name as its
    /// first field (`tag` and `content`). A variant without content has no second field.
    pub(crate) fn is_tagged(&self, place: ValuePath) -> bool {
        let name = self.shown.get(&place).map(|shown| shown.name);
        name.is_some() && self.variants.get(&place.value(0)).copied() == name
    }

    /// Return the innermost field, with its struct, that differs from `other`.
    pub(crate) fn difference(&self, other: &Self) -> Option<(&'static str, &'static str)> {
        let pairs = self.fields.iter().zip(&other.fields);
        let mut differing = pairs.filter(|(one, other)| one != other);
        let (one, other) = differing.next()?;
        ((one.0, one.1) == (other.0, other.1)).then_some((one.0, one.1))
    }
}

/// Measure `value`, with its digest if requested, or return the error of its `Serialize`.
pub(crate) fn measure<T: Serialize + ?Sized>(
    value: &T,
    digest: bool,
) -> Result<Measure, MeasureError> {
    traverse(value, if digest { Mode::Digest } else { Mode::Measure })
}

/// Collect the details of `value`, to explain a difference.
pub(crate) fn details<T: Serialize + ?Sized>(value: &T) -> Details {
    traverse(value, Mode::Detail).map_or_else(|_| Details::default(), |measure| measure.details)
}

/// Return the approximate size of `value` in bytes; 0 if its `Serialize` failed, `None` if it nests
/// too deep.
pub(crate) fn weigh<T: Serialize + ?Sized>(value: &T) -> Option<usize> {
    match traverse(value, Mode::Weigh) {
        Ok(measure) => Some(measure.bytes),
        Err(refused) => (!refused.too_deep).then_some(0),
    }
}

fn traverse<T: Serialize + ?Sized>(value: &T, mode: Mode) -> Result<Measure, MeasureError> {
    let mut measure = Measure {
        mode,
        ..Measure::default()
    };
    let shown = value.serialize(Measurer {
        measure: &mut measure,
        in_some: false,
        depth: 0,
        place: ValuePath::ROOT,
    });
    match shown {
        _ if measure.too_deep => Err(MeasureError {
            message: String::new(),
            too_deep: true,
        }),
        Ok(digest) => {
            measure.digest = digest;
            Ok(measure)
        }
        Err(refused) => Err(refused),
    }
}

/// A user's `Serialize` failed, or the value nests too deep.
#[derive(Debug)]
pub(crate) struct MeasureError {
    message: String,
    /// Set by the measurement itself, even if the user's code replaced the error.
    pub(crate) too_deep: bool,
}

impl fmt::Display for MeasureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
impl std::error::Error for MeasureError {}
impl ser::Error for MeasureError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self {
            message: message.to_string(),
            too_deep: false,
        }
    }
}

/// Tags of the kinds that serde distinguishes, so that a text differs from the same bytes.
mod tag {
    pub(super) const BOOL: u64 = 1;
    pub(super) const INTEGER: u64 = 2;
    pub(super) const FLOAT: u64 = 3;
    pub(super) const CHAR: u64 = 4;
    pub(super) const STR: u64 = 5;
    pub(super) const BYTES: u64 = 6;
    pub(super) const NIL: u64 = 7;
    pub(super) const SOME: u64 = 8;
    pub(super) const VARIANT: u64 = 9;
    pub(super) const MANY: u64 = 10;
    pub(super) const FIELDS: u64 = 11;
    pub(super) const LEFT_OUT: u64 = 12;
}

/// Combine two digests; the order matters.
fn mix(one: u64, other: u64) -> u64 {
    let one = u128::from(one ^ 0x9E37_79B9_7F4A_7C15);
    let product = one.wrapping_mul(u128::from(other ^ 0xD1B5_4A32_D192_ED03));
    (product as u64 ^ (product >> 64) as u64).rotate_left(23) ^ other
}

/// Digest a number by its value: `5i64` may come back as `5u64` if a type accepts both.
fn integer(value: i128) -> u64 {
    mix(mix(tag::INTEGER, value as u64), (value >> 64) as u64)
}

fn float(value: f64) -> u64 {
    // All NaNs are equivalent.
    let bits = if value.is_nan() { f64::NAN } else { value }.to_bits();
    mix(tag::FLOAT, bits)
}

struct Measurer<'a> {
    measure: &'a mut Measure,
    in_some: bool,
    depth: u32,
    place: ValuePath,
}

impl<'a> Measurer<'a> {
    #[inline]
    fn add(self, bytes: usize, digest: impl FnOnce() -> u64) -> Result<u64, MeasureError> {
        self.measure.bytes += bytes;
        Ok(self.measure.digest(digest))
    }

    fn nil(self) -> Result<u64, MeasureError> {
        self.measure.nests_nil |= self.in_some;
        self.add(1, || tag::NIL)
    }

    /// Return a measurement of an inner value, one level deeper.
    fn within(self, in_some: bool, place: ValuePath) -> Result<Self, MeasureError> {
        Ok(Measurer {
            depth: self.measure.deeper(self.depth)?,
            measure: self.measure,
            in_some,
            place,
        })
    }

    fn compound(self, unordered: bool) -> MeasuredParts<'a> {
        self.measure.bytes += 8;
        let tag = if unordered { tag::MANY } else { tag::FIELDS };
        MeasuredParts {
            unordered,
            ..self.parts("", tag)
        }
    }

    fn fields(
        mut self,
        name: &'static str,
        length: usize,
        variant: Option<u32>,
    ) -> MeasuredParts<'a> {
        let mut digest = tag::FIELDS;
        if let Some(index) = variant {
            self.place = self.place.variant();
            digest = mix(tag::VARIANT, index.into());
        }
        let measure = &mut *self.measure;
        if measure.mode != Mode::Weigh && !measure.structs.contains(&(name, length)) {
            measure.structs.push((name, length));
        }
        if measure.mode == Mode::Detail && measure.details.shown.len() < MAX_DETAILS {
            let shown = WrittenFields {
                name,
                fields: Vec::new(),
            };
            measure.details.shown.insert(self.place, shown);
        }
        self.parts(name, digest)
    }

    fn parts(self, name: &'static str, digest: u64) -> MeasuredParts<'a> {
        MeasuredParts {
            measure: self.measure,
            depth: self.depth,
            place: self.place,
            name,
            unordered: false,
            digest,
            count: 0,
            key: 0,
        }
    }
}

impl Measure {
    #[inline]
    fn digest(&self, digest: impl FnOnce() -> u64) -> u64 {
        if self.mode < Mode::Digest {
            0
        } else {
            digest()
        }
    }

    // Inlined like the other small steps: what is generic is compiled in the user's crate, and would
    // call them there for each field.
    #[inline]
    fn deeper(&mut self, depth: u32) -> Result<u32, MeasureError> {
        match depth {
            MAX_DEPTH => Err(self.refuse_depth()),
            _ => Ok(depth + 1),
        }
    }

    #[cold]
    fn refuse_depth(&mut self) -> MeasureError {
        self.too_deep = true;
        MeasureError {
            message: format!("it is nested more than {MAX_DEPTH} levels deep"),
            too_deep: true,
        }
    }
}

macro_rules! sized {
    ($($method:ident($type:ty) = |$value:ident| $digest:expr;)*) => {$(
        fn $method(self, $value: $type) -> Result<u64, MeasureError> {
            self.add(size_of::<$type>(), || $digest)
        }
    )*};
}

impl<'a> ser::Serializer for Measurer<'a> {
    type Ok = u64;
    type Error = MeasureError;
    type SerializeSeq = MeasuredParts<'a>;
    type SerializeTuple = MeasuredParts<'a>;
    type SerializeTupleStruct = MeasuredParts<'a>;
    type SerializeTupleVariant = MeasuredParts<'a>;
    type SerializeMap = MeasuredParts<'a>;
    type SerializeStruct = MeasuredParts<'a>;
    type SerializeStructVariant = MeasuredParts<'a>;

    sized! {
        serialize_bool(bool) = |value| mix(tag::BOOL, value.into());
        serialize_i8(i8) = |value| integer(value.into());
        serialize_i16(i16) = |value| integer(value.into());
        serialize_i32(i32) = |value| integer(value.into());
        serialize_i64(i64) = |value| integer(value.into());
        serialize_i128(i128) = |value| integer(value);
        serialize_u8(u8) = |value| integer(value.into());
        serialize_u16(u16) = |value| integer(value.into());
        serialize_u32(u32) = |value| integer(value.into());
        serialize_u64(u64) = |value| integer(value.into());
        serialize_u128(u128) = |value| mix(integer(value as i128), u64::from(value > i128::MAX as u128));
        serialize_f32(f32) = |value| float(value.into());
        serialize_f64(f64) = |value| float(value);
        serialize_char(char) = |value| mix(tag::CHAR, u32::from(value).into());
    }
    fn serialize_str(self, value: &str) -> Result<u64, MeasureError> {
        self.add(8 + value.len(), || {
            xxh3_64_with_seed(value.as_bytes(), tag::STR)
        })
    }
    fn serialize_bytes(self, value: &[u8]) -> Result<u64, MeasureError> {
        self.add(8 + value.len(), || xxh3_64_with_seed(value, tag::BYTES))
    }
    fn serialize_none(self) -> Result<u64, MeasureError> {
        self.nil()
    }
    fn serialize_unit(self) -> Result<u64, MeasureError> {
        self.nil()
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<u64, MeasureError> {
        self.nil()
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<u64, MeasureError> {
        self.measure.bytes += 1;
        let place = self.place;
        let within = value.serialize(self.within(true, place)?)?;
        Ok(mix(tag::SOME, within))
    }
    fn serialize_unit_variant(
        self,
        name: &'static str,
        index: u32,
        _: &'static str,
    ) -> Result<u64, MeasureError> {
        if self.measure.mode == Mode::Detail && self.measure.details.variants.len() < MAX_DETAILS {
            self.measure.details.variants.insert(self.place, name);
        }
        self.add(4, || mix(tag::VARIANT, index.into()))
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<u64, MeasureError> {
        let (in_some, place) = (self.in_some, self.place);
        value.serialize(self.within(in_some, place)?)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        value: &T,
    ) -> Result<u64, MeasureError> {
        self.measure.bytes += 4;
        let place = self.place.variant();
        let within = value.serialize(self.within(false, place)?)?;
        Ok(mix(mix(tag::VARIANT, index.into()), within))
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<MeasuredParts<'a>, MeasureError> {
        Ok(self.compound(true))
    }
    fn serialize_tuple(self, _: usize) -> Result<MeasuredParts<'a>, MeasureError> {
        Ok(self.compound(false))
    }
    fn serialize_tuple_struct(
        self,
        name: &'static str,
        length: usize,
    ) -> Result<MeasuredParts<'a>, MeasureError> {
        Ok(self.fields(name, length, None))
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<MeasuredParts<'a>, MeasureError> {
        Ok(self.fields(variant, length, Some(index)))
    }
    fn serialize_map(self, _: Option<usize>) -> Result<MeasuredParts<'a>, MeasureError> {
        Ok(self.compound(true))
    }
    fn serialize_struct(
        self,
        name: &'static str,
        length: usize,
    ) -> Result<MeasuredParts<'a>, MeasureError> {
        Ok(self.fields(name, length, None))
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<MeasuredParts<'a>, MeasureError> {
        Ok(self.fields(variant, length, Some(index)))
    }
    fn is_human_readable(&self) -> bool {
        false
    }
}

/// The elements, entries or fields of a compound value.
struct MeasuredParts<'a> {
    measure: &'a mut Measure,
    depth: u32,
    place: ValuePath,
    /// Name of the struct or variant.
    name: &'static str,
    unordered: bool,
    digest: u64,
    /// Number of parts so far.
    count: u32,
    /// The digest of the key whose value comes next.
    key: u64,
}

impl MeasuredParts<'_> {
    fn traverse<T: Serialize + ?Sized>(
        &mut self,
        value: &T,
        place: ValuePath,
    ) -> Result<u64, MeasureError> {
        value.serialize(Measurer {
            depth: self.measure.deeper(self.depth)?,
            measure: self.measure,
            in_some: false,
            place,
        })
    }

    #[inline]
    fn count(&mut self, digest: u64) {
        self.count = self.count.wrapping_add(1);
        if self.measure.mode >= Mode::Digest {
            self.add_digest(digest);
        }
    }

    fn add_digest(&mut self, digest: u64) {
        self.digest = match self.unordered {
            true => self.digest.wrapping_add(mix(tag::MANY, digest)),
            false => mix(self.digest, digest),
        };
    }

    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), MeasureError> {
        let digest = self.traverse(value, self.place.element(self.count))?;
        self.count(digest);
        Ok(())
    }

    fn field<T: Serialize + ?Sized>(
        &mut self,
        field: &'static str,
        value: &T,
    ) -> Result<(), MeasureError> {
        self.show(field);
        let digest = self.traverse(value, self.place.value(self.count))?;
        self.count(digest);
        let details = &mut self.measure.details;
        if self.measure.mode == Mode::Detail && details.fields.len() < MAX_DETAILS {
            details.fields.push((self.name, field, digest));
        }
        Ok(())
    }

    fn skip(&mut self, field: &'static str) {
        self.show(field);
        self.measure.skips_fields = true;
        self.digest = mix(self.digest, tag::LEFT_OUT);
    }

    #[inline]
    fn show(&mut self, field: &'static str) {
        if self.measure.mode == Mode::Detail {
            self.note_field(field);
        }
    }

    #[cold]
    fn note_field(&mut self, field: &'static str) {
        if let Some(shown) = self.measure.details.shown.get_mut(&self.place) {
            shown.fields.push(field);
        }
    }

    fn finish(self) -> u64 {
        mix(self.digest, self.count.into())
    }
}

macro_rules! parts {
    ($($trait:ident.$method:ident,)*) => {$(
        impl ser::$trait for MeasuredParts<'_> {
            type Ok = u64;
            type Error = MeasureError;
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), MeasureError> {
                self.element(value)
            }
            fn end(self) -> Result<u64, MeasureError> {
                Ok(self.finish())
            }
        }
    )*};
}
parts! {
    SerializeSeq.serialize_element, SerializeTuple.serialize_element,
    SerializeTupleStruct.serialize_field, SerializeTupleVariant.serialize_field,
}

macro_rules! named_parts {
    ($($trait:ident,)*) => {$(
        impl ser::$trait for MeasuredParts<'_> {
            type Ok = u64;
            type Error = MeasureError;
            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                field: &'static str,
                value: &T,
            ) -> Result<(), MeasureError> {
                self.field(field, value)
            }
            fn skip_field(&mut self, field: &'static str) -> Result<(), MeasureError> {
                self.skip(field);
                Ok(())
            }
            fn end(self) -> Result<u64, MeasureError> {
                Ok(self.finish())
            }
        }
    )*};
}
named_parts! { SerializeStruct, SerializeStructVariant, }

impl ser::SerializeMap for MeasuredParts<'_> {
    type Ok = u64;
    type Error = MeasureError;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), MeasureError> {
        self.key = self.traverse(key, self.place.element(self.count))?;
        Ok(())
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), MeasureError> {
        let value = self.traverse(value, self.place.value(self.count))?;
        self.count(mix(self.key, value));
        Ok(())
    }
    fn end(self) -> Result<u64, MeasureError> {
        Ok(self.finish())
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;

    fn measure<T: Serialize + ?Sized>(value: &T) -> Result<Measure, MeasureError> {
        super::measure(value, true)
    }

    #[derive(Serialize)]
    struct Sparse {
        id: u32,
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<&'static str>,
    }

    #[test]
    fn skipped_fields_and_nested_nones_are_detected() {
        let full = measure(&Sparse {
            id: 1,
            note: Some("x"),
        })
        .expect("measures");
        assert!(!full.skips_fields);
        assert_eq!(full.structs, [("Sparse", 2)]);
        assert!(
            measure(&Sparse { id: 1, note: None })
                .expect("measures")
                .skips_fields
        );
        assert!(measure(&Some(None::<u8>)).expect("measures").nests_nil);
        assert!(!measure(&Some(1u8)).expect("measures").nests_nil);
        assert_eq!(measure("four").expect("measures").bytes, 12);
    }

    #[test]
    fn the_digest_distinguishes_values_and_ignores_the_order_of_sets() {
        let digest =
            |value: &dyn Fn() -> Result<Measure, MeasureError>| value().expect("measures").digest;
        macro_rules! digests {
            ($($value:expr),* $(,)?) => { [$(digest(&|| measure(&$value))),*] };
        }
        let all = digests![
            0u8,
            1u8,
            -1i8,
            true,
            'a',
            "a",
            0.0,
            1.0,
            -0.0,
            (),
            Some(0u8),
            Some(Some(0u8)),
            [0u8; 0],
            [0u8],
            [0u8; 2],
            (1, 2),
            (2, 1),
            vec![1, 2],
            vec![vec![1], vec![2]],
            vec![vec![1, 2]],
            vec!["1", "2"],
            Ok::<u8, u8>(0),
            Err::<u8, u8>(0),
            u128::MAX,
            i128::MAX,
            i128::MIN,
            std::collections::BTreeMap::from([(1, 2)]),
            std::collections::BTreeMap::from([(2, 1)]),
            Sparse { id: 1, note: None },
            Sparse {
                id: 1,
                note: Some("")
            },
        ];
        for (at, one) in all.iter().enumerate() {
            assert!(!all[..at].contains(one), "number {at}");
        }
        let [one, other] = digests![vec![1, 2, 3], vec![3, 1, 2]];
        assert_eq!(one, other);
        let [one, other] = digests![5i64, 5u8];
        assert_eq!(one, other);
    }

    #[test]
    fn a_measurement_stops_at_the_depth_limit() {
        #[derive(Serialize)]
        struct List(Option<Box<List>>);
        let list = |length| (1..length).fold(List(None), |list, _| List(Some(Box::new(list))));
        assert!(measure(&list(MAX_DEPTH / 2)).is_ok());
        assert!(measure(&list(MAX_DEPTH / 2 + 2)).is_err_and(|refused| refused.too_deep));
        assert_eq!(weigh(&list(MAX_DEPTH)), None);
    }
}
