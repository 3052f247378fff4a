//! The argument hash: BLAKE3 over a canonical encoding of what serde shows of the arguments.
//!
//! The encoding is injective. Every value begins with a tag of its kind; texts and byte strings carry their
//! length; sequences end with a tag that no value begins with, and their count; structs, variants and fields
//! carry their names; the entries of a map are sorted by their encoded keys. All numbers are little-endian and
//! of fixed width, so it is the same on every platform. Golden vectors in the tests pin it across releases.

use std::fmt;

use serde::ser::{self, Serialize};

#[rustfmt::skip]
mod tag {
    pub(super) const BOOL: u8 = 1;
    pub(super) const I8: u8 = 2;  pub(super) const I16: u8 = 3;  pub(super) const I32: u8 = 4;
    pub(super) const I64: u8 = 5; pub(super) const I128: u8 = 6;
    pub(super) const U8: u8 = 7;  pub(super) const U16: u8 = 8;  pub(super) const U32: u8 = 9;
    pub(super) const U64: u8 = 10; pub(super) const U128: u8 = 11;
    pub(super) const F32: u8 = 12; pub(super) const F64: u8 = 13;
    pub(super) const CHAR: u8 = 14; pub(super) const STR: u8 = 15; pub(super) const BYTES: u8 = 16;
    pub(super) const NONE: u8 = 17; pub(super) const SOME: u8 = 18; pub(super) const UNIT: u8 = 19;
    pub(super) const STRUCT: u8 = 20; pub(super) const NEWTYPE: u8 = 21; pub(super) const VARIANT: u8 = 22;
    pub(super) const SEQ: u8 = 23; pub(super) const TUPLE: u8 = 24; pub(super) const MAP: u8 = 25;
    pub(super) const NAME: u8 = 26;
    /// Begins no value.
    pub(super) const END: u8 = 0;
}

/// How many bytes of the hash a variant shows: 128 bits.
const DIGEST_BYTES: usize = 16;

/// Digits and letters that are hard to mistake for one another; lower case, five bits each.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Appends the digest of `canonical` in 26 characters.
pub(crate) fn push_digest(out: &mut String, canonical: &[u8]) {
    let hash = blake3::hash(canonical);
    let mut pending = 0u32;
    let mut bits = 0;
    for &byte in &hash.as_bytes()[..DIGEST_BYTES] {
        pending = (pending << 8) | u32::from(byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            out.push(char::from(ALPHABET[(pending >> bits) as usize & 31]));
        }
    }
    out.push(char::from(ALPHABET[(pending << (5 - bits)) as usize & 31]));
}

/// A serializer that writes canonical bytes.
#[derive(Debug)]
pub struct Canonical<'a> {
    out: &'a mut Vec<u8>,
}

/// A user's `Serialize` refused.
#[derive(Debug)]
pub struct Refused(String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl std::error::Error for Refused {}
impl ser::Error for Refused {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

impl<'a> Canonical<'a> {
    /// A serializer for the one value that `name` names.
    pub(crate) fn named(out: &'a mut Vec<u8>, name: &str) -> Self {
        let mut canonical = Self { out };
        canonical.text(tag::NAME, name);
        canonical
    }

    fn again(&mut self) -> Canonical<'_> {
        Canonical { out: self.out }
    }

    fn fixed<const N: usize>(&mut self, tag: u8, bytes: [u8; N]) {
        self.out.push(tag);
        self.out.extend_from_slice(&bytes);
    }

    fn text(&mut self, tag: u8, text: &str) {
        self.bytes(tag, text.as_bytes());
    }

    fn bytes(&mut self, tag: u8, bytes: &[u8]) {
        self.fixed(tag, (bytes.len() as u64).to_le_bytes());
        self.out.extend_from_slice(bytes);
    }

    fn compound(self, tag: u8) -> Compound<'a> {
        self.out.push(tag);
        Compound { out: self.out, count: 0 }
    }
}

type Done = Result<(), Refused>;

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
    type Error = Refused;
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
        value.serialize(self)
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
    fn serialize_newtype_struct<T: Serialize + ?Sized>(mut self, name: &'static str, value: &T) -> Done {
        self.text(tag::NEWTYPE, name);
        value.serialize(self)
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
        value.serialize(self)
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<Compound<'a>, Refused> {
        Ok(self.compound(tag::SEQ))
    }
    fn serialize_tuple(self, _: usize) -> Result<Compound<'a>, Refused> {
        Ok(self.compound(tag::TUPLE))
    }
    fn serialize_tuple_struct(mut self, name: &'static str, _: usize) -> Result<Compound<'a>, Refused> {
        self.text(tag::STRUCT, name);
        Ok(self.compound(tag::TUPLE))
    }
    fn serialize_tuple_variant(
        mut self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Compound<'a>, Refused> {
        self.text(tag::VARIANT, name);
        self.text(tag::NAME, variant);
        Ok(self.compound(tag::TUPLE))
    }
    fn serialize_map(self, _: Option<usize>) -> Result<SortedMap<'a>, Refused> {
        Ok(SortedMap { out: self.out, entries: Vec::new() })
    }
    fn serialize_struct(mut self, name: &'static str, _: usize) -> Result<Compound<'a>, Refused> {
        self.text(tag::STRUCT, name);
        Ok(Compound { out: self.out, count: 0 })
    }
    fn serialize_struct_variant(
        mut self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Compound<'a>, Refused> {
        self.text(tag::VARIANT, name);
        self.text(tag::NAME, variant);
        Ok(self.compound(tag::STRUCT))
    }
    fn is_human_readable(&self) -> bool {
        false
    }
}

/// Elements or fields in their order, then the end tag and their count.
#[derive(Debug)]
pub struct Compound<'a> {
    out: &'a mut Vec<u8>,
    count: u64,
}

impl Compound<'_> {
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        self.count += 1;
        value.serialize(Canonical { out: self.out })
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Done {
        self.count += 1;
        value.serialize(Canonical::named(self.out, name))
    }

    fn finish(self) -> Done {
        Canonical { out: self.out }.fixed(tag::END, self.count.to_le_bytes());
        Ok(())
    }
}

macro_rules! in_order {
    ($($trait:ident.$method:ident,)*) => {$(
        impl ser::$trait for Compound<'_> {
            type Ok = ();
            type Error = Refused;
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
            type Error = Refused;
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

/// Entries of a map, kept until their order no longer depends on the map's.
#[derive(Debug)]
pub struct SortedMap<'a> {
    out: &'a mut Vec<u8>,
    entries: Vec<(Vec<u8>, Vec<u8>)>,
}

impl ser::SerializeMap for SortedMap<'_> {
    type Ok = ();
    type Error = Refused;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Done {
        let mut bytes = Vec::new();
        key.serialize(Canonical { out: &mut bytes })?;
        self.entries.push((bytes, Vec::new()));
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        match self.entries.last_mut() {
            Some((_, bytes)) => value.serialize(Canonical { out: bytes }),
            None => Err(ser::Error::custom("a map's value came before its key")),
        }
    }

    fn end(mut self) -> Done {
        self.entries.sort_unstable();
        let mut canonical = Canonical { out: self.out };
        canonical.fixed(tag::MAP, (self.entries.len() as u64).to_le_bytes());
        for (key, value) in &self.entries {
            canonical.out.extend_from_slice(key);
            canonical.out.extend_from_slice(value);
        }
        canonical.again().out.push(tag::END);
        Ok(())
    }
}
