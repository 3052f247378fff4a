//! The key of a stored entry.

use std::sync::Arc;

/// The longest key that stands in its slot.
pub(super) const SHORT: usize = 22;

/// A key's bytes: within the slot where they fit, as most keys do. A hit then finds them in the line of the processor's cache that it
/// reads anyway, and an entry takes one allocation less.
pub(super) enum Key {
    Short { length: u8, bytes: [u8; SHORT] },
    Long(Arc<str>),
}

impl Key {
    #[inline]
    pub(super) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Short { length, bytes } => bytes.get(..usize::from(*length)).unwrap_or_default(),
            Self::Long(key) => key.as_bytes(),
        }
    }

    /// Whether it is this key. Short ones are compared here, eight bytes at a time: what is called saves its registers first, which takes
    /// longer.
    #[inline(always)]
    pub(super) fn is(&self, key: &[u8]) -> bool {
        let own = self.as_bytes();
        if own.len() != key.len() {
            return false;
        }
        let (true, Some(own_last), Some(last)) = (
            matches!(self, Self::Short { .. }),
            own.last_chunk::<8>(),
            key.last_chunk::<8>(),
        ) else {
            return own == key;
        };
        // The last eight may have been among the others.
        let ((eights, _), (own_eights, _)) = (key.as_chunks::<8>(), own.as_chunks::<8>());
        let differ = |(one, other): (&[u8; 8], &[u8; 8])| {
            u64::from_ne_bytes(*one) ^ u64::from_ne_bytes(*other)
        };
        let eights = eights.iter().zip(own_eights);
        eights
            .map(differ)
            .fold(differ((own_last, last)), |all, one| all | one)
            == 0
    }

    pub(super) fn len(&self) -> usize {
        self.as_bytes().len()
    }
}

impl From<Arc<str>> for Key {
    fn from(key: Arc<str>) -> Self {
        let mut bytes = [0; SHORT];
        match bytes.get_mut(..key.len()) {
            Some(room) => {
                room.copy_from_slice(key.as_bytes());
                let length = key.len() as u8;
                Self::Short { length, bytes }
            }
            None => Self::Long(key),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_all_lengths_are_kept() {
        for length in 0..SHORT + 10 {
            let text: String = ('a'..='z').cycle().take(length).collect();
            let key = Key::from(Arc::<str>::from(text.as_str()));
            assert_eq!(key.as_bytes(), text.as_bytes());
            assert_eq!(matches!(key, Key::Long(_)), length > SHORT);
            assert!(key.is(text.as_bytes()));
            for at in 0..length {
                let mut other = text.clone().into_bytes();
                other[at] ^= 1;
                assert!(!key.is(&other));
            }
            assert!(!key.is(format!("{text}a").as_bytes()));
            assert!(length == 0 || !key.is(&text.as_bytes()[1..]));
        }
    }
}
