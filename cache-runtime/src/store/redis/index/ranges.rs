//! The ranges of the sets that contain a pattern's matches.

use super::{BUCKETS, Layout, bucket_of};
use crate::pattern::{Pattern, Span};

/// Part of one set, in the form that `ZRANGEBYLEX` takes.
#[derive(Clone)]
pub(crate) struct LexRange {
    pub(crate) bucket: usize,
    pub(crate) from: Vec<u8>,
    pub(crate) to: Vec<u8>,
}

/// Return the ranges that contain every match.
pub(crate) fn ranges(pattern: &Pattern, layout: Layout) -> Vec<LexRange> {
    ranges_of(pattern.spans(), layout)
}

/// Return the ranges that contain these spans.
pub(super) fn ranges_of(spans: impl IntoIterator<Item = Span>, layout: Layout) -> Vec<LexRange> {
    let mut ranges = Vec::new();
    for span in spans {
        match span {
            Span::Exact(key) => ranges.push(range_of_one(&key, layout)),
            Span::Prefix(prefix) => {
                let from = if prefix.is_empty() {
                    b"-".to_vec()
                } else {
                    [b"[", &layout.start(&prefix)[..]].concat()
                };
                let to = match &prefix[..] {
                    [] => b"+".to_vec(),
                    _ => after_all_with(&layout.start(&prefix)),
                };
                let first_segment_is_whole = prefix.iter().any(|byte| matches!(byte, b':' | b'#'));
                let buckets = if first_segment_is_whole {
                    let bucket = bucket_of(&prefix);
                    bucket..bucket + 1
                } else {
                    0..BUCKETS
                };
                ranges.extend(buckets.map(|bucket| LexRange {
                    bucket,
                    from: from.clone(),
                    to: to.clone(),
                }));
            }
        }
    }
    ranges
}

/// Return the range of the members of one key.
pub(crate) fn range_of_one(key: &[u8], layout: Layout) -> LexRange {
    let start = layout.start_of_one(key);
    let from = [b"[", &start[..]].concat();
    let to = match layout {
        Layout::SameNode => from.clone(),
        Layout::Split => after_all_with(&start),
    };
    LexRange {
        bucket: bucket_of(key),
        from,
        to,
    }
}

/// Return the bound before which all texts with this prefix are sorted.
fn after_all_with(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            return [b"(", &end[..]].concat();
        }
    }
    b"+".to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_first_segment_needs_one_set_and_a_wildcard_needs_all() {
        for layout in [Layout::SameNode, Layout::Split] {
            let ranges = |pattern: &str| ranges(&Pattern::new(pattern), layout);
            assert_eq!(ranges("posts:42:*").len(), 3);
            assert!(
                ranges("posts:42:*")
                    .iter()
                    .all(|range| range.bucket == bucket_of(b"posts"))
            );
            assert_eq!(ranges("po*").len(), BUCKETS);
            assert_eq!(ranges("*").len(), BUCKETS);
        }
    }

    #[test]
    fn bounds_contain_every_text_with_the_prefix() {
        assert_eq!(after_all_with(b"posts:"), b"(posts;");
        assert_eq!(after_all_with(b"a\xff"), b"(b");
        assert_eq!(after_all_with(b""), b"+");
    }

    #[test]
    fn a_key_its_variants_and_its_children_share_a_set() {
        for key in ["posts", "posts#v", "posts:1", "posts:1:comments#v"] {
            assert_eq!(bucket_of(key.as_bytes()), bucket_of(b"posts"));
        }
    }
}
