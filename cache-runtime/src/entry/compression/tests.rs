use super::*;

const HEADER: usize = 8;

fn entry(value: &[u8]) -> Vec<u8> {
    [&[9; HEADER][..], value].concat()
}

/// Text-like, so that every method compresses it.
fn text(length: usize) -> Vec<u8> {
    let words = (0u32..).flat_map(|n| format!("word {} and ", n % 97 * n).into_bytes());
    words.take(length).collect()
}

#[test]
fn each_method_returns_the_bytes_that_it_compressed() {
    for method in METHODS {
        for length in [100, 1_000, 70_000, 1 << 20] {
            let value = text(length);
            let shorter = method.compress(&entry(&value), HEADER).expect("shorter");
            assert!(shorter.len() < HEADER + length);
            assert_eq!(shorter[..HEADER], [9; HEADER]);
            let expanded = expand(method.number, &shorter[HEADER..]);
            assert_eq!(expanded.as_deref(), Some(&value[..]), "{}", method.number);
        }
    }
}

#[test]
fn the_first_method_is_used_and_numbers_are_distinct() {
    let numbers: Vec<u8> = METHODS.iter().map(|method| method.number).collect();
    let mut expected = vec![];
    if cfg!(feature = "zstd") {
        expected.push(2);
    }
    if cfg!(feature = "lz4") {
        expected.push(1);
    }
    assert_eq!(numbers, expected);
    let mut entry = entry(&text(1_000));
    let used = compress(&mut entry, HEADER);
    assert_eq!(used, expected.first().copied().unwrap_or(NONE));
}

/// An attacker who can write to the store can forge the checksum, so only the limits stop these.
#[test]
fn a_forged_length_is_a_miss_and_allocates_nothing() {
    for method in METHODS {
        let value = text(10_000);
        let shorter = method.compress(&entry(&value), HEADER).expect("shorter");
        let bytes = &shorter[HEADER..];
        let claiming = |length: u32| [&length.to_le_bytes()[..], &bytes[LENGTH_BYTES..]].concat();
        assert!(expand(method.number, &claiming(10_000)).is_some());
        for lie in [
            0,
            1,
            9_999,
            10_001,
            ANY_RATIO_BYTES as u32,
            ANY_RATIO_BYTES as u32 + 1,
            1 << 29,
            u32::MAX,
        ] {
            assert_eq!(expand(method.number, &claiming(lie)), None, "{lie}");
        }
    }
    assert!(is_credible(ANY_RATIO_BYTES, 1));
    assert!(!is_credible(ANY_RATIO_BYTES + 1, 1));
    assert!(is_credible(MAX_BYTES, MAX_BYTES / MAX_RATIO));
    assert!(!is_credible(MAX_BYTES, MAX_BYTES / MAX_RATIO - 1));
    assert!(!is_credible(MAX_BYTES + 1, usize::MAX));
}

#[test]
fn damaged_bytes_are_misses_or_other_bytes_and_never_a_panic() {
    for method in METHODS {
        let value = text(2_000);
        let shorter = method.compress(&entry(&value), HEADER).expect("shorter");
        let bytes = &shorter[HEADER..];
        for length in 0..bytes.len() {
            let cut = expand(method.number, &bytes[..length]);
            assert_eq!(cut, None, "{length} bytes");
        }
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            // Only the checksum, which is verified earlier, can detect that these are other texts.
            let found = expand(method.number, &flipped);
            assert!(found.is_none_or(|found| found.len() == value.len()));
        }
        let mut random = 1u64;
        for length in 0..300 {
            let mut noise = 5_000u32.to_le_bytes().to_vec();
            noise.extend((0..length).map(|_| {
                random = random.wrapping_mul(6_364_136_223_846_793_005) + 1;
                (random >> 56) as u8
            }));
            assert!(expand(method.number, &noise).is_none_or(|found| found.len() == 5_000));
        }
    }
}

/// Bytes that a reader would reject aren't written either: Zstandard makes some two kilobytes of
/// this.
#[test]
fn a_value_that_readers_would_reject_for_its_ratio_is_stored_uncompressed() {
    for method in METHODS {
        let value = vec![b'x'; ANY_RATIO_BYTES + 1];
        let shorter = method.compress(&entry(&value), HEADER);
        assert_eq!(shorter.is_some(), method.number == 1);
        if let Some(bytes) = shorter {
            let expanded = expand(method.number, &bytes[HEADER..]);
            assert!(expanded.is_some_and(|expanded| *expanded == value));
        }
    }
}
