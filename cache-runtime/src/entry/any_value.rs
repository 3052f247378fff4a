//! A value of unknown type.

use std::fmt;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A value of any type, for tools that show values whose types they don't know. Read by
/// [`Inspection::decode`](crate::Inspection::decode) from a codec that describes its values, and
/// serialized as the value was. Maps keep their order. JSON has no other keys than texts, so other
/// keys are serialized as their text.
///
/// ```
/// # use cache_runtime::{AnyValue, Cache, Codec};
/// # async fn run() -> Result<(), cache_runtime::CacheError> {
/// let cache = Cache::builder().codec(Codec::MessagePack).build()?;
/// cache.set("answer", &vec![42], 60).await?;
/// let entry = cache.inspect("answer").await?.expect("it is cached");
/// assert_eq!(entry.decode(), Some(AnyValue::List(vec![AnyValue::Unsigned(42)])));
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum AnyValue {
    /// `None`, or `()`.
    Null,
    /// A `bool`.
    Bool(bool),
    /// A negative integer, or one that its codec wrote as a signed one.
    Signed(i64),
    /// Another integer.
    Unsigned(u64),
    /// A number with a fraction.
    Float(f64),
    /// A text.
    Text(String),
    /// A byte string.
    Bytes(Vec<u8>),
    /// A sequence, a tuple, or a struct whose codec leaves out names.
    List(Vec<Self>),
    /// A map or a struct.
    Map(Vec<(Self, Self)>),
}

impl<'de> Deserialize<'de> for AnyValue {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(AnyVisitor)
    }
}

struct AnyVisitor;

impl<'de> Visitor<'de> for AnyVisitor {
    type Value = AnyValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<AnyValue, E> {
        Ok(AnyValue::Null)
    }

    fn visit_none<E>(self) -> Result<AnyValue, E> {
        Ok(AnyValue::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<AnyValue, D::Error> {
        AnyValue::deserialize(from)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, from: D) -> Result<AnyValue, D::Error> {
        AnyValue::deserialize(from)
    }

    fn visit_bool<E>(self, value: bool) -> Result<AnyValue, E> {
        Ok(AnyValue::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<AnyValue, E> {
        Ok(AnyValue::Signed(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<AnyValue, E> {
        Ok(AnyValue::Unsigned(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<AnyValue, E> {
        Ok(AnyValue::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<AnyValue, E> {
        Ok(AnyValue::Text(value.to_owned()))
    }

    fn visit_bytes<E>(self, value: &[u8]) -> Result<AnyValue, E> {
        Ok(AnyValue::Bytes(value.to_vec()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<AnyValue, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(AnyValue::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<AnyValue, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(AnyValue::Map(entries))
    }
}

impl Serialize for AnyValue {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => to.serialize_unit(),
            Self::Bool(value) => to.serialize_bool(*value),
            Self::Signed(value) => to.serialize_i64(*value),
            Self::Unsigned(value) => to.serialize_u64(*value),
            Self::Float(value) => to.serialize_f64(*value),
            Self::Text(value) => to.serialize_str(value),
            // As serde_json writes a `Vec<u8>`.
            Self::Bytes(value) => value.serialize(to),
            Self::List(items) => {
                let mut list = to.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(item)?;
                }
                list.end()
            }
            Self::Map(entries) => {
                let mut map = to.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    map.serialize_entry(&key.as_name(), value)?;
                }
                map.end()
            }
        }
    }
}

impl AnyValue {
    /// Return the text of a map's key.
    fn as_name(&self) -> String {
        let list = |items: &[Self]| {
            let items: Vec<String> = items.iter().map(Self::as_name).collect();
            format!("[{}]", items.join(","))
        };
        match self {
            Self::Null => "null".to_owned(),
            Self::Bool(value) => value.to_string(),
            Self::Signed(value) => value.to_string(),
            Self::Unsigned(value) => value.to_string(),
            Self::Float(value) => value.to_string(),
            Self::Text(text) => text.clone(),
            Self::Bytes(bytes) => format!("{bytes:?}"),
            Self::List(items) => list(items),
            Self::Map(entries) => {
                let entries = entries.iter();
                let pair =
                    |(key, value): &(Self, Self)| format!("{}:{}", key.as_name(), value.as_name());
                format!("{{{}}}", entries.map(pair).collect::<Vec<_>>().join(","))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_keeps_its_order_and_gets_names_as_keys() {
        let map = AnyValue::Map(vec![
            (AnyValue::Unsigned(2), AnyValue::Null),
            (
                AnyValue::Text("a".to_owned()),
                AnyValue::List(vec![AnyValue::Float(0.5), AnyValue::Bytes(vec![1, 2])]),
            ),
            (
                AnyValue::List(vec![AnyValue::Bool(true)]),
                AnyValue::Signed(-1),
            ),
        ]);
        assert_eq!(
            serde_json::to_string(&map).expect("it is JSON"),
            r#"{"2":null,"a":[0.5,[1,2]],"[true]":-1}"#
        );
    }

    #[test]
    fn a_value_is_read_as_it_is_written() {
        let text = r#"{"b":[null,true,-1,7,0.5,"x"],"a":{}}"#;
        let value: AnyValue = serde_json::from_str(text).expect("it is JSON");
        assert_eq!(serde_json::to_string(&value).expect("it is JSON"), text);
    }
}
