//! The canonical encoding of an argument as serde shows it, for the argument hash.
//!
//! The encoding is injective. Every value begins with a tag of its kind; texts and byte strings
//! carry their length; sequences end with their count, after a tag with which no value begins;
//! structs, variants and fields carry their names; the entries of a map are sorted by their encoded
//! keys. All numbers are little-endian and of fixed width, so the encoding is the same on every
//! platform.

use std::fmt;

use serde::ser::{self, Serialize};

use crate::value::path::MAX_DEPTH;

#[rustfmt::skip]
pub(super) mod tag {
    pub(in crate::key) const BOOL: u8 = 1;
    pub(in crate::key) const I8: u8 = 2;  pub(in crate::key) const I16: u8 = 3;  pub(in crate::key) const I32: u8 = 4;
    pub(in crate::key) const I64: u8 = 5; pub(in crate::key) const I128: u8 = 6;
    pub(in crate::key) const U8: u8 = 7;  pub(in crate::key) const U16: u8 = 8;  pub(in crate::key) const U32: u8 = 9;
    pub(in crate::key) const U64: u8 = 10; pub(in crate::key) const U128: u8 = 11;
    pub(in crate::key) const F32: u8 = 12; pub(in crate::key) const F64: u8 = 13;
    pub(in crate::key) const CHAR: u8 = 14; pub(in crate::key) const STR: u8 = 15; pub(in crate::key) const BYTES: u8 = 16;
    pub(in crate::key) const NONE: u8 = 17; pub(in crate::key) const SOME: u8 = 18; pub(in crate::key) const UNIT: u8 = 19;
    pub(in crate::key) const STRUCT: u8 = 20; pub(in crate::key) const NEWTYPE: u8 = 21; pub(in crate::key) const VARIANT: u8 = 22;
    pub(in crate::key) const SEQ: u8 = 23; pub(in crate::key) const TUPLE: u8 = 24; pub(in crate::key) const MAP: u8 = 25;
    pub(in crate::key) const NAME: u8 = 26;
    /// End tag. No value begins with it.
    pub(in crate::key) const END: u8 = 0;
}

/// A serializer that writes canonical bytes.
#[derive(Debug)]
pub struct Canonical<'a> {
    pub(super) out: &'a mut Vec<u8>,
    /// Number of levels of the argument around this one.
    pub(super) depth: u32,
}

/// Error of a user's `Serialize`.
#[derive(Debug)]
pub struct SerializeError(String);

impl fmt::Display for SerializeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl std::error::Error for SerializeError {}
impl ser::Error for SerializeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

impl<'a> Canonical<'a> {
    /// Return a serializer for the one value called `name`.
    pub(crate) fn named(out: &'a mut Vec<u8>, name: &str) -> Self {
        Self::named_within(out, 0, name)
    }

    /// Return a serializer for a named part of a value, `depth` levels deep.
    pub(super) fn named_within(out: &'a mut Vec<u8>, depth: u32, name: &str) -> Self {
        let mut canonical = Self { out, depth };
        canonical.text(tag::NAME, name);
        canonical
    }

    /// Write an inner value, one level deeper.
    pub(super) fn within<T: Serialize + ?Sized>(self, value: &T) -> Done {
        if self.depth == MAX_DEPTH {
            return Err(SerializeError(format!(
                "it is nested more than {MAX_DEPTH} levels deep"
            )));
        }
        value.serialize(Self {
            depth: self.depth + 1,
            ..self
        })
    }

    pub(super) fn fixed<const N: usize>(&mut self, tag: u8, bytes: [u8; N]) {
        self.out.push(tag);
        self.out.extend_from_slice(&bytes);
    }

    pub(super) fn text(&mut self, tag: u8, text: &str) {
        self.bytes(tag, text.as_bytes());
    }

    fn bytes(&mut self, tag: u8, bytes: &[u8]) {
        self.fixed(tag, (bytes.len() as u64).to_le_bytes());
        self.out.extend_from_slice(bytes);
    }

    fn compound(self, tag: u8) -> Compound<'a> {
        self.out.push(tag);
        Compound {
            out: self.out,
            depth: self.depth,
            count: 0,
        }
    }
}

pub(super) type Done = Result<(), SerializeError>;

macro_rules! numbers {
    ($($method:ident($type:ty) = $tag:ident;)*) => {$(
        fn $method(mut self, value: $type) -> Done {
            self.fixed(tag::$tag, value.to_le_bytes());
            Ok(())
        }
    )*};
}

impl<'a> ser::Serializer for Canonical<'a> {
    type Ok = ();
    type Error = SerializeError;
    type SerializeSeq = Compound<'a>;
    type SerializeTuple = Compound<'a>;
    type SerializeTupleStruct = Compound<'a>;
    type SerializeTupleVariant = Compound<'a>;
    type SerializeMap = SortedMap<'a>;
    type SerializeStruct = Compound<'a>;
    type SerializeStructVariant = Compound<'a>;

    numbers! {
        serialize_i8(i8) = I8; serialize_i16(i16) = I16; serialize_i32(i32) = I32; serialize_i64(i64) = I64;
        serialize_i128(i128) = I128; serialize_u8(u8) = U8; serialize_u16(u16) = U16; serialize_u32(u32) = U32;
        serialize_u64(u64) = U64; serialize_u128(u128) = U128; serialize_f32(f32) = F32; serialize_f64(f64) = F64;
    }

    fn serialize_bool(mut self, value: bool) -> Done {
        self.fixed(tag::BOOL, [u8::from(value)]);
        Ok(())
    }
    fn serialize_char(mut self, value: char) -> Done {
        self.fixed(tag::CHAR, u32::from(value).to_le_bytes());
        Ok(())
    }
    fn serialize_str(mut self, value: &str) -> Done {
        self.text(tag::STR, value);
        Ok(())
    }
    fn serialize_bytes(mut self, value: &[u8]) -> Done {
        self.bytes(tag::BYTES, value);
        Ok(())
    }
    fn serialize_none(self) -> Done {
        self.out.push(tag::NONE);
        Ok(())
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Done {
        self.out.push(tag::SOME);
        self.within(value)
    }
    fn serialize_unit(self) -> Done {
        self.out.push(tag::UNIT);
        Ok(())
    }
    fn serialize_unit_struct(mut self, name: &'static str) -> Done {
        self.text(tag::STRUCT, name);
        self.out.push(tag::END);
        Ok(())
    }
    fn serialize_unit_variant(mut self, name: &'static str, _: u32, variant: &'static str) -> Done {
        self.text(tag::VARIANT, name);
        self.text(tag::NAME, variant);
        self.out.push(tag::UNIT);
        Ok(())
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        mut self,
        name: &'static str,
        value: &T,
    ) -> Done {
        self.text(tag::NEWTYPE, name);
        self.within(value)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        mut self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Done {
        self.text(tag::VARIANT, name);
        self.text(tag::NAME, variant);
        self.out.push(tag::NEWTYPE);
        self.within(value)
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<Compound<'a>, SerializeError> {
        Ok(self.compound(tag::SEQ))
    }
    fn serialize_tuple(self, _: usize) -> Result<Compound<'a>, SerializeError> {
        Ok(self.compound(tag::TUPLE))
    }
    fn serialize_tuple_struct(
        mut self,
        name: &'static str,
        _: usize,
    ) -> Result<Compound<'a>, SerializeError> {
        self.text(tag::STRUCT, name);
        Ok(self.compound(tag::TUPLE))
    }
    fn serialize_tuple_variant(
        mut self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Compound<'a>, SerializeError> {
        self.text(tag::VARIANT, name);
        self.text(tag::NAME, variant);
        Ok(self.compound(tag::TUPLE))
    }
    fn serialize_map(self, _: Option<usize>) -> Result<SortedMap<'a>, SerializeError> {
        Ok(SortedMap {
            out: self.out,
            depth: self.depth,
            entries: Vec::new(),
        })
    }
    fn serialize_struct(
        mut self,
        name: &'static str,
        _: usize,
    ) -> Result<Compound<'a>, SerializeError> {
        self.text(tag::STRUCT, name);
        Ok(Compound {
            out: self.out,
            depth: self.depth,
            count: 0,
        })
    }
    fn serialize_struct_variant(
        mut self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Compound<'a>, SerializeError> {
        self.text(tag::VARIANT, name);
        self.text(tag::NAME, variant);
        Ok(self.compound(tag::STRUCT))
    }
    fn is_human_readable(&self) -> bool {
        false
    }
}

/// Elements or fields in order, followed by the end tag and their count.
#[derive(Debug)]
pub struct Compound<'a> {
    pub(super) out: &'a mut Vec<u8>,
    pub(super) depth: u32,
    count: u64,
}

impl Compound<'_> {
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        self.count += 1;
        self.canonical().within(value)
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Done {
        self.count += 1;
        Canonical::named_within(self.out, self.depth, name).within(value)
    }

    fn canonical(&mut self) -> Canonical<'_> {
        Canonical {
            out: self.out,
            depth: self.depth,
        }
    }

    fn finish(mut self) -> Done {
        let count = self.count.to_le_bytes();
        self.canonical().fixed(tag::END, count);
        Ok(())
    }
}

macro_rules! in_order {
    ($($trait:ident.$method:ident,)*) => {$(
        impl ser::$trait for Compound<'_> {
            type Ok = ();
            type Error = SerializeError;
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
                self.element(value)
            }
            fn end(self) -> Done {
                self.finish()
            }
        }
    )*};
}
in_order! {
    SerializeSeq.serialize_element, SerializeTuple.serialize_element,
    SerializeTupleStruct.serialize_field, SerializeTupleVariant.serialize_field,
}

macro_rules! by_name {
    ($($trait:ident,)*) => {$(
        impl ser::$trait for Compound<'_> {
            type Ok = ();
            type Error = SerializeError;
            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Done {
                self.field(name, value)
            }
            fn end(self) -> Done {
                self.finish()
            }
        }
    )*};
}
by_name! { SerializeStruct, SerializeStructVariant, }

/// Entries of a map, collected so that they can be sorted: the encoding must not depend on the
/// map's order.
#[derive(Debug)]
pub struct SortedMap<'a> {
    pub(super) out: &'a mut Vec<u8>,
    pub(super) depth: u32,
    entries: Vec<(Vec<u8>, Vec<u8>)>,
}

impl ser::SerializeMap for SortedMap<'_> {
    type Ok = ();
    type Error = SerializeError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Done {
        let mut bytes = Vec::new();
        let canonical = Canonical {
            out: &mut bytes,
            depth: self.depth,
        };
        canonical.within(key)?;
        self.entries.push((bytes, Vec::new()));
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        match self.entries.last_mut() {
            Some((_, out)) => {
                let depth = self.depth;
                Canonical { out, depth }.within(value)
            }
            None => Err(ser::Error::custom("a map's value came before its key")),
        }
    }

    fn end(mut self) -> Done {
        self.entries.sort_unstable();
        let mut canonical = Canonical {
            out: self.out,
            depth: self.depth,
        };
        canonical.fixed(tag::MAP, (self.entries.len() as u64).to_le_bytes());
        for (key, value) in &self.entries {
            canonical.out.extend_from_slice(key);
            canonical.out.extend_from_slice(value);
        }
        canonical.out.push(tag::END);
        Ok(())
    }
}
