//! A digest of a value as serde shows it that doesn't depend on the order of its sequences.
//!
//! A `HashSet` is written as a sequence, in an order that differs from one set to an equal one. Where
//! its type has no `PartialEq`, two values that differ only in the order of sequences can't be told
//! from equal ones.

use serde::ser::{self, Serialize};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::key::canonical::SerializeError;

/// Return the digest; `None` if the value's `Serialize` fails. The caller has bounded its depth.
pub(super) fn digest<T: Serialize>(value: &T) -> Option<u64> {
    value.serialize(Unordered).ok()
}

#[rustfmt::skip]
mod kind {
    pub(super) const BOOL: u64 = 1; pub(super) const SIGNED: u64 = 2; pub(super) const UNSIGNED: u64 = 3;
    pub(super) const F32: u64 = 4; pub(super) const F64: u64 = 5; pub(super) const CHAR: u64 = 6;
    pub(super) const STR: u64 = 7; pub(super) const BYTES: u64 = 8; pub(super) const NONE: u64 = 9;
    pub(super) const SOME: u64 = 10; pub(super) const UNIT: u64 = 11; pub(super) const NAMED: u64 = 12;
    pub(super) const VARIANT: u64 = 13; pub(super) const SEQ: u64 = 14; pub(super) const TUPLE: u64 = 15;
    pub(super) const MAP: u64 = 16; pub(super) const STRUCT: u64 = 17;
}

fn leaf(kind: u64, bytes: &[u8]) -> u64 {
    xxh3_64_with_seed(bytes, kind)
}

fn pair(one: u64, other: u64) -> u64 {
    let mut both = [0; 16];
    both[..8].copy_from_slice(&one.to_le_bytes());
    both[8..].copy_from_slice(&other.to_le_bytes());
    xxh3_64(&both)
}

fn variant(name: &str, index: u32) -> u64 {
    pair(
        leaf(kind::VARIANT, name.as_bytes()),
        leaf(kind::VARIANT, &index.to_le_bytes()),
    )
}

struct Unordered;

macro_rules! leaves {
    ($($method:ident($type:ty) = $kind:ident as $wide:ty;)*) => {$(
        fn $method(self, value: $type) -> Result<u64, SerializeError> {
            Ok(leaf(kind::$kind, &<$wide>::from(value).to_le_bytes()))
        }
    )*};
}

impl ser::Serializer for Unordered {
    type Ok = u64;
    type Error = SerializeError;
    type SerializeSeq = Parts;
    type SerializeTuple = Parts;
    type SerializeTupleStruct = Parts;
    type SerializeTupleVariant = Parts;
    type SerializeMap = Parts;
    type SerializeStruct = Parts;
    type SerializeStructVariant = Parts;

    leaves! {
        serialize_bool(bool) = BOOL as u8; serialize_char(char) = CHAR as u32;
        serialize_i8(i8) = SIGNED as i128; serialize_i16(i16) = SIGNED as i128;
        serialize_i32(i32) = SIGNED as i128; serialize_i64(i64) = SIGNED as i128;
        serialize_i128(i128) = SIGNED as i128;
        serialize_u8(u8) = UNSIGNED as u128; serialize_u16(u16) = UNSIGNED as u128;
        serialize_u32(u32) = UNSIGNED as u128; serialize_u64(u64) = UNSIGNED as u128;
        serialize_u128(u128) = UNSIGNED as u128;
        serialize_f32(f32) = F32 as f32; serialize_f64(f64) = F64 as f64;
    }

    fn serialize_str(self, value: &str) -> Result<u64, SerializeError> {
        Ok(leaf(kind::STR, value.as_bytes()))
    }
    fn serialize_bytes(self, value: &[u8]) -> Result<u64, SerializeError> {
        Ok(leaf(kind::BYTES, value))
    }
    fn serialize_none(self) -> Result<u64, SerializeError> {
        Ok(leaf(kind::NONE, &[]))
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<u64, SerializeError> {
        Ok(pair(kind::SOME, value.serialize(self)?))
    }
    fn serialize_unit(self) -> Result<u64, SerializeError> {
        Ok(leaf(kind::UNIT, &[]))
    }
    fn serialize_unit_struct(self, name: &'static str) -> Result<u64, SerializeError> {
        Ok(leaf(kind::NAMED, name.as_bytes()))
    }
    fn serialize_unit_variant(
        self,
        name: &'static str,
        index: u32,
        _: &'static str,
    ) -> Result<u64, SerializeError> {
        Ok(variant(name, index))
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<u64, SerializeError> {
        Ok(pair(
            leaf(kind::NAMED, name.as_bytes()),
            value.serialize(self)?,
        ))
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        _: &'static str,
        value: &T,
    ) -> Result<u64, SerializeError> {
        Ok(pair(variant(name, index), value.serialize(self)?))
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<Parts, SerializeError> {
        Ok(Parts::unordered(kind::SEQ))
    }
    fn serialize_tuple(self, _: usize) -> Result<Parts, SerializeError> {
        Ok(Parts::ordered(kind::TUPLE))
    }
    fn serialize_tuple_struct(self, name: &'static str, _: usize) -> Result<Parts, SerializeError> {
        Ok(Parts::ordered(leaf(kind::TUPLE, name.as_bytes())))
    }
    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Parts, SerializeError> {
        Ok(Parts::ordered(variant(name, index)))
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Parts, SerializeError> {
        Ok(Parts::unordered(kind::MAP))
    }
    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Parts, SerializeError> {
        Ok(Parts::ordered(leaf(kind::STRUCT, name.as_bytes())))
    }
    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Parts, SerializeError> {
        Ok(Parts::ordered(variant(name, index)))
    }
    fn is_human_readable(&self) -> bool {
        false
    }
}

/// The parts of a value.
struct Parts {
    kind: u64,
    is_ordered: bool,
    digest: u64,
    count: u64,
    /// The digest of a map's key.
    key: u64,
}

impl Parts {
    fn ordered(kind: u64) -> Self {
        Self {
            kind,
            is_ordered: true,
            digest: 0,
            count: 0,
            key: 0,
        }
    }

    fn unordered(kind: u64) -> Self {
        Self {
            is_ordered: false,
            ..Self::ordered(kind)
        }
    }

    fn push(&mut self, part: u64) {
        self.count += 1;
        self.digest = match self.is_ordered {
            true => pair(self.digest, part),
            false => self.digest.wrapping_add(pair(self.kind, part)),
        };
    }

    fn add<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), SerializeError> {
        self.push(value.serialize(Unordered)?);
        Ok(())
    }

    fn named<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), SerializeError> {
        let name = leaf(kind::NAMED, name.as_bytes());
        self.push(pair(name, value.serialize(Unordered)?));
        Ok(())
    }

    fn finish(&self) -> u64 {
        pair(pair(self.kind, self.count), self.digest)
    }
}

macro_rules! parts {
    ($($trait:ident.$method:ident($($name:ident: $type:ty)?) = $add:ident,)*) => {$(
        impl ser::$trait for Parts {
            type Ok = u64;
            type Error = SerializeError;
            fn $method<T: Serialize + ?Sized>(
                &mut self,
                $($name: $type,)?
                value: &T,
            ) -> Result<(), SerializeError> {
                self.$add($($name,)? value)
            }
            fn end(self) -> Result<u64, SerializeError> {
                Ok(self.finish())
            }
        }
    )*};
}

parts! {
    SerializeSeq.serialize_element() = add,
    SerializeTuple.serialize_element() = add,
    SerializeTupleStruct.serialize_field() = add,
    SerializeTupleVariant.serialize_field() = add,
    SerializeStruct.serialize_field(name: &'static str) = named,
    SerializeStructVariant.serialize_field(name: &'static str) = named,
}

impl ser::SerializeMap for Parts {
    type Ok = u64;
    type Error = SerializeError;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), SerializeError> {
        self.key = key.serialize(Unordered)?;
        Ok(())
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), SerializeError> {
        self.push(pair(self.key, value.serialize(Unordered)?));
        Ok(())
    }
    fn end(self) -> Result<u64, SerializeError> {
        Ok(self.finish())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap, HashSet};

    use super::digest;

    #[test]
    fn the_order_of_a_sequence_and_of_a_map_does_not_matter_and_its_content_does() {
        assert_eq!(digest(&[1, 2, 3].as_slice()), digest(&vec![3, 1, 2]));
        let sets: [HashSet<u32>; 2] = [(0..50).collect(), (0..50).rev().collect()];
        assert_eq!(digest(&sets[0]), digest(&sets[1]));
        let map: HashMap<u32, &str> = [(1, "a"), (2, "b")].into();
        let sorted: BTreeMap<u32, &str> = [(2, "b"), (1, "a")].into();
        assert_eq!(digest(&map), digest(&sorted));
        let differing: Vec<Option<u64>> = vec![
            digest(&vec![1, 2]),
            digest(&vec![1, 2, 2]),
            digest(&vec![1, 1, 2]),
            digest(&vec![vec![1], vec![2]]),
            digest(&vec![vec![1, 2]]),
            digest(&(1, 2)),
            digest(&(2, 1)),
            digest(&Some(1)),
            digest(&None::<u32>),
            digest(&"1"),
            digest(&1_u8),
            digest(&1_i8),
            digest(&HashMap::from([(1, "b"), (2, "a")])),
            digest(&map),
        ];
        let distinct: HashSet<&Option<u64>> = differing.iter().collect();
        assert_eq!(distinct.len(), differing.len());
    }
}
