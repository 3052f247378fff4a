//! The parts of a traced type: elements, entries, fields, variants.

use serde::de::{self, DeserializeSeed, IntoDeserializer, Visitor};

use super::trace::{Trace, TraceStopped};
use super::tracer::Tracer;

/// The elements, fields or entries of a compound type.
pub(super) struct Parts<'a> {
    pub(super) trace: &'a mut Trace,
    pub(super) recursive: bool,
    pub(super) left: usize,
}

impl Parts<'_> {
    fn next(&mut self) -> Tracer<'_> {
        Tracer {
            trace: self.trace,
            recursive: self.recursive,
        }
    }
}

impl<'de> de::SeqAccess<'de> for Parts<'_> {
    type Error = TraceStopped;
    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, TraceStopped> {
        match self.left.checked_sub(1) {
            None => Ok(None),
            Some(left) => {
                self.left = left;
                self.trace.descend()?;
                let part = seed.deserialize(self.next());
                self.trace.ascend();
                part.map(Some)
            }
        }
    }
}

impl<'de> de::MapAccess<'de> for Parts<'_> {
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
        self.trace.descend()?;
        let value = seed.deserialize(self.next());
        self.trace.ascend();
        value
    }
}

/// One variant of an enum.
pub(super) struct Variant<'a> {
    pub(super) trace: &'a mut Trace,
    pub(super) recursive: bool,
    pub(super) index: usize,
    pub(super) name: &'static str,
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
        seed.deserialize(Tracer {
            trace: self.trace,
            recursive: self.recursive,
        })
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
        visitor.visit_seq(Parts {
            trace: self.trace,
            recursive: self.recursive,
            left: length,
        })
    }
    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TraceStopped> {
        self.trace.note(31)?;
        self.trace.note_names(fields);
        let mut parts = Parts {
            trace: self.trace,
            recursive: self.recursive,
            left: fields.len(),
        };
        let visited = visitor.visit_seq(&mut parts);
        let length = fields.len() - parts.left;
        if visited.is_ok() {
            parts.trace.note_struct(self.name, length);
            parts.trace.note_fields(fields, length);
        }
        visited
    }
}
