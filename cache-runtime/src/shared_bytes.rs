//! Byte strings that are decoded without a copy, for `#[serde(with = "cache_runtime::shared_bytes")]`
//! on a field of type [`Bytes`].
//!
//! An entry comes from Redis in one buffer. With this module, a long byte string of the value is a
//! slice of that buffer, which lives as long as the value does; otherwise serde copies it. It suits
//! values that are mostly one byte string, such as a page or an image. Where there is no such buffer,
//! as with another deserializer, the bytes are copied.
//!
//! ```
//! use bytes::Bytes;
//! use cache_runtime::Cache;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Clone, Serialize, Deserialize)]
//! struct Image {
//!     name: String,
//!     #[serde(with = "cache_runtime::shared_bytes")]
//!     data: Bytes,
//! }
//!
//! # async fn run() -> Result<(), cache_runtime::CacheError> {
//! let cache = Cache::builder().build()?; // or `.redis(url)`
//! let image = Image { name: "logo".to_owned(), data: Bytes::from(vec![7; 100_000]) };
//! cache.set("images:logo", &image, 60).await?;
//! let found = cache.get::<Image>("images:logo").await?;
//! assert!(found.is_some_and(|found| found.data == image.data));
//! # Ok(())
//! # }
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
//! ```

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserializer, Serializer};

/// Length in bytes of the shortest byte string that shares its entry's buffer. Copying a shorter one
/// costs less, and leaves the rest of the buffer free.
const SHORTEST: usize = 1 << 10;

thread_local! {
    /// The buffer of the value that this thread decodes.
    static BUFFER: RefCell<Option<Arc<Vec<u8>>>> = const { RefCell::new(None) };
}

/// Write the bytes as a byte string.
///
/// # Errors
///
/// Those of the serializer.
pub fn serialize<S: Serializer>(bytes: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes)
}

/// Read a byte string: a slice of the entry's buffer if the string is long, otherwise a copy.
///
/// # Errors
///
/// Those of the deserializer: it has something other than bytes.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
    deserializer.deserialize_byte_buf(BytesVisitor)
}

/// Decode a value. Long byte strings of it are slices of `buffer`.
pub(crate) fn while_decoding<T>(buffer: &Arc<Vec<u8>>, decode: impl FnOnce() -> T) -> T {
    let _outer = Outer(replace(Some(Arc::clone(buffer))));
    decode()
}

/// The buffer of an outer value, whose decoding reads another entry. Restored when dropped, also by
/// a panic.
struct Outer(Option<Arc<Vec<u8>>>);

impl Drop for Outer {
    fn drop(&mut self) {
        drop(replace(self.0.take()));
    }
}

fn replace(buffer: Option<Arc<Vec<u8>>>) -> Option<Arc<Vec<u8>>> {
    // A thread that ends has no buffer, and copies.
    let outer = BUFFER.try_with(|current| current.replace(buffer));
    outer.ok().flatten()
}

struct Buffer(Arc<Vec<u8>>);

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Return the bytes as a slice of the buffer, if they are long and a part of it.
fn shared(part: &[u8]) -> Option<Bytes> {
    if part.len() < SHORTEST {
        return None;
    }
    let buffer = BUFFER.try_with(|buffer| buffer.borrow().clone()).ok()??;
    // Both are borrowed, so these addresses are those of the same memory.
    let start = part.as_ptr().addr().checked_sub(buffer.as_ptr().addr())?;
    let end = start.checked_add(part.len())?;
    (end <= buffer.len()).then(|| Bytes::from_owner(Buffer(buffer)).slice(start..end))
}

struct BytesVisitor;

impl<'de> Visitor<'de> for BytesVisitor {
    type Value = Bytes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
        Ok(shared(bytes).unwrap_or_else(|| Bytes::copy_from_slice(bytes)))
    }

    fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Bytes, E> {
        Ok(bytes.into())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Bytes, E> {
        self.visit_bytes(text.as_bytes())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Bytes, A::Error> {
        // The announced length is the input's.
        let room = parts.size_hint().unwrap_or(0).min(4 << 10);
        let mut bytes = Vec::with_capacity(room);
        while let Some(byte) = parts.next_element()? {
            bytes.push(byte);
        }
        Ok(bytes.into())
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::entry::payload::Payload;
    use crate::entry::{CachedValue, Encoding, Facts, encode, incomparable};

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Image {
        name: String,
        #[serde(with = "super")]
        data: Bytes,
    }

    fn image(length: usize) -> Image {
        Image {
            name: "logo".to_owned(),
            data: (0..length).map(|at| at as u8).collect(),
        }
    }

    /// Encode a value, read it back, and return whether its bytes are a part of the entry.
    fn is_shared(image: &Image) -> bool {
        let (facts, encoding) = (Facts::default(), Encoding::default());
        let entry = encode(image, &facts, &encoding, incomparable).expect("it can be stored");
        let entry = Arc::new(entry.bytes);
        let payload = Payload::Encoded(Arc::clone(&entry));
        let Some(CachedValue::Value(read)) = payload.into_shared::<Image>(0, 0) else {
            panic!("it can be read");
        };
        assert_eq!(*read, *image);
        let range = entry.as_ptr_range();
        range.contains(&read.data.as_ptr())
    }

    #[test]
    fn a_long_byte_string_is_a_slice_of_its_entry() {
        assert!(is_shared(&image(SHORTEST)));
        assert!(is_shared(&image(1 << 20)));
    }

    #[test]
    fn a_short_byte_string_is_copied() {
        assert!(!is_shared(&image(SHORTEST - 1)));
        assert!(!is_shared(&image(0)));
    }

    #[test]
    fn bytes_of_other_memory_are_copied() {
        let (buffer, other) = (Arc::new(vec![1; 4096]), vec![2; 4096]);
        let inner = Arc::new(vec![3; 4096]);
        while_decoding(&buffer, || {
            assert!(shared(&buffer[1..]).is_some());
            assert!(shared(&other).is_none());
            while_decoding(&inner, || assert!(shared(&buffer).is_none()));
            assert!(shared(&buffer).is_some(), "after an inner value");
        });
        assert!(shared(&buffer).is_none());
    }
}
