//! How the store's arrays grow.

/// Fewest elements that are added.
const FEWEST: usize = 16;

/// Make room for this number of further elements, and for a quarter more than there are if there is
/// none. A `Vec` that doubles is a quarter empty on average, which is a third of an entry's cost;
/// here it is a tenth. Each element is moved about four times instead of once.
#[inline]
pub(super) fn make_room<T>(elements: &mut Vec<T>, more: usize) {
    if elements.capacity() - elements.len() < more {
        elements.reserve_exact(more.max(elements.len() / 4).max(FEWEST));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_most_a_fifth_of_a_large_array_is_empty() {
        let (mut elements, mut moves) = (Vec::new(), 0);
        for number in 0..100_000_u32 {
            let before = elements.capacity();
            make_room(&mut elements, 1);
            if elements.capacity() != before {
                moves += elements.len();
            }
            elements.push(number);
            let empty = elements.capacity() - elements.len();
            assert!(empty <= FEWEST || empty <= elements.len() / 4);
        }
        assert!(moves < 5 * elements.len(), "{moves}");
    }
}
