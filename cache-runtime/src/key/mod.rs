//! From the arguments of one call to its key: `path` or `path#variant`.

pub(crate) mod cache_key;
pub(crate) mod canonical;
mod direct;
pub(crate) mod escape;
pub(crate) mod hash;
pub(crate) mod hash_argument;
pub mod hashed;
pub mod items;
pub mod part;
pub mod quiet;
pub(crate) mod recent;
pub(crate) mod segment;
mod shown;
pub(crate) mod text;
pub(crate) mod writer;

/// Separator of path and variant. Values can't contain it (it is escaped), and literals must not.
pub(crate) const VARIANT_MARK: u8 = b'#';

/// Return the path of a key: patterns are matched against it.
pub(crate) fn path_of(key: &[u8]) -> &[u8] {
    let end = key.iter().position(|&byte| byte == VARIANT_MARK);
    &key[..end.unwrap_or(key.len())]
}
