//! [`CacheKey`]: the data that distinguishes one value of a type from another, stated by the type
//! itself and not by serde.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, LinkedList, VecDeque};
use std::marker::PhantomData;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::canonical::{Canonical, tag};
use super::hash_argument::HashArgument;
use crate::value::path::MAX_DEPTH;

/// A type that defines which parts of its values enter a cache key.
///
/// An argument of a `#[cacheable]` function that is neither in the template nor skipped is hashed.
/// Hashing through serde misses a field that `Serialize` leaves out or masks, so two callers that
/// differ only there share an entry. With `CacheKey`, which is preferred over `Serialize` if a type
/// has both, every field is hashed:
///
/// ```
/// use cache_runtime::{Cache, CacheKey, cacheable};
/// use serde::Serialize;
///
/// #[derive(CacheKey, Clone, Serialize)]
/// struct Auth {
///     user: u64,
///     #[serde(skip_serializing)]
///     token: String,
///     #[cache_key(skip)]
///     request_id: u64,
/// }
///
/// #[cacheable(key = "inbox")]
/// fn inbox(auth: &Auth) -> String {
///     format!("the inbox that {} may see", auth.token)
/// }
///
/// let cache = Cache::builder().build()?;
/// cache.scope_sync(|| {
///     let auth = Auth { user: 1, token: "a".to_owned(), request_id: 1 };
///     let other_token = Auth { token: "b".to_owned(), ..auth.clone() };
///     assert_ne!(inbox_cache_key(&auth), inbox_cache_key(&other_token));
///     let other_request = Auth { request_id: 2, ..auth.clone() };
///     assert_eq!(inbox_cache_key(&auth), inbox_cache_key(&other_request));
/// });
/// # Ok::<(), cache_runtime::CacheError>(())
/// ```
///
/// # Deriving
///
/// `#[derive(CacheKey)]` supports structs and enums. A field is hashed through its own `CacheKey`,
/// or through `Serialize` if its type has none. `#[cache_key(skip)]` leaves a field out, visibly at
/// its declaration. A type parameter of a hashed field must be `CacheKey`. If serde neither skips
/// nor renames anything, the derived key equals the one through `Serialize`, so adding the derive
/// changes no key. `#[cache_key(crate = path)]` names a renamed runtime.
///
/// # Which types have it
///
/// The primitive types, strings, and other value types of std. References, `Box`, `Rc`, `Arc`,
/// `Cow`, `Option`, `Result`, tuples, arrays, slices and collections have it if all of their parts
/// do. So in a `Vec<Auth>` or an `(Auth, u32)` every field of `Auth` is in the key. In an
/// `(Auth, Uuid)` it isn't: `Uuid` has no `CacheKey`, and the whole tuple is hashed through
/// `Serialize`. Make such a tuple two arguments, or a struct that derives `CacheKey`. In the same
/// way, an argument of type `T: Serialize` in a generic function is hashed through `Serialize`,
/// whatever `T` is; bound it by `CacheKey`.
///
/// The iteration order of a `HashMap` or `HashSet` is not in the key.
///
/// # Secrets
///
/// The `tracing` event of a call shows its hashed arguments, as their `CacheKey` writes them, at
/// level `debug`, or at `info` for a function with the option `debug`. The key itself contains only
/// a hash. Leave a secret out with `#[cache_key(skip)]`; if the key needs it, write a digest of it
/// by hand.
///
/// # Implementing it by hand
///
/// Write everything that distinguishes two values, in a fixed order:
///
/// ```
/// use cache_runtime::{CacheKey, KeyWriter};
///
/// /// A type without `Serialize`.
/// struct Range {
///     from: u64,
///     to: u64,
/// }
///
/// impl CacheKey for Range {
///     fn cache_key(&self, key: &mut KeyWriter<'_>) {
///         key.write(&self.from);
///         key.write(&self.to);
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no `CacheKey`",
    label = "this type doesn't say which parts of a value belong in a key",
    note = "add `#[derive(cache_runtime::CacheKey)]` to the type; or hash its serialized form: `key.serialize(&value)`"
)]
pub trait CacheKey {
    /// Write everything that distinguishes this value from others of its type.
    ///
    /// ```
    /// use cache_runtime::{CacheKey, KeyWriter, cacheable};
    ///
    /// struct Celsius(f64);
    ///
    /// impl CacheKey for Celsius {
    ///     fn cache_key(&self, key: &mut KeyWriter<'_>) {
    ///         key.write(&self.0.to_bits());
    ///     }
    /// }
    ///
    /// #[cacheable(key = "advice")]
    /// fn advice(at: Celsius) -> bool {
    ///     at.0 < 10.0
    /// }
    /// assert_ne!(advice_cache_key(Celsius(1.0)), advice_cache_key(Celsius(2.0)));
    /// ```
    fn cache_key(&self, key: &mut KeyWriter<'_>);
}

/// Writer for the parts that identify a value. Each part is written with its kind and its length,
/// so `"ab", "c"` and `"a", "bc"` are different keys.
#[derive(Debug)]
pub struct KeyWriter<'a> {
    out: &'a mut Vec<u8>,
    /// The first error of a `Serialize`.
    failure: &'a mut Option<String>,
    /// Number of parts around this one.
    depth: u32,
}

impl<'a> KeyWriter<'a> {
    pub(crate) fn new(out: &'a mut Vec<u8>, failure: &'a mut Option<String>) -> Self {
        Self {
            out,
            failure,
            depth: 0,
        }
    }

    /// Write one part of the value. If parts nest deeper than 128 levels, the call runs without the
    /// cache, and the reason is logged.
    ///
    /// ```
    /// # use cache_runtime::cacheable;
    /// use cache_runtime::{CacheKey, KeyWriter};
    ///
    /// struct Range(u64, u64);
    ///
    /// impl CacheKey for Range {
    ///     fn cache_key(&self, key: &mut KeyWriter<'_>) {
    ///         key.write(&self.0);
    ///         key.write(&self.1);
    ///     }
    /// }
    ///
    /// #[cacheable(key = "sum")]
    /// fn sum(range: Range) -> u64 {
    ///     (range.0..range.1).sum()
    /// }
    /// assert_ne!(sum_cache_key(Range(1, 23)), sum_cache_key(Range(12, 3)));
    /// ```
    pub fn write<T: CacheKey + ?Sized>(&mut self, part: &T) {
        if self.depth == MAX_DEPTH {
            let reason = || format!("it is nested more than {MAX_DEPTH} levels deep");
            self.failure.get_or_insert_with(reason);
            return;
        }
        self.depth += 1;
        part.cache_key(self);
        self.depth -= 1;
    }

    /// Write one part through its `Serialize`: a field that serde leaves out is not in the key. If
    /// `Serialize` fails, the call runs without the cache, and the reason is logged.
    ///
    /// ```
    /// # use cache_runtime::cacheable;
    /// use cache_runtime::{CacheKey, KeyWriter};
    ///
    /// #[derive(serde::Serialize)]
    /// enum Order { Newest, Oldest }
    ///
    /// struct Query { order: Order }
    ///
    /// impl CacheKey for Query {
    ///     fn cache_key(&self, key: &mut KeyWriter<'_>) {
    ///         key.serialize(&self.order);
    ///     }
    /// }
    ///
    /// #[cacheable(key = "list")]
    /// fn list(query: Query) -> u32 {
    ///     query.order as u32
    /// }
    /// let (newest, oldest) = (Query { order: Order::Newest }, Query { order: Order::Oldest });
    /// assert_ne!(list_cache_key(newest), list_cache_key(oldest));
    /// ```
    pub fn serialize<T: Serialize + ?Sized>(&mut self, part: &T) {
        if let Err(error) = part.serialize(self.canonical())
            && self.failure.is_none()
        {
            *self.failure = Some(error.to_string());
        }
    }

    /// Like [`serialize`](Self::serialize), for types that generated code knows as hashable.
    pub(super) fn hashed<T: HashArgument<()> + ?Sized>(&mut self, part: &T) {
        if let Err(reason) = part.hash_into(self.canonical())
            && self.failure.is_none()
        {
            *self.failure = Some(reason);
        }
    }

    /// Begin a struct. The output matches serde's derive, so that the keys are the same.
    #[doc(hidden)]
    pub fn begin_struct(&mut self, name: &str) {
        self.named(tag::STRUCT, name);
    }

    /// Write the name that precedes the only field of a tuple struct.
    #[doc(hidden)]
    pub fn begin_newtype(&mut self, name: &str) {
        self.named(tag::NEWTYPE, name);
    }

    /// Begin a variant of an enum.
    #[doc(hidden)]
    pub fn begin_variant(&mut self, name: &str, variant: &str) {
        self.named(tag::VARIANT, name);
        self.named(tag::NAME, variant);
    }

    /// Write a variant or struct without fields.
    #[doc(hidden)]
    pub fn unit(&mut self) {
        self.out.push(tag::UNIT);
    }

    /// Begin the only field of a variant.
    #[doc(hidden)]
    pub fn newtype(&mut self) {
        self.out.push(tag::NEWTYPE);
    }

    /// Begin fields without names.
    #[doc(hidden)]
    pub fn tuple(&mut self) {
        self.out.push(tag::TUPLE);
    }

    /// Begin the named fields of a variant.
    #[doc(hidden)]
    pub fn fields(&mut self) {
        self.out.push(tag::STRUCT);
    }

    /// Begin a field.
    #[doc(hidden)]
    pub fn field(&mut self, name: &str) {
        self.named(tag::NAME, name);
    }

    /// End a list of `count` fields.
    #[doc(hidden)]
    pub fn end(&mut self, count: u64) {
        self.canonical().fixed(tag::END, count.to_le_bytes());
    }

    /// End a struct without fields.
    #[doc(hidden)]
    pub fn end_unit(&mut self) {
        self.out.push(tag::END);
    }

    fn canonical(&mut self) -> Canonical<'_> {
        Canonical {
            out: self.out,
            depth: self.depth,
        }
    }

    fn named(&mut self, tag: u8, name: &str) {
        self.canonical().text(tag, name);
    }

    fn parts<'p, T: CacheKey + ?Sized + 'p>(
        &mut self,
        tag: u8,
        parts: impl IntoIterator<Item = &'p T>,
    ) {
        self.out.push(tag);
        let mut count = 0;
        for part in parts {
            self.write(part);
            count += 1;
        }
        self.end(count);
    }

    /// Return the bytes of one part, in a buffer of their own.
    fn bytes_of<T: CacheKey + ?Sized>(&mut self, part: &T) -> Vec<u8> {
        let mut out = Vec::new();
        let mut writer = KeyWriter {
            out: &mut out,
            failure: self.failure,
            depth: self.depth,
        };
        writer.write(part);
        out
    }

    fn map<'p, K: CacheKey + 'p, V: CacheKey + 'p>(
        &mut self,
        entries: impl IntoIterator<Item = (&'p K, &'p V)>,
    ) {
        let entries = entries.into_iter();
        let mut entries: Vec<_> = entries
            .map(|(key, value)| (self.bytes_of(key), self.bytes_of(value)))
            .collect();
        entries.sort_unstable();
        self.canonical()
            .fixed(tag::MAP, (entries.len() as u64).to_le_bytes());
        for (key, value) in &entries {
            self.out.extend_from_slice(key);
            self.out.extend_from_slice(value);
        }
        self.end_unit();
    }
}

macro_rules! as_serialized {
    ($($type:ty),* $(,)?) => {$(
        impl CacheKey for $type {
            fn cache_key(&self, key: &mut KeyWriter<'_>) {
                key.serialize(self);
            }
        }
    )*};
}
as_serialized! {
    bool, char, str, String, (), f32, f64, i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize,
    Duration, SystemTime, Path, PathBuf, IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6,
    NonZero<i8>, NonZero<i16>, NonZero<i32>, NonZero<i64>, NonZero<i128>, NonZero<isize>,
    NonZero<u8>, NonZero<u16>, NonZero<u32>, NonZero<u64>, NonZero<u128>, NonZero<usize>,
}

/// The type has a single value.
impl<T: ?Sized> CacheKey for PhantomData<T> {
    fn cache_key(&self, key: &mut KeyWriter<'_>) {
        key.serialize(self);
    }
}

macro_rules! transparent {
    ($($pointer:ty),*) => {$(
        impl<T: CacheKey + ?Sized> CacheKey for $pointer {
            fn cache_key(&self, key: &mut KeyWriter<'_>) {
                (**self).cache_key(key);
            }
        }
    )*};
}
transparent!(&T, &mut T, Box<T>, Rc<T>, Arc<T>);

impl<T: CacheKey + ToOwned + ?Sized> CacheKey for Cow<'_, T> {
    fn cache_key(&self, key: &mut KeyWriter<'_>) {
        (**self).cache_key(key);
    }
}

impl<T: CacheKey> CacheKey for Option<T> {
    fn cache_key(&self, key: &mut KeyWriter<'_>) {
        match self {
            None => key.out.push(tag::NONE),
            Some(value) => {
                key.out.push(tag::SOME);
                value.cache_key(key);
            }
        }
    }
}

impl<T: CacheKey, E: CacheKey> CacheKey for Result<T, E> {
    fn cache_key(&self, key: &mut KeyWriter<'_>) {
        let (variant, value): (_, &dyn CacheKey) = match self {
            Ok(value) => ("Ok", value),
            Err(error) => ("Err", error),
        };
        key.begin_variant("Result", variant);
        key.newtype();
        value.cache_key(key);
    }
}

macro_rules! in_order {
    ($($list:ty),*) => {$(
        impl<T: CacheKey> CacheKey for $list {
            fn cache_key(&self, key: &mut KeyWriter<'_>) {
                key.parts(tag::SEQ, self.iter());
            }
        }
    )*};
}
in_order!([T], Vec<T>, VecDeque<T>, LinkedList<T>, BTreeSet<T>);

impl<T: CacheKey, const N: usize> CacheKey for [T; N] {
    fn cache_key(&self, key: &mut KeyWriter<'_>) {
        key.parts(tag::TUPLE, self);
    }
}

/// Equal sets have one key, whatever their iteration order.
impl<T: CacheKey, S> CacheKey for HashSet<T, S> {
    fn cache_key(&self, key: &mut KeyWriter<'_>) {
        let mut parts: Vec<Vec<u8>> = self.iter().map(|part| key.bytes_of(part)).collect();
        parts.sort_unstable();
        key.out.push(tag::SEQ);
        for part in &parts {
            key.out.extend_from_slice(part);
        }
        key.end(parts.len() as u64);
    }
}

impl<K: CacheKey, V: CacheKey, S> CacheKey for HashMap<K, V, S> {
    fn cache_key(&self, key: &mut KeyWriter<'_>) {
        key.map(self);
    }
}

impl<K: CacheKey, V: CacheKey> CacheKey for BTreeMap<K, V> {
    fn cache_key(&self, key: &mut KeyWriter<'_>) {
        key.map(self);
    }
}

macro_rules! tuples {
    ($(($($type:ident $place:tt)+);)*) => {$(
        impl<$($type: CacheKey),+> CacheKey for ($($type,)+) {
            fn cache_key(&self, key: &mut KeyWriter<'_>) {
                let parts: &[&dyn CacheKey] = &[$(&self.$place),+];
                key.parts(tag::TUPLE, parts.iter().copied());
            }
        }
    )*};
}
tuples! {
    (A 0); (A 0 B 1); (A 0 B 1 C 2); (A 0 B 1 C 2 D 3); (A 0 B 1 C 2 D 3 E 4); (A 0 B 1 C 2 D 3 E 4 F 5);
    (A 0 B 1 C 2 D 3 E 4 F 5 G 6); (A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7);
}
