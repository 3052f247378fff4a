//! Parts of the ordered keys: a page of matches, and a level of the tree that keys form.

use crate::key::path_of;

/// The entries of a page, and where the next one begins.
pub(crate) struct Page<E> {
    pub(crate) entries: Vec<E>,
    /// `None` at the end.
    pub(crate) next: Option<Vec<u8>>,
}

/// The entries and branches directly below a prefix, and where the next part begins.
pub(crate) struct Level<E> {
    pub(crate) branches: Vec<Branch>,
    pub(crate) entries: Vec<E>,
    /// `None` at the end.
    pub(crate) next: Option<Vec<u8>>,
}

/// The keys with a common prefix that ends in `:`.
#[derive(Debug, PartialEq)]
pub(crate) struct Branch {
    pub(crate) prefix: Vec<u8>,
    pub(crate) entries: u64,
    /// Not all were counted.
    pub(crate) more: bool,
}

/// Return the prefix of the branch directly below `above` that a key is in; `None` for a key that is
/// itself on the level.
pub(crate) fn branch_of<'k>(key: &'k [u8], above: &[u8]) -> Option<&'k [u8]> {
    let rest = path_of(key).get(above.len()..)?;
    let end = rest.iter().position(|byte| *byte == b':')?;
    Some(&key[..above.len() + end + 1])
}

/// Return the least text after all that begin with a branch's prefix.
pub(crate) fn after_branch(prefix: &[u8]) -> Vec<u8> {
    let mut after = prefix.to_vec();
    if let Some(last) = after.last_mut() {
        // A prefix ends in `:`.
        *last += 1;
    }
    after
}

/// Return the least text after this one.
#[cfg(feature = "redis")]
pub(crate) fn after(text: &[u8]) -> Vec<u8> {
    [text, b"\0"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_on_its_level_or_in_a_branch_of_it() {
        let branch = |key: &'static str, above: &str| {
            branch_of(key.as_bytes(), above.as_bytes()).map(|prefix| prefix.to_vec())
        };
        assert_eq!(branch("posts", ""), None);
        assert_eq!(branch("posts#a:b", ""), None, "a variant is no segment");
        assert_eq!(branch("posts:1", ""), Some(b"posts:".to_vec()));
        assert_eq!(branch("posts:1", "posts:"), None);
        assert_eq!(branch("posts:1:a:b", "posts:"), Some(b"posts:1:".to_vec()));
        assert_eq!(branch("posts:", "posts:"), None);
        assert_eq!(branch("posts::x", "posts:"), Some(b"posts::".to_vec()));
        assert_eq!(after_branch(b"posts:"), b"posts;");
    }
}
