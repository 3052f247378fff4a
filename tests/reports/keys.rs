//! Different arguments with one key, and equal arguments with different keys.
#![allow(dead_code, reason = "of most functions only the keys are asked for")]

use std::borrow::Cow;
use std::collections::HashSet;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use cache_runtime::{cacheable, invalidate};
use tests::on_both_stores;

use crate::common::{Runs, memory};

#[cacheable(key = "floats:<<x>>")]
fn shown_float(x: f64) -> f64 {
    x
}

#[cacheable]
fn hashed_float(x: f64) -> f64 {
    x
}

// Floats as arguments: NaN never hits, or 0.0 and -0.0, or 0.3 and 0.1 + 0.2, share an entry.
#[test]
fn floats_have_keys_of_their_own_and_nan_hits() {
    let floats = [
        0.0,
        -0.0,
        0.3,
        0.1 + 0.2,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
        f64::MIN_POSITIVE,
        f64::MAX,
        9_007_199_254_740_993.0,
        9_007_199_254_740_994.0,
    ];
    let cache = memory();
    cache.scope_sync(|| {
        let shown: HashSet<String> = floats.into_iter().map(shown_float_cache_key).collect();
        let hashed: HashSet<String> = floats.into_iter().map(hashed_float_cache_key).collect();
        // The last two differ by one unit in the last place.
        let distinct: HashSet<u64> = floats.into_iter().map(f64::to_bits).collect();
        assert_eq!(
            (shown.len(), hashed.len()),
            (distinct.len(), distinct.len())
        );
        for _ in 0..2 {
            assert!(shown_float(f64::NAN).is_nan() && hashed_float(f64::NAN).is_nan());
        }
    });
    assert_eq!(cache.stats().hits, 2);
}

#[cacheable(key = "words:<<word>>", skip(runs))]
async fn word(word: &str, runs: &Runs) -> u32 {
    runs.next()
}

#[invalidate(patterns = ["words:<<word>>"])]
async fn forget(word: &str) {}

const TEXTS: [&str; 14] = [
    "caf\u{e9}",
    "cafe\u{301}",
    "CAF\u{c9}",
    "Cafe",
    "cafe",
    " cafe",
    "cafe ",
    "stra\u{df}e",
    "strasse",
    "\u{1F468}\u{200D}\u{1F469}",
    "\u{202E}abc",
    "\u{FEFF}cafe",
    "\u{2028}",
    "",
];

// Texts that look or sort alike (other case, other normal form, blanks, invisible characters) share
// an entry.
#[tokio::test]
async fn texts_that_look_alike_have_different_keys() {
    on_both_stores(|cache| async move {
        let runs = Runs::default();
        for (at, text) in TEXTS.iter().enumerate() {
            assert_eq!(word(text, &runs).await, at as u32 + 1, "{text:?}");
        }
        for (at, text) in TEXTS.iter().enumerate() {
            assert_eq!(word(text, &runs).await, at as u32 + 1, "{text:?}");
        }
        forget(TEXTS[1]).await;
        assert_eq!(cache.stats().invalidated, 1);
        assert_eq!(word(TEXTS[0], &runs).await, 1);
        assert_eq!(word(TEXTS[1], &runs).await, TEXTS.len() as u32 + 1);
    })
    .await;
}

// A key longer than the store allows is truncated or refused, so long arguments share an entry.
#[tokio::test]
async fn very_long_arguments_have_different_keys_and_are_invalidated() {
    on_both_stores(|cache| async move {
        let runs = Runs::default();
        let long = "k:*".repeat(10_000);
        let longer = format!("{long}x");
        for _ in 0..2 {
            assert_eq!(word(&long, &runs).await, 1);
            assert_eq!(word(&longer, &runs).await, 2);
        }
        forget(&long).await;
        assert_eq!(
            (word(&longer, &runs).await, word(&long, &runs).await),
            (2, 3)
        );
        assert_eq!(cache.stats().errors, 0);
    })
    .await;
}

#[cacheable]
fn lists(a: &[&str], b: &[&str]) {}

#[cacheable]
fn tuples(a: (&str, &str), b: Option<Option<u8>>) {}

#[cacheable]
fn bytes(a: &[u8], b: &[u8; 2]) {}

// Adjacent or nested lists are distinguished only by their concatenated text.
#[test]
fn adjacent_and_nested_lists_have_different_keys() {
    memory().scope_sync(|| {
        let keys = [
            lists_cache_key(&["a", "b"], &[]),
            lists_cache_key(&["a"], &["b"]),
            lists_cache_key(&[], &["a", "b"]),
            lists_cache_key(&["ab"], &[]),
            lists_cache_key(&["a", "b", ""], &[]),
            lists_cache_key(&["a,b"], &[]),
            tuples_cache_key(("a", "b"), None),
            tuples_cache_key(("ab", ""), None),
            tuples_cache_key(("a", "b"), Some(None)),
            tuples_cache_key(("a", "b"), Some(Some(0))),
            bytes_cache_key(&[], &[1, 2]),
            bytes_cache_key(&[1, 2], &[0, 0]),
            bytes_cache_key(&[1], &[2, 0]),
        ];
        assert_eq!(HashSet::from(keys.clone()).len(), keys.len(), "{keys:?}");
    });
}

#[cacheable]
fn owned(text: String, list: Vec<u32>) -> usize {
    text.len() + list.len()
}

#[cacheable(key = "kinds:<<text>>")]
fn shown(text: &dyn std::fmt::Display) {}

// The same argument has another key when it is borrowed, boxed or shared.
#[test]
fn equal_arguments_of_different_pointers_have_one_key() {
    memory().scope_sync(|| {
        let key = shown_cache_key(&"a b");
        for same in [
            shown_cache_key(&"a b".to_owned()),
            shown_cache_key(&Box::<str>::from("a b")),
            shown_cache_key(&Rc::<str>::from("a b")),
            shown_cache_key(&Cow::Borrowed("a b")),
            shown_cache_key(&format_args!("{} {}", 'a', "b")),
        ] {
            assert_eq!(key, same);
        }
        let capacious = || {
            let mut text = String::with_capacity(1_000);
            text.push('x');
            text
        };
        assert_eq!(
            owned_cache_key(capacious(), vec![1]),
            owned_cache_key("x".into(), vec![1])
        );
    });
}

#[cacheable(key = "types:<<r#type>>:<<r#match.len()>>", skip(runs))]
async fn r#loop(r#type: &str, r#match: &[u8], runs: &Runs) -> u32 {
    runs.next()
}

#[cacheable(skip(r#fn))]
fn r#struct(r#in: u32, r#fn: u32) -> u32 {
    r#in + r#fn
}

#[invalidate(patterns = ["types:<<r#type>>:*"])]
async fn r#move(r#type: &str) {}

// A raw identifier as the name of an argument or function doesn't compile.
#[tokio::test]
async fn raw_identifiers_work_as_names_of_arguments_and_functions() {
    on_both_stores(|_| async {
        let runs = Runs::default();
        for _ in 0..2 {
            assert_eq!(r#loop("a", b"xy", &runs).await, 1);
            assert_eq!(r#struct(1, 2), 3);
        }
        assert_eq!(loop_cache_key("a", b"xy", &runs), "quickpost:types:a:2");
        assert_eq!(struct_no_cache(2, 2), 4);
        assert_eq!(struct_cache_key(1, 2), struct_cache_key(1, 3));
        r#move("a").await;
        assert_eq!(r#loop("a", b"xy", &runs).await, 2);
    })
    .await;
}

#[cacheable(key = "größe:<<größe>>:日本", skip(läufe))]
async fn größe(größe: &str, läufe: &Runs) -> u32 {
    läufe.next()
}

#[invalidate(patterns = ["größe:<<größe>>:*"])]
async fn vergiss(größe: &str) {}

// Names and literals outside ASCII are refused or garbled.
#[tokio::test]
async fn names_and_literals_outside_ascii_work() {
    on_both_stores(|cache| async move {
        let runs = Runs::default();
        for _ in 0..2 {
            assert_eq!(größe("Ω", &runs).await, 1);
        }
        assert_eq!(größe_cache_key("Ω", &runs), "quickpost:größe:Ω:日本");
        assert!(cache.exists("größe:Ω:日本").await.unwrap());
        vergiss("Ω").await;
        assert_eq!(größe("Ω", &runs).await, 2);
    })
    .await;
}

#[cacheable]
fn of_path(path: &Path, after: Duration) -> usize {
    path.as_os_str().len() + after.subsec_nanos() as usize
}

// A path, a duration or another type of the standard library can't be an argument.
#[test]
fn paths_and_durations_work_as_arguments() {
    let cache = memory();
    cache.scope_sync(|| {
        for _ in 0..2 {
            assert_eq!(of_path(Path::new("/a/b"), Duration::from_nanos(1)), 5);
            assert_eq!(of_path(Path::new("/a//b"), Duration::from_nanos(1)), 6);
            assert_eq!(of_path(Path::new("/a/b"), Duration::from_nanos(2)), 6);
        }
    });
    assert_eq!(cache.stats().hits, 3);
}

#[cfg(unix)]
#[cacheable(skip(runs))]
fn of_odd_path(path: &Path, runs: &Runs) -> u32 {
    runs.next()
}

// Two file names that aren't UTF-8 are both written with the replacement character and share an
// entry.
#[cfg(unix)]
#[test]
fn paths_that_are_not_utf8_have_different_keys() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let runs = Runs::default();
    memory().scope_sync(|| {
        let [one, other] = [b"\xFF", b"\xFE"].map(|name| Path::new(OsStr::from_bytes(name)));
        let one = of_odd_path(one, &runs);
        assert_ne!(one, of_odd_path(other, &runs));
    });
}

#[cacheable(key = "shifted:<<(n >> 1)>>:<<n as u8>>:<<if n > 2 { \"big\" } else { \"small\" }>>")]
fn shifted(n: u32) -> u32 {
    n
}

// An operator in a placeholder ends it early.
#[test]
fn placeholders_accept_shifts_casts_and_blocks() {
    memory().scope_sync(|| {
        assert_eq!(shifted_cache_key(300), "reports:shifted:150:44:big");
        assert_eq!(shifted_cache_key(1), "reports:shifted:0:1:small");
    });
}
