//! The deserializer that answers with samples.

use serde::de::{self, DeserializeSeed, Deserializer, IntoDeserializer, Visitor};

use super::shape::{named, unnamed};
use super::trace::{Trace, TraceStopped};

const TEXTS: &[&str] = &[
    "",
    "0",
    "1970-01-01T00:00:00Z",
    "1970-01-01",
    "00:00:00",
    "1970-01-01T00:00:00",
    "127.0.0.1",
    "::1",
    "127.0.0.1:80",
    "00000000-0000-0000-0000-000000000000",
    "http://a.example/",
    "a@a.example",
    "a",
    "en",
    "UTC",
    "1.0.0",
    "/",
];
const BYTE_LENGTHS: &[usize] = &[16, 0, 4, 6, 8, 12, 20, 24, 32, 64];
const NUMBERS: &[u8] = &[1, 0, 12, 100];
const CHARS: &[char] = &['a', '0', 'A'];

pub(super) struct Tracer<'t> {
    trace: &'t mut Trace,
    /// Inside a type that contains itself: sequences are empty, options are `None`.
    recursive: bool,
}

impl<'t> Tracer<'t> {
    pub(super) fn new(trace: &'t mut Trace) -> Self {
        Self {
            trace,
            recursive: false,
        }
    }

    fn parts<'a>(&'a mut self, left: usize) -> TracedParts<'a> {
        TracedParts {
            trace: self.trace,
            recursive: self.recursive,
            left,
            texts: Vec::new(),
        }
    }

    /// Enter the struct or enum `T`, visit its contents, and leave it.
    fn inside<T>(
        mut self,
        name: &'static str,
        visit: impl FnOnce(&mut Self) -> Result<T, TraceStopped>,
    ) -> Result<T, TraceStopped> {
        let within_itself = self.trace.enter::<T>()?;
        self.recursive |= within_itself;
        self.trace.shape.name::<T>(name);
        self.trace.shape.begin_part();
        let visited = visit(&mut self);
        let content = self.trace.shape.end_part();
        if visited.is_ok() && !self.recursive {
            self.trace.shape.define::<T>(content);
        }
        self.trace.open.pop();
        visited
    }
}

macro_rules! numbers {
    ($($method:ident => $visit:ident($type:ty), $kind:literal;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceStopped> {
            self.trace.note($kind)?;
            self.trace.shape.push(stringify!($type));
            let sample = NUMBERS[self.trace.sample(NUMBERS.len())];
            visitor.$visit(<$type>::from(sample))
        }
    )*};
}

impl<'de> Deserializer<'de> for Tracer<'_> {
    type Error = TraceStopped;

    numbers! {
        deserialize_i16 => visit_i16(i16), 3;
        deserialize_i32 => visit_i32(i32), 4; deserialize_i64 => visit_i64(i64), 5;
        deserialize_i128 => visit_i128(i128), 6; deserialize_u8 => visit_u8(u8), 7;
        deserialize_u16 => visit_u16(u16), 8; deserialize_u32 => visit_u32(u32), 9;
        deserialize_u64 => visit_u64(u64), 10; deserialize_u128 => visit_u128(u128), 11;
        deserialize_f32 => visit_f32(f32), 12; deserialize_f64 => visit_f64(f64), 13;
    }

    fn deserialize_i8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceStopped> {
        self.trace.note(2)?;
        self.trace.shape.push("i8");
        let sample = NUMBERS[self.trace.sample(NUMBERS.len())];
        visitor.visit_i8(i8::try_from(sample).unwrap_or_default())
    }
    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceStopped> {
        self.trace.note(1)?;
        self.trace.shape.push("bool");
        let sample = self.trace.sample(2) == 0;
        visitor.visit_bool(sample)
    }
    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceStopped> {
        self.trace.note(14)?;
        self.trace.shape.push("char");
        let sample = CHARS[self.trace.sample(CHARS.len())];
        visitor.visit_char(sample)
    }
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceStopped> {
        self.trace.note(15)?;
        self.trace.shape.push("string");
        let sample = TEXTS[self.trace.sample(TEXTS.len())];
        visitor.visit_str(sample)
    }
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceStopped> {
        self.deserialize_str(visitor)
    }
    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceStopped> {
        self.trace.note(16)?;
        self.trace.shape.push("bytes");
        let sample = BYTE_LENGTHS[self.trace.sample(BYTE_LENGTHS.len())];
        visitor.visit_byte_buf(vec![0; sample])
    }
    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceStopped> {
        self.deserialize_bytes(visitor)
    }
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceStopped> {
        self.trace.note(17)?;
        if self.recursive {
            self.trace.shape.push("Option<..>");
            return visitor.visit_none();
        }
        self.trace.descend()?;
        self.trace.shape.push("Option<");
        let visited = visitor.visit_some(Tracer {
            trace: self.trace,
            recursive: false,
        });
        self.trace.shape.push(">");
        self.trace.ascend();
        visited
    }
    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceStopped> {
        self.trace.note(18)?;
        self.trace.shape.push("()");
        visitor.visit_unit()
    }
    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, TraceStopped> {
        self.trace.note(19)?;
        self.trace.note_name(name);
        self.trace.shape.push(name);
        visitor.visit_unit()
    }
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, TraceStopped> {
        self.trace.note(20)?;
        self.trace.note_name(name);
        self.inside(name, |tracer| {
            let recursive = tracer.recursive;
            tracer.trace.shape.push("(");
            let visited = visitor.visit_newtype_struct(Tracer {
                trace: tracer.trace,
                recursive,
            });
            tracer.trace.shape.push(")");
            visited
        })
    }
    fn deserialize_seq<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, TraceStopped> {
        self.trace.note(21)?;
        let length = usize::from(!self.recursive);
        let mut parts = self.parts(length);
        let visited = visitor.visit_seq(&mut parts);
        let text = format!("[{}]", parts.text());
        self.trace.shape.push(&text);
        visited
    }
    fn deserialize_tuple<V: Visitor<'de>>(
        mut self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, TraceStopped> {
        self.trace.note(22)?;
        self.trace
            .log
            .extend_from_slice(&(length as u64).to_le_bytes());
        let mut parts = self.parts(length);
        let visited = visitor.visit_seq(&mut parts);
        let text = unnamed(&parts.texts);
        self.trace.shape.push(&text);
        visited
    }
    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, TraceStopped> {
        self.trace.note(23)?;
        self.trace.note_name(name);
        self.trace
            .log
            .extend_from_slice(&(length as u64).to_le_bytes());
        self.trace.note_struct(name, length);
        self.inside(name, |tracer| {
            let mut parts = tracer.parts(length);
            let visited = visitor.visit_seq(&mut parts);
            let text = unnamed(&parts.texts);
            tracer.trace.shape.push(&text);
            visited
        })
    }
    fn deserialize_map<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, TraceStopped> {
        self.trace.note(24)?;
        let length = usize::from(!self.recursive);
        let mut parts = self.parts(length);
        let visited = visitor.visit_map(&mut parts);
        let text = format!("map<{}>", parts.text());
        self.trace.shape.push(&text);
        visited
    }
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TraceStopped> {
        self.trace.note(25)?;
        self.trace.note_name(name);
        self.trace.note_names(fields);
        self.inside(name, |tracer| {
            // Counted, since an alias is one more field to serde.
            let mut parts = tracer.parts(fields.len());
            let visited = visitor.visit_seq(&mut parts);
            let length = fields.len() - parts.left;
            let text = named(fields, &parts.texts);
            tracer.trace.shape.push(&text);
            if visited.is_ok() {
                tracer.trace.note_struct(name, length);
                tracer.trace.note_fields(fields, length);
            }
            visited
        })
    }
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TraceStopped> {
        self.trace.note(26)?;
        self.trace.note_name(name);
        self.trace.note_names(variants);
        self.inside(name, |tracer| {
            let index = tracer
                .trace
                .variant::<V::Value>(variants.len(), tracer.recursive);
            tracer
                .trace
                .log
                .extend_from_slice(&(index as u32).to_le_bytes());
            let recursive = tracer.recursive;
            let variant = variants.get(index).copied().unwrap_or(name);
            tracer.trace.shape.begin_part();
            let visited = visitor.visit_enum(Variant {
                trace: tracer.trace,
                recursive,
                index,
                name: variant,
            });
            let content = tracer.trace.shape.end_part();
            if visited.is_ok() && !recursive {
                let shape = &mut tracer.trace.shape;
                shape.define_variant::<V::Value>(variants, index, content);
            }
            visited
        })
    }
    fn deserialize_any<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, TraceStopped> {
        self.trace.note(27)?;
        self.trace.shape.push("any");
        self.trace.asks_any = true;
        match self.trace.sample(5) {
            0 => visitor.visit_unit(),
            1 => visitor.visit_str(""),
            2 => visitor.visit_map(self.parts(0)),
            3 => visitor.visit_u64(1),
            _ => visitor.visit_seq(self.parts(0)),
        }
    }
    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TraceStopped> {
        self.deserialize_any(visitor)
    }
    fn deserialize_ignored_any<V: Visitor<'de>>(
        self,
        visitor: V,
    ) -> Result<V::Value, TraceStopped> {
        self.deserialize_any(visitor)
    }
    fn is_human_readable(&self) -> bool {
        false
    }
}

/// The elements, fields or entries of a compound type.
struct TracedParts<'a> {
    trace: &'a mut Trace,
    recursive: bool,
    left: usize,
    /// The text of each part.
    texts: Vec<String>,
}

impl TracedParts<'_> {
    /// Return the text of an element or an entry. There is none inside a type that contains itself.
    fn text(&self) -> String {
        match self.texts.is_empty() {
            true => "..".to_owned(),
            false => self.texts.join(", "),
        }
    }

    fn part<'de, S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, TraceStopped> {
        self.trace.descend()?;
        self.trace.shape.begin_part();
        let part = seed.deserialize(self.next());
        self.texts.push(self.trace.shape.end_part());
        self.trace.ascend();
        part
    }

    fn next(&mut self) -> Tracer<'_> {
        Tracer {
            trace: self.trace,
            recursive: self.recursive,
        }
    }
}

impl<'de> de::SeqAccess<'de> for TracedParts<'_> {
    type Error = TraceStopped;
    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, TraceStopped> {
        match self.left.checked_sub(1) {
            None => Ok(None),
            Some(left) => {
                self.left = left;
                self.part(seed).map(Some)
            }
        }
    }
}

impl<'de> de::MapAccess<'de> for TracedParts<'_> {
    type Error = TraceStopped;
    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, TraceStopped> {
        de::SeqAccess::next_element_seed(self, seed)
    }
    fn next_value_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<S::Value, TraceStopped> {
        self.part(seed)
    }
}

/// One variant of an enum.
struct Variant<'a> {
    trace: &'a mut Trace,
    recursive: bool,
    index: usize,
    name: &'static str,
}

impl<'a> Variant<'a> {
    fn parts(self, left: usize) -> TracedParts<'a> {
        TracedParts {
            trace: self.trace,
            recursive: self.recursive,
            left,
            texts: Vec::new(),
        }
    }
}

impl<'de, 'a> de::EnumAccess<'de> for Variant<'a> {
    type Error = TraceStopped;
    type Variant = Self;
    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self), TraceStopped> {
        let index = u32::try_from(self.index).map_err(|_| TraceStopped)?;
        let index: de::value::U32Deserializer<TraceStopped> = index.into_deserializer();
        Ok((seed.deserialize(index)?, self))
    }
}

impl<'de> de::VariantAccess<'de> for Variant<'_> {
    type Error = TraceStopped;
    fn unit_variant(self) -> Result<(), TraceStopped> {
        self.trace.note(28)
    }
    fn newtype_variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<S::Value, TraceStopped> {
        self.trace.note(29)?;
        self.trace.shape.push("(");
        let visited = seed.deserialize(Tracer {
            trace: self.trace,
            recursive: self.recursive,
        });
        self.trace.shape.push(")");
        visited
    }
    fn tuple_variant<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, TraceStopped> {
        self.trace.note(30)?;
        self.trace
            .log
            .extend_from_slice(&(length as u64).to_le_bytes());
        self.trace.note_struct(self.name, length);
        let mut parts = self.parts(length);
        let visited = visitor.visit_seq(&mut parts);
        let text = unnamed(&parts.texts);
        parts.trace.shape.push(&text);
        visited
    }
    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TraceStopped> {
        self.trace.note(31)?;
        self.trace.note_names(fields);
        let name = self.name;
        let mut parts = self.parts(fields.len());
        let visited = visitor.visit_seq(&mut parts);
        let length = fields.len() - parts.left;
        let text = named(fields, &parts.texts);
        parts.trace.shape.push(&text);
        if visited.is_ok() {
            parts.trace.note_struct(name, length);
            parts.trace.note_fields(fields, length);
        }
        visited
    }
}
