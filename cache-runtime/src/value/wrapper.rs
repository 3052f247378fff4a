//! Types that have the stored value inside.

/// A type that has the stored value inside, such as `axum::Json`.
///
/// A function with `#[cacheable]` that returns it, also within a `Result`, an `Option` or an `Arc`,
/// stores the value, and puts it back on a hit. `unless`, a `ttl` closure and `<<result>>` in a
/// pattern see the value. A type that is both a `Wrapper` and serializable is treated as a wrapper.
///
/// The features `axum`, `actix-web`, `poem` and `rocket` implement it for types of these
/// frameworks. Implement it for a type of your own; for one function that returns a type of another
/// crate, the options `value` and `response` of `#[cacheable]` do the same.
///
/// The value has to be all that there is: a returned type is taken apart and put together again
/// when its value is stored, so `from_value(into_value(w))` must equal `w`. The value is cached, so
/// it is [`Storable`](crate::Storable), or an `Arc` of such a value, which a hit in memory shares.
///
/// ```
/// use cache_runtime::{Cache, Wrapper, cacheable};
///
/// /// A page, which a framework could turn into a response.
/// #[derive(Debug, PartialEq)]
/// struct Page<T>(T);
///
/// impl<T> Wrapper for Page<T> {
///     type Value = T;
///     fn into_value(self) -> T {
///         self.0
///     }
///     fn from_value(value: T) -> Self {
///         Self(value)
///     }
/// }
///
/// #[cacheable(key = "pages:<<slug>>", unless = |text: &String| text.is_empty())]
/// fn page(slug: &str) -> Result<Page<String>, std::fmt::Error> {
///     Ok(Page(format!("the page {slug}")))
/// }
///
/// let cache = Cache::builder().build()?;
/// for _ in 0..2 {
///     let page = cache.scope_sync(|| page("a"));
///     assert_eq!(page, Ok(Page("the page a".to_owned())));
/// }
/// assert_eq!(cache.stats().hits, 1);
/// assert_eq!(cache.blocking().get("pages:a")?, Some("the page a".to_owned()));
/// # Ok::<(), cache_runtime::CacheError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` isn't a `Wrapper`",
    note = "a `Wrapper` has a stored value inside; implement it for a type of your own, or enable the feature of `cache-runtime` for the framework that the type belongs to"
)]
pub trait Wrapper: Sized {
    /// The value that is stored, or an `Arc` of it.
    type Value;
    /// Take the value out.
    fn into_value(self) -> Self::Value;
    /// Put a value in.
    fn from_value(value: Self::Value) -> Self;
}
