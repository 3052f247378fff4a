//! A `Result` or `Option` behind a type parameter: `fn load<T>() -> T`, called with
//! `T = Result<Post, Error>`. Neither the attribute nor the types reveal it. At run time the type's
//! name reveals it, and serde shows which case the value is.

use std::any::type_name;
use std::fmt;

use serde::ser::{self, Impossible, Serialize};

use super::path::MAX_DEPTH;

/// The case of a value whose type is a `Result` or an `Option`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Hidden {
    Value,
    None,
    Err,
}

/// Return the case of `value`. Types of any other name are not examined.
pub(crate) fn case_of<T: Serialize + ?Sized>(value: &T) -> Hidden {
    let name = type_name::<T>();
    if !name.starts_with("core::result::Result<") && !name.starts_with("core::option::Option<") {
        return Hidden::Value;
    }
    match value.serialize(CaseFinder { depth: 0 }) {
        Ok(()) | Err(Stop(Hidden::Value)) => Hidden::Value,
        Err(Stop(found)) => found,
    }
}

/// Serializer that follows `Ok` and `Some` inwards and stops at the first value that is neither.
struct CaseFinder {
    depth: u32,
}

impl CaseFinder {
    fn within<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Stop> {
        if self.depth == MAX_DEPTH {
            return Err(Stop(Hidden::Value));
        }
        value.serialize(Self {
            depth: self.depth + 1,
        })
    }
}

/// Result of the search, returned as an error so that nothing more is visited.
#[derive(Debug)]
struct Stop(Hidden);

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("seen")
    }
}
impl std::error::Error for Stop {}
impl ser::Error for Stop {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self(Hidden::Value)
    }
}

macro_rules! a_value {
    ($($method:ident($($argument:ty),*) -> $ok:ty;)*) => {$(
        fn $method(self, $(_: $argument),*) -> Result<$ok, Stop> {
            Err(Stop(Hidden::Value))
        }
    )*};
}

type Never = Impossible<(), Stop>;

impl ser::Serializer for CaseFinder {
    type Ok = ();
    type Error = Stop;
    type SerializeSeq = Never;
    type SerializeTuple = Never;
    type SerializeTupleStruct = Never;
    type SerializeTupleVariant = Never;
    type SerializeMap = Never;
    type SerializeStruct = Never;
    type SerializeStructVariant = Never;

    a_value! {
        serialize_bool(bool) -> (); serialize_i8(i8) -> (); serialize_i16(i16) -> (); serialize_i32(i32) -> ();
        serialize_i64(i64) -> (); serialize_i128(i128) -> (); serialize_u8(u8) -> (); serialize_u16(u16) -> ();
        serialize_u32(u32) -> (); serialize_u64(u64) -> (); serialize_u128(u128) -> (); serialize_f32(f32) -> ();
        serialize_f64(f64) -> (); serialize_char(char) -> (); serialize_str(&str) -> ();
        serialize_bytes(&[u8]) -> (); serialize_unit() -> (); serialize_unit_struct(&'static str) -> ();
        serialize_unit_variant(&'static str, u32, &'static str) -> ();
        serialize_seq(Option<usize>) -> Never; serialize_tuple(usize) -> Never;
        serialize_tuple_struct(&'static str, usize) -> Never;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Never;
        serialize_map(Option<usize>) -> Never; serialize_struct(&'static str, usize) -> Never;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Never;
    }

    fn serialize_none(self) -> Result<(), Stop> {
        Err(Stop(Hidden::None))
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Stop> {
        self.within(value)
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: &T,
    ) -> Result<(), Stop> {
        Err(Stop(Hidden::Value))
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Stop> {
        match (name, variant) {
            ("Result", "Err") => Err(Stop(Hidden::Err)),
            ("Result", "Ok") => self.within(value),
            _ => Err(Stop(Hidden::Value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_variants_are_distinguished() {
        assert_eq!(case_of(&Ok::<u8, u8>(1)), Hidden::Value);
        assert_eq!(case_of(&Err::<u8, u8>(1)), Hidden::Err);
        assert_eq!(case_of(&None::<u8>), Hidden::None);
        assert_eq!(case_of(&Ok::<Option<u8>, u8>(None)), Hidden::None);
        assert_eq!(case_of(&Some(Err::<u8, u8>(1))), Hidden::Err);
        assert_eq!(case_of("Err"), Hidden::Value);
    }
}
