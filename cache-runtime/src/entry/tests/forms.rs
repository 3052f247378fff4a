//! The forms in which one value can be stored: by each codec, compressed or not, or not at all.

use super::*;
use crate::entry::compression::METHODS;

fn with(encoding: &Encoding) -> Vec<u8> {
    encode(&long_post(), &Facts::default(), encoding).expect("encodes")
}

fn long_post() -> Post {
    let tags = (0..100).map(|n| format!("tag number {n}")).collect();
    Post { tags, ..post() }
}

/// Return the codecs of this build.
fn codecs() -> Vec<Codec> {
    Codec::default().and_fallbacks().collect()
}

fn refusal<T: Settable + ?Sized>(value: &T, encoding: &Encoding) -> Option<(usize, usize)> {
    match encode(value, &Facts::default(), encoding) {
        Ok(_) => None,
        Err(CacheError::TooLarge { bytes, limit }) => Some((bytes, limit)),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn the_chosen_codec_writes_and_every_codec_is_read() {
    let mut forms = std::collections::BTreeSet::new();
    for codec in codecs() {
        let encoding = Encoding {
            codec,
            ..Encoding::default()
        };
        let bytes = with(&encoding);
        assert_eq!(inspect(&bytes).map(|header| header.codec), Some(codec.id()));
        assert_eq!(decode::<Post>(&bytes, None), Some(long_post()), "{codec:?}");
        forms.insert(bytes);
    }
    assert_eq!(
        forms.len(),
        codecs().len(),
        "each codec has a form of its own"
    );
}

#[test]
fn a_value_that_one_codec_cannot_carry_is_written_by_the_next() {
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Sparse {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<u32>,
        id: u32,
    }
    for codec in codecs() {
        let encoding = Encoding {
            codec,
            ..Encoding::default()
        };
        let sparse = Sparse { note: None, id: 5 };
        let bytes = encode(&sparse, &Facts::default(), &encoding).expect("encodes");
        let by = inspect(&bytes).map(|header| header.codec);
        assert_eq!(by, Some(Codec::MessagePack.id()), "{codec:?}");
        assert_eq!(decode(&bytes, None), Some(sparse));

        // A build without a compact codec has no other codec to fall back to.
        let nested = Some(None::<u8>);
        match encode(&nested, &Facts::default(), &encoding) {
            Ok(bytes) => {
                let by = inspect(&bytes).map(|header| header.codec);
                assert_ne!(by, Some(Codec::MessagePack.id()), "{codec:?}");
                assert_eq!(decode(&bytes, None), Some(nested));
            }
            Err(error) => assert_eq!(codecs().len(), 1, "{codec:?}: {error}"),
        }
    }
}

#[cfg(all(feature = "bincode", feature = "postcard"))]
#[test]
fn a_compact_codec_falls_back_to_the_self_describing_one() {
    let order = |codec: Codec| codec.and_fallbacks().collect::<Vec<_>>();
    use Codec::*;
    assert_eq!(order(Bincode), [Bincode, MessagePack, Postcard]);
    assert_eq!(order(Postcard), [Postcard, MessagePack, Bincode]);
    assert_eq!(order(MessagePack), [MessagePack, Bincode, Postcard]);
    assert_eq!(Codec::default(), Bincode);
}

#[test]
fn values_over_the_threshold_are_compressed_and_read_back() {
    let plain = with(&Encoding::default());
    let value_bytes = plain.len() - HEADER_BYTES;
    for (compress_over, smaller) in [
        (value_bytes, false),
        (value_bytes - 1, true),
        (0, true),
        (usize::MAX, false),
    ] {
        let bytes = with(&Encoding {
            compress_over: Some(compress_over),
            ..Encoding::default()
        });
        let smaller = smaller && !METHODS.is_empty();
        assert_eq!(bytes.len() < plain.len(), smaller, "over {compress_over}");
        assert!(smaller || bytes == plain);
        let compression = inspect(&bytes).map(|header| header.compression);
        assert_eq!(compression != Some(0), smaller);
        assert_eq!(decode::<Post>(&bytes, None), Some(long_post()));
    }
}

#[test]
fn an_incompressible_value_is_stored_uncompressed() {
    let encoding = Encoding {
        compress_over: Some(0),
        ..Encoding::default()
    };
    let mut random = 1u64;
    let mut noise: Vec<u8> = std::iter::repeat_with(|| {
        random = random.wrapping_mul(6_364_136_223_846_793_005) + 1;
        (random >> 56) as u8
    })
    .take(1_000)
    .collect();
    if Codec::default() == Codec::MessagePack {
        // Numbers from 128 on take two bytes, of which the first is always the same.
        noise.clear();
    }
    for value in [vec![], vec![7], vec![7, 8, 9], noise] {
        let bytes = encode(&value, &Facts::default(), &encoding).expect("encodes");
        let plain = encode(&value, &Facts::default(), &Encoding::default()).expect("encodes");
        assert_eq!(bytes, plain);
        assert_eq!(decode::<Vec<u8>>(&bytes, None), Some(value));
    }
}

#[test]
fn flipped_and_truncated_bytes_of_a_compressed_value_are_misses() {
    let bytes = with(&Encoding {
        compress_over: Some(0),
        ..Encoding::default()
    });
    for at in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[at / 8] ^= 1 << (at % 8);
        let read = decode::<Post>(&flipped, None).is_some();
        // The version isn't checked here, but the checksum covers it.
        assert_eq!(read, TOKEN_RANGE.contains(&(at / 8)), "bit {at}");
    }
    for length in 0..bytes.len() {
        assert_eq!(decode::<Post>(&bytes[..length], None), None, "{length}");
    }
}

/// The method of another build, or an unassigned number.
#[test]
fn a_compression_that_this_build_lacks_is_a_miss() {
    let bytes = with(&Encoding {
        compress_over: Some(0),
        ..Encoding::default()
    });
    let ours = inspect(&bytes).map(|header| header.compression);
    for number in 1..=255 {
        let mut other = bytes.clone();
        other[60] = number;
        if Some(number) != ours {
            assert_eq!(
                decode::<Post>(&header::reseal(other), None),
                None,
                "{number}"
            );
        }
    }
    // An uncompressed value marked as compressed.
    for number in 1..=255 {
        let mut plain = with(&Encoding::default());
        plain[60] = number;
        assert_eq!(
            decode::<Post>(&header::reseal(plain), None),
            None,
            "{number}"
        );
    }
}

#[test]
fn the_limit_of_a_value_applies_before_compression() {
    let plain = with(&Encoding::default());
    let value_bytes = plain.len() - HEADER_BYTES;
    for compress_over in [None, Some(0)] {
        let limited = |limit| Encoding {
            max_value_bytes: Some(limit),
            compress_over,
            ..Encoding::default()
        };
        assert_eq!(refusal(&long_post(), &limited(value_bytes)), None);
        assert_eq!(
            refusal(&long_post(), &limited(value_bytes - 1)),
            Some((value_bytes, value_bytes - 1))
        );
    }
}

#[cfg(feature = "redis")]
#[test]
fn the_limit_of_a_redis_entry_applies_to_its_bytes_as_sent() {
    let most = options::MAX_REDIS_BYTES;
    let encoding = Encoding::default().in_redis(None);
    let fitting = "x".repeat(most - HEADER_BYTES - 16);
    assert_eq!(refusal(&fitting, &encoding), None);
    let text = "x".repeat(most);
    let (bytes, limit) = refusal(&text, &encoding).expect("too large");
    assert_eq!((bytes > most, limit), (true, most));
    // The value's own limit doesn't raise the entry's.
    let generous = Encoding {
        max_value_bytes: Some(usize::MAX),
        ..encoding
    };
    assert_eq!(refusal(&text, &generous), Some((bytes, limit)));
    // The limit applies to the entry as sent: it may be larger before compression.
    let compressing = Encoding {
        compress_over: Some(0),
        ..encoding
    };
    assert_eq!(refusal(&text, &compressing).is_none(), !METHODS.is_empty());
}

#[test]
fn the_memory_store_limits_by_its_capacity_and_does_not_compress() {
    let encoding = Encoding {
        compress_over: Some(0),
        max_value_bytes: Some(1_000),
        ..Encoding::default()
    };
    let checked = |room: usize, bytes: usize| match encoding.in_memory(room).check(bytes) {
        Err(CacheError::TooLarge { limit, .. }) => Some(limit),
        _ => None,
    };
    assert_eq!(checked(2_000, 1_000), None);
    assert_eq!(checked(2_000, 1_001), Some(1_000));
    assert_eq!(checked(500, 501), Some(500));
    let text = "x".repeat(900);
    let bytes = encode(&text, &Facts::default(), &encoding.in_memory(2_000)).expect("encodes");
    assert!(bytes.len() > 900);
    let room = bytes.len() - 1;
    assert_eq!(
        refusal(&text, &encoding.in_memory(room)),
        Some((bytes.len(), room))
    );
}
