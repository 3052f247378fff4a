//! Variants that this thread has hashed lately. Most reads of a layer vary in little, such as the
//! host and the client's languages, so their variants repeat; comparing one costs a tenth of hashing
//! it.

use std::cell::{Cell, RefCell};

use serde::Serialize;
use xxhash_rust::xxh3::xxh3_64;

use super::canonical::{Canonical, SerializeError};
use super::hash::{VariantText, variant_text};
use super::text::Text;

/// Number of variants that a thread remembers.
const SLOTS: usize = 64;

/// Length in bytes of the longest variant that is remembered.
const LONGEST: usize = 512;

/// The canonical bytes of a variant, and its text.
struct Hashed {
    canonical: Vec<u8>,
    text: VariantText,
}

thread_local! {
    /// One variant for each value of six bits of its hash. At most 36 KiB a thread.
    static RECENT: RefCell<Vec<Option<Hashed>>> = const { RefCell::new(Vec::new()) };
    /// Memory in which a variant is written.
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Append the mark and the digest of a value.
///
/// # Errors
///
/// The error of the value's `Serialize`. The digest is then that of a part of the value.
pub(crate) fn push_variant_of<T: Serialize + ?Sized>(
    out: &mut Text,
    value: &T,
) -> Result<(), SerializeError> {
    // The buffer is taken, so a `Serialize` that reads an entry itself gets another one.
    let mut canonical = BUFFER.try_with(Cell::take).unwrap_or_default();
    canonical.clear();
    let written = value.serialize(Canonical::named(&mut canonical, "variant"));
    out.push_str(as_str(&recent(&canonical)));
    if canonical.capacity() <= 2 * LONGEST {
        let _ = BUFFER.try_with(|buffer| buffer.set(canonical));
    }
    written
}

/// Return the mark and the digest, remembered or hashed.
fn recent(canonical: &[u8]) -> VariantText {
    if canonical.len() > LONGEST {
        return variant_text(canonical);
    }
    let remembered = RECENT.try_with(|recent| {
        let mut recent = recent.try_borrow_mut().ok()?;
        if recent.is_empty() {
            recent.resize_with(SLOTS, || None);
        }
        let slot = recent.get_mut(xxh3_64(canonical) as usize % SLOTS)?;
        match slot {
            Some(hashed) if hashed.canonical == canonical => Some(hashed.text),
            Some(hashed) => {
                hashed.canonical.clear();
                hashed.canonical.extend_from_slice(canonical);
                hashed.text = variant_text(canonical);
                Some(hashed.text)
            }
            None => {
                let text = variant_text(canonical);
                let canonical = canonical.to_vec();
                *slot = Some(Hashed { canonical, text });
                Some(text)
            }
        }
    });
    // A thread that ends has no memory.
    remembered
        .ok()
        .flatten()
        .unwrap_or_else(|| variant_text(canonical))
}

fn as_str(text: &VariantText) -> &str {
    std::str::from_utf8(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(value: &[u8]) -> String {
        let mut out = Text::default();
        push_variant_of(&mut out, value).expect("bytes can be written");
        out.to_str().into_owned()
    }

    fn hashed(value: &[u8]) -> String {
        let mut canonical = Vec::new();
        let written = value.serialize(Canonical::named(&mut canonical, "variant"));
        written.expect("bytes can be written");
        as_str(&variant_text(&canonical)).to_owned()
    }

    #[test]
    fn a_remembered_variant_is_the_hashed_one() {
        // More than there are slots, so that variants replace one another.
        for round in 0..3 {
            for number in 0..4 * SLOTS as u64 {
                let value = number.to_le_bytes();
                assert_eq!(digest(&value), hashed(&value), "{number}, round {round}");
                assert_eq!(digest(&value), hashed(&value), "{number}, again");
            }
        }
        let long = vec![7; 2 * LONGEST];
        assert_eq!(digest(&long), hashed(&long));
    }
}
