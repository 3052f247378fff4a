//! Where a cached value is recomputed: in the background, or in the one caller that found it due.
//!
//! `#[cacheable]` knows the tokens of the arguments' types. [`RefreshProbe`] finds out by method
//! resolution whether the types are `Clone + Send`.
//!
//! The futures are boxed: a call that isn't answered at once takes a few kilobytes, which every
//! caller's future would carry.
//!
//! The entry points repeat each other where the language can't abstract. A blocking body isn't a
//! future. `Caller` takes borrowed arguments and bodies that aren't `Send`. The bounds of `read_*`
//! and `read_detached*` differ in the fix that their messages name. A future of `*_or_expired`
//! holds the body's error across an await, so it is `Send` only if the error is, and whether a
//! future is `Send` can't depend on a value.

use std::future::Future;
use std::marker::PhantomData;

use crate::read::detached::{Detachable, Detached, lead};
use crate::read::lookup::Lookup;
use crate::read::refresh::run::{
    Resolution, recompute, recompute_or_keep, recompute_sync, unattended, unattended_sync,
};
use crate::read::run::{read_async_if, read_sync_if};
use crate::ttl::IntoTtl;
use crate::value::shape::Cached;

/// A body or closure that can run in the background.
#[diagnostic::on_unimplemented(
    message = "this function can't be refreshed in the background: its body, or a closure of its attribute, isn't `Send + 'static`",
    label = "not `Send + 'static`",
    note = "write `refresh = \"caller\"` in the attribute: then the first caller that finds the value stale recomputes it, while the others get the stale value"
)]
pub trait Unattended: Send + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Send + 'static> Unattended for T {}

/// An argument that a body in the background may own.
#[diagnostic::on_unimplemented(
    message = "`refresh = \"background\"` needs arguments that are `Clone + Send`, and `{Self}` isn't",
    label = "the type of this argument isn't `Clone + Send`",
    note = "write `refresh = \"caller\"`, or remove `refresh`: then the first caller that finds the value stale recomputes it, while the others get the stale value"
)]
pub trait OwnedArgument {}

#[diagnostic::do_not_recommend]
impl<T: Clone + Send> OwnedArgument for T {}

/// Carries the types of the arguments for method resolution.
#[derive(Debug)]
pub struct RefreshProbe<T>(PhantomData<fn() -> T>);

impl RefreshProbe<()> {
    /// Without arguments.
    pub const NEW: Self = Self(PhantomData);
}

impl<T> RefreshProbe<T> {
    /// Add an argument.
    pub fn and<A>(self) -> RefreshProbe<(A, T)> {
        RefreshProbe(PhantomData)
    }

    /// Add an argument, which must be fit for the background.
    pub fn and_owned<A: OwnedArgument>(self) -> RefreshProbe<(A, T)> {
        RefreshProbe(PhantomData)
    }
}

/// The traits whose method resolution selects the mode.
pub mod probe {
    use super::*;

    /// First choice.
    pub trait Owned {
        /// Return the mode.
        fn __mode(self) -> Background;
    }
    impl<T: Clone + Send> Owned for RefreshProbe<T> {
        fn __mode(self) -> Background {
            Background
        }
    }

    /// Last choice.
    pub trait Borrowed {
        /// Return the mode.
        fn __mode(self) -> Caller;
    }
    impl<T> Borrowed for &RefreshProbe<T> {
        fn __mode(self) -> Caller {
            Caller
        }
    }
}

/// A refresh runs in the background.
#[derive(Clone, Copy, Debug)]
pub struct Background;

/// A refresh runs in the caller that found it due.
#[derive(Clone, Copy, Debug)]
pub struct Caller;

impl Background {
    /// Answer a call like [`read_async_if`](crate::__private::read_async_if). A value that is stale
    /// or due is returned at once, and recomputed without the caller.
    ///
    /// Cancel safety: as for `read_async_if`. A refresh in the background finishes without its
    /// caller; if its runtime ends, another caller takes over.
    pub fn read_async<R, S, V, D, U, B>(
        self,
        lookup: Lookup<R, S>,
        value_ttl: V,
        unless: U,
        body: B,
    ) -> impl Future<Output = R>
    where
        R: Cached<S> + 'static,
        S: 'static,
        V: FnOnce(&R::Stored) -> D + Unattended,
        D: IntoTtl + 'static,
        U: FnOnce(&R::Stored) -> bool + Unattended,
        B: Future<Output = R> + Send + 'static, // else write `refresh = "caller"`
    {
        Box::pin(async move {
            match lookup.resolve(false).await {
                Resolution::Plain(lookup) => read_async_if(lookup, value_ttl, unless, body).await,
                Resolution::Refresh(refresh) => {
                    if let Some((value, spawner)) = refresh.serve() {
                        spawner.run(unattended(refresh, value_ttl, unless, body));
                        return value;
                    }
                    Box::pin(recompute(refresh, value_ttl, unless, body)).await
                }
            }
        })
    }

    /// [`read_async`](Self::read_async) with `stale_if_error`: a value that may be served only if
    /// the body returns an error is recomputed by its caller.
    pub fn read_async_or_expired<R, S, V, D, U, B>(
        self,
        lookup: Lookup<R, S>,
        value_ttl: V,
        unless: U,
        body: B,
    ) -> impl Future<Output = R>
    where
        R: Cached<S> + 'static,
        S: 'static,
        V: FnOnce(&R::Stored) -> D + Unattended,
        D: IntoTtl + 'static,
        U: FnOnce(&R::Stored) -> bool + Unattended,
        B: Future<Output = R> + Send + 'static, // else write `refresh = "caller"`
    {
        Box::pin(async move {
            match lookup.resolve(false).await {
                Resolution::Plain(lookup) => read_async_if(lookup, value_ttl, unless, body).await,
                Resolution::Refresh(refresh) => {
                    if let Some((value, spawner)) = refresh.serve() {
                        spawner.run(unattended(refresh, value_ttl, unless, body));
                        return value;
                    }
                    Box::pin(recompute_or_keep(refresh, value_ttl, unless, body)).await
                }
            }
        })
    }

    /// [`read_async`](Self::read_async) of a function that is `detached`, whether or not it has a
    /// staleness option: its body outlives its caller, also where the caller waits for it.
    ///
    /// Cancel safety: dropped while it waits, it leaves no trace. Dropped while it computes, the
    /// computation goes on in a task of its own, until the cache's `wait_timeout` at most.
    pub fn read_detached<R, S, V, D, U, B>(
        self,
        lookup: Lookup<R, S>,
        value_ttl: V,
        unless: U,
        body: B,
    ) -> impl Future<Output = R>
    where
        R: Cached<S> + 'static,
        S: 'static,
        V: FnOnce(&R::Stored) -> D + Detachable,
        D: IntoTtl + 'static,
        U: FnOnce(&R::Stored) -> bool + Detachable,
        B: Future<Output = R> + Send + 'static, // otherwise take `detached` away
    {
        Box::pin(async move {
            match lookup.resolve(false).await {
                Resolution::Plain(lookup) => lead(lookup, value_ttl, unless, body).await,
                Resolution::Refresh(refresh) => {
                    if let Some((value, spawner)) = refresh.serve() {
                        spawner.run(unattended(refresh, value_ttl, unless, body));
                        return value;
                    }
                    let handover = refresh.handover();
                    let computing = Box::pin(recompute(refresh, value_ttl, unless, body));
                    Detached::new(handover, computing).await
                }
            }
        })
    }

    /// [`read_detached`](Self::read_detached) with `stale_if_error`.
    pub fn read_detached_or_expired<R, S, V, D, U, B>(
        self,
        lookup: Lookup<R, S>,
        value_ttl: V,
        unless: U,
        body: B,
    ) -> impl Future<Output = R>
    where
        R: Cached<S> + Send + 'static, // `stale_if_error` and `detached` together need an error that is `Send`
        S: 'static,
        V: FnOnce(&R::Stored) -> D + Detachable,
        D: IntoTtl + 'static,
        U: FnOnce(&R::Stored) -> bool + Detachable,
        B: Future<Output = R> + Send + 'static, // otherwise take `detached` away
    {
        Box::pin(async move {
            match lookup.resolve(false).await {
                Resolution::Plain(lookup) => lead(lookup, value_ttl, unless, body).await,
                Resolution::Refresh(refresh) => {
                    if let Some((value, spawner)) = refresh.serve() {
                        spawner.run(unattended(refresh, value_ttl, unless, body));
                        return value;
                    }
                    let handover = refresh.handover();
                    let computing = Box::pin(recompute_or_keep(refresh, value_ttl, unless, body));
                    Detached::new(handover, computing).await
                }
            }
        })
    }

    /// Answer a call like [`read_sync_if`](crate::__private::read_sync_if). A value that is stale
    /// or due is returned at once, and recomputed on another thread.
    pub fn read_sync<R, S, V, D, U, B>(
        self,
        lookup: Lookup<R, S>,
        value_ttl: V,
        unless: U,
        body: B,
    ) -> R
    where
        R: Cached<S> + 'static,
        S: 'static,
        V: FnOnce(&R::Stored) -> D + Unattended,
        D: IntoTtl + 'static,
        U: FnOnce(&R::Stored) -> bool + Unattended,
        B: FnOnce() -> R + Unattended,
    {
        match lookup.resolve_sync() {
            Resolution::Plain(lookup) => read_sync_if(lookup, value_ttl, unless, body),
            Resolution::Refresh(refresh) => {
                if let Some((value, spawner)) = refresh.serve() {
                    spawner.run_blocking(|| unattended_sync(refresh, value_ttl, unless, body));
                    return value;
                }
                recompute_sync(refresh, value_ttl, unless, body)
            }
        }
    }
}

impl Caller {
    /// Answer a call like [`read_async_if`](crate::__private::read_async_if). While this caller
    /// recomputes a stale value, the others are served it.
    ///
    /// Cancel safety: if the future is dropped meanwhile, another caller takes over.
    pub fn read_async<R, S, V, D, U, B>(
        self,
        lookup: Lookup<R, S>,
        value_ttl: V,
        unless: U,
        body: B,
    ) -> impl Future<Output = R>
    where
        R: Cached<S>,
        V: FnOnce(&R::Stored) -> D,
        D: IntoTtl,
        U: FnOnce(&R::Stored) -> bool,
        B: Future<Output = R>,
    {
        Box::pin(async move {
            match lookup.resolve(false).await {
                Resolution::Plain(lookup) => read_async_if(lookup, value_ttl, unless, body).await,
                Resolution::Refresh(refresh) => {
                    Box::pin(recompute(refresh, value_ttl, unless, body)).await
                }
            }
        })
    }

    /// [`read_async`](Self::read_async) with `stale_if_error`.
    pub fn read_async_or_expired<R, S, V, D, U, B>(
        self,
        lookup: Lookup<R, S>,
        value_ttl: V,
        unless: U,
        body: B,
    ) -> impl Future<Output = R>
    where
        R: Cached<S>,
        V: FnOnce(&R::Stored) -> D,
        D: IntoTtl,
        U: FnOnce(&R::Stored) -> bool,
        B: Future<Output = R>,
    {
        Box::pin(async move {
            match lookup.resolve(false).await {
                Resolution::Plain(lookup) => read_async_if(lookup, value_ttl, unless, body).await,
                Resolution::Refresh(refresh) => {
                    Box::pin(recompute_or_keep(refresh, value_ttl, unless, body)).await
                }
            }
        })
    }

    /// Answer a call like [`read_sync_if`](crate::__private::read_sync_if). While this caller
    /// recomputes a stale value, the others are served it.
    pub fn read_sync<R, S, V, D, U, B>(
        self,
        lookup: Lookup<R, S>,
        value_ttl: V,
        unless: U,
        body: B,
    ) -> R
    where
        R: Cached<S>,
        V: FnOnce(&R::Stored) -> D,
        D: IntoTtl,
        U: FnOnce(&R::Stored) -> bool,
        B: FnOnce() -> R,
    {
        match lookup.resolve_sync() {
            Resolution::Plain(lookup) => read_sync_if(lookup, value_ttl, unless, body),
            Resolution::Refresh(refresh) => recompute_sync(refresh, value_ttl, unless, body),
        }
    }
}
