use serde::{Deserialize, Serialize};

use crate::entry::*;

mod forms;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Post {
    id: u32,
    title: String,
    tags: Vec<String>,
    kind: Kinds,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Kinds {
    Draft,
    Dated(u64),
    Linked { to: Option<Box<Post>> },
}

fn post() -> Post {
    let kind = Kinds::Linked { to: None };
    Post {
        id: 7,
        title: "a title".to_owned(),
        tags: vec!["x".to_owned()],
        kind,
    }
}

fn encode<T: Settable + ?Sized>(
    value: &T,
    facts: &Facts,
    encoding: &Encoding,
) -> Result<Vec<u8>, CacheError> {
    super::encode(value, facts, encoding, incomparable).map(|encoded| encoded.bytes)
}

fn encoded<T: Settable + ?Sized>(value: &T) -> Vec<u8> {
    encode(
        value,
        &Facts {
            version: 3,
            token: 9,
            ..Facts::default()
        },
        &Encoding::default(),
    )
    .expect("encodes")
}

#[test]
fn an_entry_reads_back_as_its_own_type_and_version_only() {
    let bytes = encoded(&post());
    assert_eq!(decode::<Post>(&bytes, Some(3)), Some(post()));
    assert_eq!(decode::<Post>(&bytes, Some(4)), None);
    assert_eq!(decode::<(u32, String, Vec<String>)>(&bytes, None), None);
    assert_eq!(inspect(&bytes).map(|header| header.token), Some(9));
}

#[test]
fn a_changed_field_variant_or_name_is_another_type() {
    fn fingerprint<T: DeserializeOwned + 'static>() -> u64 {
        fingerprint::of::<T>().fingerprint
    }
    macro_rules! shapes {
        ($($name:ident { $($body:tt)* })*) => {{
            let mut seen = Vec::new();
            $({
                #[derive(Deserialize)]
                #[allow(dead_code)]
                struct $name { $($body)* }
                seen.push(fingerprint::<$name>());
            })*
            seen
        }};
    }
    let mut seen = shapes! {
        A { a: u32, b: u32 }
        B { a: u32, b: u32 }
    };
    seen.extend(shapes! { A { b: u32, a: u32 } });
    seen.extend(shapes! { A { a: u32, b: u64 } });
    seen.extend(shapes! { A { a: u32, b: Option<u32> } });
    seen.extend(shapes! { A { a: u32, b: Vec<u32> } });
    seen.extend(shapes! { A { a: u32, b: (u32, u32) } });
    seen.extend(shapes! { A { a: u32, b: Kinds } });
    let distinct: std::collections::BTreeSet<u64> = seen.iter().copied().collect();
    assert_eq!(distinct.len(), seen.len());
    assert_eq!(
        fingerprint::<Box<str>>(),
        fingerprint::<String>(),
        "serde represents them alike"
    );
}

#[test]
fn fields_after_a_refused_sample_or_a_recursion_are_traced() {
    mod one {
        #[derive(serde::Deserialize)]
        #[allow(dead_code)]
        pub(crate) struct Event {
            on: super::what::Date,
            replies: Vec<Event>,
            name: String,
        }
    }
    mod other {
        #[derive(serde::Deserialize)]
        #[allow(dead_code)]
        pub(crate) struct Event {
            on: super::what::Date,
            replies: Vec<Event>,
            name: u64,
        }
    }
    let (one, other) = (
        fingerprint::of::<one::Event>(),
        fingerprint::of::<other::Event>(),
    );
    assert!(one.plain && other.plain);
    assert_ne!(one.fingerprint, other.fingerprint);
    assert!(fingerprint::of::<what::Date>().plain);
}

/// A date that accepts no other text, for the two events above.
mod what {
    #[derive(serde::Deserialize)]
    #[serde(try_from = "String")]
    #[allow(dead_code)]
    pub(crate) struct Date(String);
    impl TryFrom<String> for Date {
        type Error = &'static str;
        fn try_from(text: String) -> Result<Self, &'static str> {
            if text.len() == 10 {
                Ok(Self(text))
            } else {
                Err("no date")
            }
        }
    }
}

#[test]
fn every_flipped_bit_and_every_truncation_is_a_miss() {
    let bytes = encoded(&post());
    for at in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[at / 8] ^= 1 << (at % 8);
        let token = TOKEN_RANGE.contains(&(at / 8));
        assert_eq!(
            decode::<Post>(&flipped, Some(3)).is_some(),
            token,
            "bit {at}"
        );
    }
    for length in 0..bytes.len() {
        assert_eq!(
            decode::<Post>(&bytes[..length], None),
            None,
            "{length} bytes"
        );
    }
}

/// A refresh replaces the token in place, so the checksum doesn't cover it.
const TOKEN_RANGE: std::ops::Range<usize> = 8..32;

#[test]
fn a_value_that_a_positional_codec_would_misread_is_stored_self_describing() {
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Sparse {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<u32>,
        id: u32,
    }
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Hidden {
        #[serde(skip_serializing, default)]
        secret: u32,
        id: u32,
    }
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "kind")]
    enum Tagged {
        Number { value: i64 },
        Text { value: String },
    }
    let codec = |bytes: &[u8]| inspect(bytes).map(|header| header.codec);
    let self_describing = codec(&encoded(&Tagged::Number { value: -1 }));

    for value in [
        Tagged::Number { value: -1 },
        Tagged::Text {
            value: "x".to_owned(),
        },
    ] {
        assert_eq!(decode::<Tagged>(&encoded(&value), None), Some(value));
    }
    let sparse = Sparse { note: None, id: 5 };
    assert_eq!(codec(&encoded(&sparse)), self_describing);
    assert_eq!(decode::<Sparse>(&encoded(&sparse), None), Some(sparse));
    // Refused even with the default value: a later value would lose a field that the type never
    // writes.
    let hidden = Hidden { secret: 0, id: 5 };
    let refused = encode(&hidden, &Facts::default(), &Encoding::default());
    assert!(matches!(refused, Err(CacheError::Changed { .. })));
}

#[cfg(any(feature = "bincode", feature = "postcard"))]
#[test]
fn plain_values_take_the_positional_codec() {
    let full = encoded(&post());
    assert_ne!(inspect(&full).map(|header| header.codec), Some(3));
    let nested = Some(None::<u8>);
    assert_eq!(
        decode::<Option<Option<u8>>>(&encoded(&nested), None),
        Some(nested)
    );
}

#[test]
fn a_none_and_a_text_have_different_bytes() {
    let none = nothing::<Post>(&Facts {
        version: 3,
        ..Facts::default()
    });
    assert_eq!(read::<Post>(&none, Some(3)), Some(CachedValue::None));
    assert_eq!(decode::<Post>(&none, None), None);
    assert_eq!(
        decode::<String>(&encoded("text"), None).as_deref(),
        Some("text")
    );
    assert_eq!(
        decode::<Vec<u8>>(&encoded(&[1u8, 2][..]), None),
        Some(vec![1, 2])
    );
}

/// Bytes with forged lengths under a correct checksum: an attacker who can write to the store can
/// make them.
#[test]
fn forged_lengths_are_errors_and_cost_no_more_than_the_input() {
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Lengths {
        text: String,
        bytes: Vec<u8>,
        words: Vec<String>,
        map: std::collections::BTreeMap<String, u64>,
        units: Vec<()>,
    }
    let honest = Lengths {
        text: "text".to_owned(),
        bytes: vec![1, 2, 3],
        words: vec!["a".to_owned(), "b".to_owned()],
        map: [("k".to_owned(), 1)].into(),
        units: vec![(); 3],
    };
    let bytes = encoded(&honest);
    assert_eq!(decode::<Lengths>(&bytes, None), Some(honest));
    let mut random = 0x9E37_79B9_7F4A_7C15u64;
    for at in HEADER_BYTES..bytes.len() {
        for lie in [0xFB, 0xFC, 0xFD, 0xFE, 0xFF, 0x7F, 0xDB, 0xDD, 0xDF] {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let mut lying = bytes[..at].to_vec();
            lying.push(lie);
            // A length of up to 2^64 follows, in any codec's encoding.
            lying.extend_from_slice(&random.to_le_bytes());
            lying.extend_from_slice(&bytes[at + 1..]);
            let lying = header::reseal(lying);
            // Must neither panic nor abort, as an allocation of such a length would.
            let _ = decode::<Lengths>(&lying, None);
        }
    }
    for length in 0..200 {
        let mut noise = bytes[..HEADER_BYTES].to_vec();
        for _ in 0..length {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            noise.push((random >> 56) as u8);
        }
        let _ = decode::<Lengths>(&header::reseal(noise), None);
    }
}

/// Deeply nested bytes under a correct header.
#[test]
fn deeply_nested_bytes_are_an_error_and_do_not_overflow_the_stack() {
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct List {
        next: Option<Box<List>>,
    }
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(untagged)]
    enum Json {
        Number(u64),
        Many(Vec<Json>),
    }
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Known {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        known: Option<u64>,
    }
    fn forged<T: Serialize + DeserializeOwned + 'static>(value: &T, part: &[u8]) -> Vec<u8> {
        let header = &encoded(value)[..HEADER_BYTES];
        header::reseal([header, &part.repeat(100_000)].concat())
    }
    std::thread::Builder::new()
        .stack_size(1 << 20)
        .spawn(|| {
            // A `Some`, in every positional codec.
            let list = List { next: None };
            assert_eq!(decode::<List>(&forged(&list, &[1]), None), None);
            // An array of one element.
            let json = Json::Many(vec![]);
            assert_eq!(decode::<Json>(&forged(&json, &[0x91]), None), None);
            // The same in a field that is ignored: `{"x": [[[..`.
            let known = Known { known: None };
            let mut bytes = encoded(&known)[..HEADER_BYTES].to_vec();
            bytes.extend([0x81, 0xA1, b'x']);
            bytes.extend([0x91; 100_000]);
            assert_eq!(decode::<Known>(&header::reseal(bytes), None), None);
        })
        .expect("a thread starts")
        .join()
        .expect("no overflow");
}

#[test]
fn only_types_of_the_standard_library_are_identified_by_name() {
    #[derive(Serialize, Deserialize)]
    struct Own;
    fn is_std_only<T: DeserializeOwned + 'static>() -> bool {
        fingerprint::of::<T>().std_only
    }
    assert!(is_std_only::<Vec<(u8, Option<String>, [f64; 3])>>());
    assert!(is_std_only::<std::collections::HashMap<Box<str>, ()>>());
    assert!(!is_std_only::<Own>());
    assert!(!is_std_only::<Vec<Option<Own>>>());
}
