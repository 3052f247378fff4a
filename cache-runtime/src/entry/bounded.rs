//! A deserializer between a codec and a type. It bounds the cost of corrupt or forged bytes: texts
//! and byte strings are borrowed from the input before they are copied (a length beyond the input
//! is an error before anything is allocated), no sequence announces more elements than the input
//! has bytes, and values that nest too deep are an error before the stack overflows.

use std::cell::RefCell;
use std::fmt;

use serde::de::{self, DeserializeOwned, DeserializeSeed, Deserializer, Visitor};

use crate::value::path::{MAX_DEPTH, ValuePath};

type Names = &'static [&'static str];

/// Limit for elements that take no bytes, such as `()`.
const MAX_FREE_ELEMENTS: usize = 1 << 20;

/// The structs that a type requested while it was read.
#[derive(Debug, Default)]
pub(super) struct RequestLog(RefCell<Vec<RequestedFields>>);

/// The fields that a struct, or an enum's struct variant, requests.
#[derive(Clone, Copy, Debug)]
pub(super) struct RequestedFields {
    pub(super) place: ValuePath,
    /// The struct's name; unknown for a variant.
    pub(super) name: Option<&'static str>,
    pub(super) fields: Names,
}

impl RequestLog {
    pub(super) fn into_inner(self) -> Vec<RequestedFields> {
        self.0.into_inner()
    }
}

/// Context of the input at the current position.
#[derive(Clone, Copy)]
struct At<'w> {
    /// The bytes of the whole input.
    bytes: usize,
    depth: u32,
    place: ValuePath,
    watch: Option<&'w RequestLog>,
}

impl At<'_> {
    fn deeper<E: de::Error>(self, place: ValuePath) -> Result<Self, E> {
        if self.depth == MAX_DEPTH {
            return Err(E::custom(format_args!(
                "it is nested more than {MAX_DEPTH} levels deep"
            )));
        }
        Ok(Self {
            depth: self.depth + 1,
            place,
            ..self
        })
    }

    fn asked_for(self, name: Option<&'static str>, fields: Names) {
        if let Some(watch) = self.watch
            && let Ok(mut asked) = watch.0.try_borrow_mut()
            && asked.len() < MAX_REQUESTS
        {
            asked.push(RequestedFields {
                place: self.place,
                name,
                fields,
            });
        }
    }
}

/// Limit on structs recorded per value: its other elements are of the same types.
const MAX_REQUESTS: usize = 10_000;

/// Wrapper around what a codec passes to a type, and what the type passes back.
pub(super) struct Bounded<'w, D> {
    inner: D,
    at: At<'w>,
}

/// Deserialize a `T` from a codec's deserializer over an input of `bytes` bytes.
pub(super) fn deserialize<'de, T: DeserializeOwned, D: Deserializer<'de>>(
    deserializer: D,
    bytes: usize,
    watch: Option<&RequestLog>,
) -> Result<T, D::Error> {
    T::deserialize(Bounded {
        inner: deserializer,
        at: At {
            bytes,
            depth: 0,
            place: ValuePath::ROOT,
            watch,
        },
    })
}

/// A `T`, for codecs that take a seed.
#[cfg(feature = "bincode")]
pub(super) struct Seed<'w, T> {
    pub(super) bytes: usize,
    pub(super) watch: Option<&'w RequestLog>,
    pub(super) of: std::marker::PhantomData<T>,
}

#[cfg(feature = "bincode")]
impl<'de, T: DeserializeOwned> DeserializeSeed<'de> for Seed<'_, T> {
    type Value = T;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserialize(deserializer, self.bytes, self.watch)
    }
}

macro_rules! forward {
    ($($method:ident($($name:ident: $type:ty),*) => $inner:ident;)*) => {$(
        fn $method<V: Visitor<'de>>(self, $($name: $type,)* visitor: V) -> Result<V::Value, D::Error> {
            let at = self.at;
            self.inner.$inner($($name,)* Bounded { inner: visitor, at })
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Bounded<'_, D> {
    type Error = D::Error;

    forward! {
        deserialize_any() => deserialize_any; deserialize_bool() => deserialize_bool;
        deserialize_i8() => deserialize_i8; deserialize_i16() => deserialize_i16;
        deserialize_i32() => deserialize_i32; deserialize_i64() => deserialize_i64;
        deserialize_i128() => deserialize_i128; deserialize_u8() => deserialize_u8;
        deserialize_u16() => deserialize_u16; deserialize_u32() => deserialize_u32;
        deserialize_u64() => deserialize_u64; deserialize_u128() => deserialize_u128;
        deserialize_f32() => deserialize_f32; deserialize_f64() => deserialize_f64;
        deserialize_char() => deserialize_char; deserialize_str() => deserialize_str;
        deserialize_string() => deserialize_str; deserialize_bytes() => deserialize_bytes;
        deserialize_byte_buf() => deserialize_bytes; deserialize_option() => deserialize_option;
        deserialize_unit() => deserialize_unit; deserialize_seq() => deserialize_seq;
        deserialize_map() => deserialize_map; deserialize_identifier() => deserialize_identifier;
        deserialize_ignored_any() => deserialize_ignored_any;
        deserialize_unit_struct(name: &'static str) => deserialize_unit_struct;
        deserialize_newtype_struct(name: &'static str) => deserialize_newtype_struct;
        deserialize_tuple(length: usize) => deserialize_tuple;
        deserialize_tuple_struct(name: &'static str, length: usize) => deserialize_tuple_struct;
        deserialize_enum(name: &'static str, variants: Names) => deserialize_enum;
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: Names,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let at = self.at;
        at.asked_for(Some(name), fields);
        let visitor = Bounded { inner: visitor, at };
        self.inner.deserialize_struct(name, fields, visitor)
    }
    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

macro_rules! visit {
    ($($method:ident($($type:ty)?);)*) => {$(
        fn $method<E: de::Error>(self $(, value: $type)?) -> Result<V::Value, E> {
            self.inner.$method($({ let value: $type = value; value })?)
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Bounded<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    visit! {
        visit_bool(bool); visit_i8(i8); visit_i16(i16); visit_i32(i32); visit_i64(i64); visit_i128(i128);
        visit_u8(u8); visit_u16(u16); visit_u32(u32); visit_u64(u64); visit_u128(u128);
        visit_f32(f32); visit_f64(f64); visit_char(char); visit_str(&str); visit_borrowed_str(&'de str);
        visit_string(String); visit_bytes(&[u8]); visit_borrowed_bytes(&'de [u8]); visit_byte_buf(Vec<u8>);
        visit_none(); visit_unit();
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.inner.visit_some(Bounded {
            inner: deserializer,
            at: self.at.deeper(self.at.place)?,
        })
    }
    fn visit_newtype_struct<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<V::Value, D::Error> {
        self.inner.visit_newtype_struct(Bounded {
            inner: deserializer,
            at: self.at.deeper(self.at.place)?,
        })
    }
    fn visit_seq<A: de::SeqAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        self.inner.visit_seq(Elements {
            inner: access,
            at: self.at,
            count: 0,
        })
    }
    fn visit_map<A: de::MapAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        self.inner.visit_map(Elements {
            inner: access,
            at: self.at,
            count: 0,
        })
    }
    fn visit_enum<A: de::EnumAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        self.inner.visit_enum(Bounded {
            inner: access,
            at: self.at,
        })
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Bounded<'_, S> {
    type Value = S::Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.inner.deserialize(Bounded {
            inner: deserializer,
            at: self.at,
        })
    }
}

/// Elements or entries, counted.
struct Elements<'w, A> {
    inner: A,
    at: At<'w>,
    count: usize,
}

impl<'w, A> Elements<'w, A> {
    /// Count an element and return its index.
    fn one_more<E: de::Error>(&mut self) -> Result<u32, E> {
        let index = self.count;
        self.count += 1;
        if self.count > self.at.bytes + MAX_FREE_ELEMENTS {
            return Err(E::custom("the length exceeds the input"));
        }
        Ok(index as u32)
    }

    fn hint(&self, hint: Option<usize>) -> Option<usize> {
        hint.map(|hint| hint.min(self.at.bytes))
    }

    fn seed<S, E: de::Error>(&self, inner: S, place: ValuePath) -> Result<Bounded<'w, S>, E> {
        let at = self.at.deeper(place)?;
        Ok(Bounded { inner, at })
    }
}

impl<'de, A: de::SeqAccess<'de>> de::SeqAccess<'de> for Elements<'_, A> {
    type Error = A::Error;
    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        let index = self.one_more()?;
        let seed = self.seed(seed, self.at.place.element(index))?;
        self.inner.next_element_seed(seed)
    }
    fn size_hint(&self) -> Option<usize> {
        self.hint(self.inner.size_hint())
    }
}

impl<'de, A: de::MapAccess<'de>> de::MapAccess<'de> for Elements<'_, A> {
    type Error = A::Error;
    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        let index = self.one_more()?;
        let seed = self.seed(seed, self.at.place.element(index))?;
        self.inner.next_key_seed(seed)
    }
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        let index = self.count.wrapping_sub(1) as u32;
        let seed = self.seed(seed, self.at.place.value(index))?;
        self.inner.next_value_seed(seed)
    }
    fn size_hint(&self) -> Option<usize> {
        self.hint(self.inner.size_hint())
    }
}

impl<'de, 'w, A: de::EnumAccess<'de>> de::EnumAccess<'de> for Bounded<'w, A> {
    type Error = A::Error;
    type Variant = Bounded<'w, A::Variant>;
    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self::Variant), A::Error> {
        let at = self.at;
        let (value, variant) = self.inner.variant_seed(Bounded { inner: seed, at })?;
        let at = At {
            place: at.place.variant(),
            ..at
        };
        Ok((value, Bounded { inner: variant, at }))
    }
}

impl<'de, A: de::VariantAccess<'de>> de::VariantAccess<'de> for Bounded<'_, A> {
    type Error = A::Error;
    fn unit_variant(self) -> Result<(), A::Error> {
        self.inner.unit_variant()
    }
    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        let at = self.at.deeper(self.at.place)?;
        self.inner.newtype_variant_seed(Bounded { inner: seed, at })
    }
    fn tuple_variant<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        let at = self.at;
        self.inner
            .tuple_variant(length, Bounded { inner: visitor, at })
    }
    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: Names,
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        let at = self.at;
        at.asked_for(None, fields);
        self.inner
            .struct_variant(fields, Bounded { inner: visitor, at })
    }
}
