//! The attributes of `cache-runtime`: `#[cacheable]` on a function that reads, `#[invalidate]` on one that writes.
//! Depend on `cache-runtime`, which re-exports them.
//!
//! An attribute goes through four steps, each in files of its own: `options` and `args` read the syntax and keep its
//! spans, `model` puts it together with the `signature`, `check` finds every mistake, and `expand` writes the result and
//! can't fail. A mistake leaves the function as its author wrote it, beside all of the errors.

mod analyze;
mod attr;
mod cache_key;
mod check;
mod diagnostics;
mod entry;
mod expand;
mod inline;
mod item;
mod model;
#[cfg(test)]
mod snapshots;
mod template;

use proc_macro::TokenStream;

/// Caches what a function returns: it runs when there is no entry for its arguments, and else its earlier value is given.
///
/// ```ignore
/// #[cacheable(key = "posts:<<slug>>", ttl = 600, skip(db))]
/// async fn get_post(db: &Db, slug: &str) -> Result<Post, DbError> {
///     db.post(slug).await
/// }
/// ```
///
/// It stands on free functions, methods, associated functions, methods of a trait's `impl` and `async_trait` methods, async or
/// not. Whatever fails in the cache, the function still returns what it would return without the attribute.
///
/// # Options
///
/// | option | meaning |
/// |---|---|
/// | `key = "posts:<<slug>>"` | the path of the entry, see [Keys](#keys). Without it: `crate:module:function`, and every argument is hashed |
/// | `ttl = 600` | seconds that an entry lives; also a text, `"10m"`, `"1h30m"`, `"500ms"` (units `ms`, `s`, `m`, `h`, `d`); a named lifetime, `preset("user_profile")`; an expression over the arguments, of type `Duration` or `u64` seconds; or a closure over the value, `\|post\| post.lifetime()`. Default: the cache's default |
/// | `skip(db, ctx)` | arguments that are no part of the key; `skip(self)` too |
/// | `condition = page < 10` | over the arguments; when false, the function runs, and the cache is neither read nor written |
/// | `unless = \|post\| post.draft` | over the value; when true, it is not stored |
/// | `cache_none` | stores `None` too; otherwise only `Some` is stored |
/// | `version = 2` | entries of other versions become misses |
/// | `stale = "1m"` | for so long past its `ttl` an entry is served at once, while one caller computes it anew, see [Staleness](#staleness) |
/// | `stale_if_error = "1h"` | for so long past its `ttl` an entry is served when the body returns `Err` |
/// | `early = true` | a hot entry is computed anew shortly before its `ttl` ends; also `early` alone |
/// | `refresh = "caller"` | who computes an entry anew that still stands: `"caller"` or `"background"` |
/// | `jitter = 0.1` | shortens each `ttl` by chance, by less than this part of it: what was stored together doesn't expire together |
/// | `near = false` | keeps this function's entries out of the near cache; see `CacheBuilder::near_cache` |
/// | `detached = true` | a computation outlives its caller, see [Cancel safety](#cancel-safety); also `detached` alone |
/// | `debug = true` | shows this function's cache events at level `info`; also `debug` alone |
/// | `cache = self.cache` | the cache to use, by reference; default `Cache::current()` |
/// | `companions`, `companions = false` | see [Companions](#companions) |
/// | `crate = path` | the runtime crate, where it has another name |
///
/// # Keys
///
/// A placeholder holds a Rust expression over the arguments: `<<slug>>`, `<<auth.user.id>>`, `<<page.unwrap_or(1)>>`,
/// `<<self.tenant>>`. `{{slug}}` means the same. Its value is a string, a number, a `bool`, a `char`, a `Uuid`, anything that is
/// `Display`, or an `Option` of these. It is escaped, so that no value can be mistaken for another or leave its
/// segment. Single braces are text (hash tags of a Redis Cluster): `{<<user>>}:posts`.
///
/// A placeholder ends at the first `>>` that leaves an expression before it, so generics are fine:
/// `<<ids.iter().collect::<Vec<_>>().len()>>`. A shift needs parentheses: `<<(id >> 8)>>`.
///
/// In functions that a `macro_rules!` makes, a placeholder finds the argument of its name whichever side
/// of the macro wrote the template, the attribute or the argument. The other options are ordinary
/// expressions with ordinary hygiene.
///
/// Every argument is in the key, or hashed, or skipped: none can be forgotten. An *argument* is each name that the signature
/// binds, such as `slug` in `Path(slug): Path<String>`. One that is in a placeholder is in the key. All others, unless they are
/// in `skip(..)`, are hashed through `CacheKey` or `Serialize`, and the hash is appended: `posts:list#k3v9..`. This part is the
/// **variant**, and an invalidation of a path removes all of its variants. Type and const parameters always enter it,
/// `Self` in a trait and the parameters of an `impl` too.
///
/// **Through `Serialize`, a field that serde leaves out or masks is not in the key.** Derive `CacheKey` for the argument's type:
/// it hashes every field and is preferred where a type has both.
///
/// Maps are hashed without regard to their order, and so is a `HashSet` whose elements have a `CacheKey`, as strings and numbers have.
/// Another `HashSet` would never hit, since serde shows it in random order, and doesn't compile: take a `BTreeSet`. A
/// type like `SecretString` may show serde the same text for all values; where its written name says so, it doesn't compile without a
/// `CacheKey` either.
///
/// `self` is not hashed. Name what the value depends on, `<<self.tenant>>`, or write `skip(self)`. A method whose body uses `self`
/// doesn't compile otherwise.
///
/// Placeholders, `condition` and `ttl` see the arguments by reference, before the body runs; the body may consume them.
///
/// # Values
///
/// A function may return `T`, `Arc<T>`, `Option<T>`, `Result<T, E>` under any alias, `Json<T>`, combinations such as
/// `Result<Option<Arc<T>>, E>`, or nothing. What is stored is the innermost `T`, which is what `unless` and a `ttl` closure see. An
/// `Err` is never stored. A borrowed value can't be cached, since the entry outlives the call, nor can an `impl Trait`,
/// since the cache must know the type.
///
/// # Staleness
///
/// ```ignore
/// #[cacheable(key = "scores:<<player>>", ttl = "1m", stale = "10m", stale_if_error = "1d")]
/// async fn score(player: u32) -> Result<Score, DbError> {
///     db().score(player).await
/// }
/// ```
///
/// *Stale*: for ten minutes past its minute, all callers get the value that stands, at once, and one of them, in all processes on
/// one Redis, computes it anew. If it isn't asked for in that time, the next call waits, as for a value that was never there.
///
/// *Stale if error*: past those ten minutes, one caller computes and the others wait for it. If the body errs, all get the
/// expired value, and nobody tries again for one second. Within the ten minutes an error is followed by the same pause.
/// The error of a body in the background is logged, at level `warn`.
///
/// *Early*: each hit near the end of the `ttl` takes the value for expired with a probability that grows the nearer the end is and the
/// longer the value took to compute (XFetch, VLDB 2015), and one computes it while it is still fresh. So a hot key's end keeps
/// nobody waiting, and nothing is served past its `ttl`. An entry that is seldom read just expires.
///
/// An invalidation ends all of this at once: what it deleted is served to nobody, and a refresh from before it stores nothing.
///
/// The refresh runs in the **background** where the body owns all that it works with: no argument's type, as it is written,
/// has a `&`, a lifetime or a type parameter (`self`, `Self`, `impl Trait` and a macro count as such), and all are
/// `Clone + Send`. It runs on the caller's tokio runtime, or without one on a thread of the cache's, in the caller's scope and
/// span, without the caller's task-locals; a body that blocks runs on that runtime's blocking threads. The body must then be
/// `Send`. Everywhere else, and
/// under `#[async_trait]`, the one **caller** that finds the entry due pays: it waits for the body and gets the new value, the
/// others get the one that stands. `refresh = "caller"` asks for that; `refresh = "background"` makes it an error where it can't be.
/// An async function that calls itself needs `refresh = "caller"`: rustc can't tell within a future whether it is `Send`.
/// In an `impl` with type parameters, which the attribute can't see, the background needs them to be `'static`.
///
/// A caller that pays for a *stale* value also gets the body's error, unless there is `stale_if_error`; one that pays for an *early* refresh
/// gets the fresh value that stands. With `stale_if_error`, a future is `Send` only if the error type is.
///
/// # Cancel safety
///
/// An async call may be dropped at any time. Dropped while it waits for another caller's computation,
/// it leaves no trace. Dropped while it computes, its body is dropped with it, and one of the callers
/// that wait takes over, from the start. Dropped while it stores the value, the value is stored.
///
/// With `detached`, a computation goes on when its caller is dropped:
///
/// ```ignore
/// #[cacheable(key = "reports:<<month>>", detached = true)]
/// async fn report(month: u32) -> Result<Report, DbError> {
///     db().report(month).await
/// }
/// ```
///
/// While the caller waits, the body runs in the caller's task, as without the option. When the caller
/// goes, the body moves to a task of its own, on the caller's tokio runtime (without one on a thread of
/// the cache's), in the caller's scope and span, without its task-locals. What it returns is stored and
/// given to the callers that wait or come. An invalidation that comes meanwhile voids it, as it voids
/// any computation. If it has taken longer than the cache's `wait_timeout` when its caller goes, or
/// takes longer afterwards, it is dropped: no caller waits for it any more, and its lease isn't renewed
/// any longer. If it panics or returns an `Err` after its caller has gone, the next caller computes;
/// the `Err` is logged. If the runtime ends, the body is dropped, and the next caller computes.
///
/// The rule for the arguments is that of refreshes in the background (above), and it is an error where
/// they are not owned. The body must be `Send`; with `stale_if_error`, the error too. A call that
/// stores nothing (its `condition` is false, Redis is down, it is nested in its own computation) runs
/// the body attached: it ends with its caller. So does `_refresh`. A blocking function can't be
/// detached, since its caller can't go.
///
/// # Companions
///
/// For `get_post` there are also, with the same arguments and visibility:
///
/// | function | what it does |
/// |---|---|
/// | `get_post_no_cache(..)` | runs the body; no entry is read or stored |
/// | `get_post_cache_key(..) -> String` | the full key of the entry |
/// | `get_post_cache_path(..) -> String` | its path and variant, without the prefix |
/// | `get_post_invalidate(..) -> Result<bool, CacheError>` | removes that one entry; `async` if `get_post` is |
/// | `get_post_refresh(..)` | runs the body and stores the value, whatever the cache holds |
///
/// They are made where the signature names neither `self` nor `Self`. In an `impl`, `companions` makes them as associated
/// functions. The `impl` of a trait can't hold further functions: write `companions = false` on its associated functions.
///
/// # Other attributes
///
/// All other attributes are kept. `#[tracing::instrument]` *below* this attribute covers the whole call, hits too; *above* it
/// covers the body only, so that its spans are the computations. `#[invalidate]` on the same function is read
/// together with this one, in either order: every call that returns ok invalidates, hit or miss.
///
/// Under `#[async_trait]` the attribute stands on the method, as on any other. But `async_trait` takes patterns out of the
/// signature: instead of `Path(slug): Path<String>` take `path: Path<String>`, and bind it in the body.
#[proc_macro_attribute]
pub fn cacheable(args: TokenStream, item: TokenStream) -> TokenStream {
    entry::cacheable(args.into(), item.into()).into()
}

/// Removes entries of the cache when a function has written.
///
/// ```ignore
/// #[invalidate(patterns = ["posts:<<slug>>:*", "posts:list:*"])]
/// async fn update_post(db: &Db, slug: &str, data: PostUpdate) -> Result<Post, DbError> {
///     db.update(slug, data).await
/// }
///
/// #[invalidate(patterns = ["posts:<<result.slug>>", "users:<<author>>:posts:*"])]
/// async fn create_post(db: &Db, author: u64, data: NewPost) -> Result<Post, DbError> {
///     db.create(author, data).await
/// }
/// ```
///
/// It stands on the same kinds of function as [`macro@cacheable`], and several may stand on one. All that they name is removed before the
/// function returns. `return` and `?` in the body change nothing.
///
/// # Options
///
/// | option | meaning |
/// |---|---|
/// | `patterns = ["posts:<<slug>>:*"]` | what to remove, see [Patterns](#patterns) |
/// | `when = "ok"` | after the body, for a `Result` only if it is `Ok`; the default |
/// | `when = "always"` | after the body, whatever it returns; an async function's future is then `Send` only if the error type is |
/// | `when = "before"` | before the body |
/// | `condition = expr` | over the arguments, before the body; when false, nothing is removed |
/// | `debug = true` | shows this function's invalidations at level `info`; also `debug` alone |
/// | `cache = self.cache` | the cache to use, by reference; default `Cache::current()` |
/// | `crate = path` | the runtime crate, where it has another name |
///
/// `when = "before"` gives no protection against a reader that comes between the invalidation and the write: it computes the old
/// value and stores it, and there it stays for its TTL. Prefer the other two, which also outlast a reader that has
/// begun before the write: what it computes is not stored.
///
/// # Patterns
///
/// A pattern is matched against the *path* of an entry, and all variants of a path go together. It is a glob, as in Redis: `*`
/// (any characters, `:` too), `?`, `[a-z]`, `[^a]`, and `\` before a character that stands for itself. A pattern that ends
/// in `:*` also matches the node itself: `posts:<<slug>>:*` removes `posts:my-slug` and `posts:my-slug:comments`, and
/// never `posts:my-slug-2`.
///
/// Placeholders are those of [`macro@cacheable`]'s keys. Their values are escaped: a `*` in an argument is no wildcard. They see the
/// arguments even where the body consumes them. `result` is the returned value, the innermost one: `<<result.slug>>` reads
/// a field of the `Post` in `Result<Option<Post>, E>`. Where there is none, with `when = "always"` and an `Err`, it becomes `*`.
///
/// The future of an async function is `Send` where its body is. The error type doesn't matter, except
/// with `when = "always"`, where an error is held while the invalidation runs.
///
/// A body that was polled and then dropped, because a client hung up, or that panics, has an unknown outcome: its patterns
/// are removed all the same, with `*` for `result`. An invalidation that has started finishes without its caller.
///
/// # Other attributes
///
/// All other attributes are kept. `#[tracing::instrument]` *below* this attribute covers the body and the invalidation, *above*
/// it covers the body only. With `#[cacheable]` on the same function, a pattern that reaches the function's own key is an
/// error: every call would remove the entry that it has just made.
#[proc_macro_attribute]
pub fn invalidate(args: TokenStream, item: TokenStream) -> TokenStream {
    entry::invalidate(args.into(), item.into()).into()
}

/// Derives `CacheKey`: every field enters the key of a function that hashes the value, whatever serde leaves out or masks.
///
/// ```ignore
/// #[derive(CacheKey, Serialize)]
/// struct Auth {
///     user: u64,
///     #[serde(skip_serializing)]
///     token: String,
///     #[cache_key(skip)]
///     request_id: u64,
/// }
/// ```
///
/// | attribute | meaning |
/// |---|---|
/// | `#[cache_key(skip)]` on a field | the field is not in the key |
/// | `#[cache_key(crate = path)]` on the type | the runtime crate, where it has another name |
#[proc_macro_derive(CacheKey, attributes(cache_key))]
pub fn cache_key(item: TokenStream) -> TokenStream {
    cache_key::derive(item.into()).into()
}

/// `cache_runtime::key!`, which calls this with the path of its crate.
#[doc(hidden)]
#[proc_macro]
pub fn key(input: TokenStream) -> TokenStream {
    inline::expand(inline::Kind::Key, input.into()).into()
}

/// `cache_runtime::pattern!`, which calls this with the path of its crate.
#[doc(hidden)]
#[proc_macro]
pub fn pattern(input: TokenStream) -> TokenStream {
    inline::expand(inline::Kind::Pattern, input.into()).into()
}
