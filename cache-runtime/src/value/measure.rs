//! A look at a value before it is stored: about how many bytes it takes, and what a positional codec would
//! lose of it.

use std::fmt;

use serde::ser::{self, Serialize};

/// What a look at a value shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Measure {
    /// The bytes of its texts and numbers, and eight for each length.
    pub(crate) bytes: usize,
    /// A field was left out (`skip_serializing_if`): a positional codec would read the next one in its place.
    pub(crate) skips_fields: bool,
    /// A `Some` holds a `None` or a `()`: a self-describing codec shows one nil for both.
    pub(crate) nests_nil: bool,
    /// Name and number of fields of the structs in it.
    pub(crate) structs: Vec<(&'static str, usize)>,
    /// Only the bytes are wanted: a list of structs would be allocated for nobody.
    bytes_only: bool,
}

/// Measures `value`, or says why its `Serialize` refused.
pub(crate) fn measure<T: Serialize + ?Sized>(value: &T) -> Result<Measure, Refused> {
    let mut measure = Measure::default();
    look(value, &mut measure)?;
    Ok(measure)
}

/// About how many bytes `value` takes; nothing, if its `Serialize` refused.
pub(crate) fn weigh<T: Serialize + ?Sized>(value: &T) -> usize {
    let mut measure = Measure {
        bytes_only: true,
        ..Measure::default()
    };
    look(value, &mut measure).map_or(0, |()| measure.bytes)
}

fn look<T: Serialize + ?Sized>(value: &T, measure: &mut Measure) -> Result<(), Refused> {
    value.serialize(Look {
        measure,
        in_some: false,
    })
}

/// A user's `Serialize` refused.
#[derive(Debug)]
pub(crate) struct Refused(String);

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

struct Look<'a> {
    measure: &'a mut Measure,
    in_some: bool,
}

impl<'a> Look<'a> {
    fn add(self, bytes: usize) -> Result<(), Refused> {
        self.measure.bytes += bytes;
        Ok(())
    }

    fn nil(self) -> Result<(), Refused> {
        self.measure.nests_nil |= self.in_some;
        self.add(1)
    }

    fn compound(self) -> Result<Parts<'a>, Refused> {
        self.measure.bytes += 8;
        Ok(Parts {
            measure: self.measure,
        })
    }

    fn fields(self, name: &'static str, length: usize) -> Result<Parts<'a>, Refused> {
        if !self.measure.bytes_only && !self.measure.structs.contains(&(name, length)) {
            self.measure.structs.push((name, length));
        }
        Ok(Parts {
            measure: self.measure,
        })
    }
}

macro_rules! sized {
    ($($method:ident($type:ty);)*) => {$(
        fn $method(self, _: $type) -> Result<(), Refused> {
            self.add(size_of::<$type>())
        }
    )*};
}

impl<'a> ser::Serializer for Look<'a> {
    type Ok = ();
    type Error = Refused;
    type SerializeSeq = Parts<'a>;
    type SerializeTuple = Parts<'a>;
    type SerializeTupleStruct = Parts<'a>;
    type SerializeTupleVariant = Parts<'a>;
    type SerializeMap = Parts<'a>;
    type SerializeStruct = Parts<'a>;
    type SerializeStructVariant = Parts<'a>;

    sized! {
        serialize_bool(bool); serialize_i8(i8); serialize_i16(i16); serialize_i32(i32); serialize_i64(i64);
        serialize_i128(i128); serialize_u8(u8); serialize_u16(u16); serialize_u32(u32); serialize_u64(u64);
        serialize_u128(u128); serialize_f32(f32); serialize_f64(f64); serialize_char(char);
    }
    fn serialize_str(self, value: &str) -> Result<(), Refused> {
        self.add(8 + value.len())
    }
    fn serialize_bytes(self, value: &[u8]) -> Result<(), Refused> {
        self.add(8 + value.len())
    }
    fn serialize_none(self) -> Result<(), Refused> {
        self.nil()
    }
    fn serialize_unit(self) -> Result<(), Refused> {
        self.nil()
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Refused> {
        self.nil()
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Refused> {
        self.measure.bytes += 1;
        value.serialize(Look {
            measure: self.measure,
            in_some: true,
        })
    }
    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
    ) -> Result<(), Refused> {
        self.add(4)
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Refused> {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Result<(), Refused> {
        self.measure.bytes += 4;
        value.serialize(Look {
            measure: self.measure,
            in_some: false,
        })
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<Parts<'a>, Refused> {
        self.compound()
    }
    fn serialize_tuple(self, _: usize) -> Result<Parts<'a>, Refused> {
        self.compound()
    }
    fn serialize_tuple_struct(
        self,
        name: &'static str,
        length: usize,
    ) -> Result<Parts<'a>, Refused> {
        self.fields(name, length)
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Parts<'a>, Refused> {
        self.fields(variant, length)
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Parts<'a>, Refused> {
        self.compound()
    }
    fn serialize_struct(self, name: &'static str, length: usize) -> Result<Parts<'a>, Refused> {
        self.fields(name, length)
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Parts<'a>, Refused> {
        self.fields(variant, length)
    }
    fn is_human_readable(&self) -> bool {
        false
    }
}

/// The elements, entries or fields of a compound value.
struct Parts<'a> {
    measure: &'a mut Measure,
}

impl Parts<'_> {
    fn part<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refused> {
        value.serialize(Look {
            measure: self.measure,
            in_some: false,
        })
    }
}

macro_rules! parts {
    ($($trait:ident.$method:ident,)*) => {$(
        impl ser::$trait for Parts<'_> {
            type Ok = ();
            type Error = Refused;
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refused> {
                self.part(value)
            }
            fn end(self) -> Result<(), Refused> {
                Ok(())
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
        impl ser::$trait for Parts<'_> {
            type Ok = ();
            type Error = Refused;
            fn serialize_field<T: Serialize + ?Sized>(&mut self, _: &'static str, value: &T) -> Result<(), Refused> {
                self.part(value)
            }
            fn skip_field(&mut self, _: &'static str) -> Result<(), Refused> {
                self.measure.skips_fields = true;
                Ok(())
            }
            fn end(self) -> Result<(), Refused> {
                Ok(())
            }
        }
    )*};
}
named_parts! { SerializeStruct, SerializeStructVariant, }

impl ser::SerializeMap for Parts<'_> {
    type Ok = ();
    type Error = Refused;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Refused> {
        self.part(key)
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refused> {
        self.part(value)
    }
    fn end(self) -> Result<(), Refused> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;

    #[derive(Serialize)]
    struct Sparse {
        id: u32,
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<&'static str>,
    }

    #[test]
    fn skipped_fields_and_nested_nils_are_seen() {
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
}
