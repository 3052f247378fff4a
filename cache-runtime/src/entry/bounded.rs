//! A deserializer between a codec and a type, so that bytes that lie about their lengths cost no more than bytes
//! that don't: texts and byte strings are borrowed from the input before they are copied (a length beyond the
//! input is an error before anything is allocated), and no sequence announces more elements than the input has
//! bytes.

use std::fmt;

use serde::de::{self, DeserializeOwned, DeserializeSeed, Deserializer, Visitor};

/// Elements that take no bytes, such as `()`, are still counted.
const MOST_FREE_ELEMENTS: usize = 1 << 20;

/// Wraps what a codec hands to a type, and what the type hands back.
pub(super) struct Bounded<D> {
    inner: D,
    /// The bytes of the whole input.
    bytes: usize,
}

/// Deserializes a `T` from a codec's deserializer over an input of so many bytes.
pub(super) fn deserialize<'de, T: DeserializeOwned, D: Deserializer<'de>>(
    deserializer: D,
    bytes: usize,
) -> Result<T, D::Error> {
    T::deserialize(Bounded {
        inner: deserializer,
        bytes,
    })
}

/// A `T`, for codecs that ask for a seed.
#[cfg(feature = "bincode")]
pub(super) struct Seed<T> {
    pub(super) bytes: usize,
    pub(super) of: std::marker::PhantomData<T>,
}

#[cfg(feature = "bincode")]
impl<'de, T: DeserializeOwned> DeserializeSeed<'de> for Seed<T> {
    type Value = T;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserialize(deserializer, self.bytes)
    }
}

macro_rules! forward {
    ($($method:ident($($name:ident: $type:ty),*) => $inner:ident;)*) => {$(
        fn $method<V: Visitor<'de>>(self, $($name: $type,)* visitor: V) -> Result<V::Value, D::Error> {
            let bytes = self.bytes;
            self.inner.$inner($($name,)* Bounded { inner: visitor, bytes })
        }
    )*};
}

type Names = &'static [&'static str];

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Bounded<D> {
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
        deserialize_struct(name: &'static str, fields: Names) => deserialize_struct;
        deserialize_enum(name: &'static str, variants: Names) => deserialize_enum;
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

impl<'de, V: Visitor<'de>> Visitor<'de> for Bounded<V> {
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
            bytes: self.bytes,
        })
    }
    fn visit_newtype_struct<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<V::Value, D::Error> {
        self.inner.visit_newtype_struct(Bounded {
            inner: deserializer,
            bytes: self.bytes,
        })
    }
    fn visit_seq<A: de::SeqAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        self.inner.visit_seq(Elements {
            inner: access,
            bytes: self.bytes,
            count: 0,
        })
    }
    fn visit_map<A: de::MapAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        self.inner.visit_map(Elements {
            inner: access,
            bytes: self.bytes,
            count: 0,
        })
    }
    fn visit_enum<A: de::EnumAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        self.inner.visit_enum(Bounded {
            inner: access,
            bytes: self.bytes,
        })
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Bounded<S> {
    type Value = S::Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.inner.deserialize(Bounded {
            inner: deserializer,
            bytes: self.bytes,
        })
    }
}

/// Elements or entries, counted.
struct Elements<A> {
    inner: A,
    bytes: usize,
    count: usize,
}

impl<A> Elements<A> {
    fn one_more<E: de::Error>(&mut self) -> Result<(), E> {
        self.count += 1;
        if self.count > self.bytes + MOST_FREE_ELEMENTS {
            return Err(E::custom("more elements than the input can hold"));
        }
        Ok(())
    }

    fn hint(&self, hint: Option<usize>) -> Option<usize> {
        hint.map(|hint| hint.min(self.bytes))
    }

    fn seed<S>(&self, inner: S) -> Bounded<S> {
        Bounded {
            inner,
            bytes: self.bytes,
        }
    }
}

impl<'de, A: de::SeqAccess<'de>> de::SeqAccess<'de> for Elements<A> {
    type Error = A::Error;
    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        self.one_more()?;
        let seed = self.seed(seed);
        self.inner.next_element_seed(seed)
    }
    fn size_hint(&self) -> Option<usize> {
        self.hint(self.inner.size_hint())
    }
}

impl<'de, A: de::MapAccess<'de>> de::MapAccess<'de> for Elements<A> {
    type Error = A::Error;
    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        self.one_more()?;
        let seed = self.seed(seed);
        self.inner.next_key_seed(seed)
    }
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        let seed = self.seed(seed);
        self.inner.next_value_seed(seed)
    }
    fn size_hint(&self) -> Option<usize> {
        self.hint(self.inner.size_hint())
    }
}

impl<'de, A: de::EnumAccess<'de>> de::EnumAccess<'de> for Bounded<A> {
    type Error = A::Error;
    type Variant = Bounded<A::Variant>;
    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self::Variant), A::Error> {
        let bytes = self.bytes;
        let (value, variant) = self.inner.variant_seed(Bounded { inner: seed, bytes })?;
        Ok((
            value,
            Bounded {
                inner: variant,
                bytes,
            },
        ))
    }
}

impl<'de, A: de::VariantAccess<'de>> de::VariantAccess<'de> for Bounded<A> {
    type Error = A::Error;
    fn unit_variant(self) -> Result<(), A::Error> {
        self.inner.unit_variant()
    }
    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        self.inner.newtype_variant_seed(Bounded {
            inner: seed,
            bytes: self.bytes,
        })
    }
    fn tuple_variant<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.inner.tuple_variant(
            length,
            Bounded {
                inner: visitor,
                bytes: self.bytes,
            },
        )
    }
    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: Names,
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.inner.struct_variant(
            fields,
            Bounded {
                inner: visitor,
                bytes: self.bytes,
            },
        )
    }
}
