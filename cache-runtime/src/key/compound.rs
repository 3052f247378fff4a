//! Canonical encoding of compound values: sequences, structs, maps.

use serde::ser::{self, Serialize};

use super::canonical::{Canonical, Done, SerializeError, tag};

/// Elements or fields in order, followed by the end tag and their count.
#[derive(Debug)]
pub struct Compound<'a> {
    pub(super) out: &'a mut Vec<u8>,
    pub(super) depth: u32,
    pub(super) count: u64,
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
    pub(super) entries: Vec<(Vec<u8>, Vec<u8>)>,
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
