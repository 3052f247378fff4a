//! What a function with `#[invalidate]` does at run time.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread;

use crate::background::block_on;
use crate::cache::Cache;
use crate::cache::current::Handle;
use crate::events;
use crate::key::writer::{HOLE, Rendered, Writer, with_rendering};
use crate::pattern::Pattern;
use crate::site::{When, WriteSite};
use crate::stats::Counter;
use crate::value::shape::{Peek, Returns, Shape};

/// The patterns of one call, rendered before its body may consume the arguments.
#[derive(Debug)]
pub struct Write {
    site: &'static WriteSite,
    /// None where nothing is to be done: the cache is off, or the condition is false.
    cache: Option<Cache>,
    patterns: Vec<String>,
}

/// Renders the patterns of a call. The returned value's places stay open.
pub fn plan(
    site: &'static WriteSite,
    handle: Handle<'_>,
    condition: bool,
    render: Rendered<'_>,
) -> Write {
    handle.with(|cache| {
        if !condition || !cache.inner().enabled {
            return Write {
                site,
                cache: None,
                patterns: Vec::new(),
            };
        }
        with_rendering(|rendering| {
            render.render(&mut rendering.writer());
            if let Some(reason) = rendering.failure.take() {
                cache
                    .inner()
                    .counters
                    .add(site.number(), Counter::Errors, 1);
                events::error(site.info.function, &site.info.patterns.join(" "), &reason);
            }
            let patterns = std::mem::take(&mut rendering.patterns);
            Write {
                site,
                cache: Some(cache.clone()),
                patterns,
            }
        })
    })
}

/// Runs an async body and invalidates.
///
/// A body that panics has an unknown outcome: the patterns are invalidated, each place of the returned value becoming `*`,
/// before the panic goes on.
///
/// Cancel safety: once polled, its outcome is unknown too, so when it is dropped the same is invalidated. A dropped future can't
/// wait: in memory that is done at once, in Redis it begins, and another call may read the old value until it is done. An
/// invalidation that has begun finishes without its caller.
pub async fn write_async<R, S, P, B>(write: Write, _: Returns<R, S>, result: P, body: B) -> R
where
    R: Shape<S>,
    P: FnOnce(&R::Value, &mut Writer<'_>),
    B: Future<Output = R>,
{
    if write.cache.is_none() {
        return body.await;
    }
    if write.site.info.when == When::Before {
        write.invalidate(write.open_patterns()).await;
        return body.await;
    }
    let mut armed = Armed(Some(write));
    let value = match (Caught { body }).await {
        Ok(value) => value,
        Err(panic) => {
            if let Some(write) = armed.0.take() {
                // A subscriber's panic must not take the place of this one.
                let _ = Caught {
                    body: write.invalidate(write.open_patterns()),
                }
                .await;
            }
            resume_unwind(panic)
        }
    };
    let Some((write, patterns)) = armed.disarm(&value, result) else {
        return value;
    };
    write.invalidate(patterns).await;
    value
}

/// Runs a blocking body and invalidates; also when the body panics, before the panic goes on.
pub fn write_sync<R, S, P, B>(write: Write, _: Returns<R, S>, result: P, body: B) -> R
where
    R: Shape<S>,
    P: FnOnce(&R::Value, &mut Writer<'_>),
    B: FnOnce() -> R,
{
    if write.cache.is_none() {
        return body();
    }
    if write.site.info.when == When::Before {
        block_on(write.invalidate(write.open_patterns()));
        return body();
    }
    let mut armed = Armed(Some(write));
    let value = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(value) => value,
        Err(panic) => {
            if let Some(write) = armed.0.take() {
                // A subscriber's panic must not take the place of this one.
                let _ = catch_unwind(AssertUnwindSafe(|| {
                    block_on(write.invalidate(write.open_patterns()));
                }));
            }
            resume_unwind(panic)
        }
    };
    if let Some((write, patterns)) = armed.disarm(&value, result) {
        block_on(write.invalidate(patterns));
    }
    value
}

pin_project_lite::pin_project! {
    /// A future whose panic is its output.
    struct Caught<B> {
        #[pin]
        body: B,
    }
}

impl<B: Future> Future for Caught<B> {
    type Output = thread::Result<B::Output>;
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let body = self.project().body;
        match catch_unwind(AssertUnwindSafe(|| body.poll(cx))) {
            Ok(poll) => poll.map(Ok),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    }
}

/// A body that has begun and whose outcome isn't known. Dropped like that (its caller went away), it invalidates all
/// the same: the write may have happened.
struct Armed(Option<Write>);

impl Armed {
    /// What is to be invalidated now that the body has returned.
    fn disarm<R: Shape<S>, S>(
        mut self,
        value: &R,
        result: impl FnOnce(&R::Value, &mut Writer<'_>),
    ) -> Option<(Write, Vec<Pattern>)> {
        let write = self.0.as_ref()?;
        let patterns = match value.peek() {
            Peek::Err if write.site.info.when == When::Ok => Vec::new(),
            // What an `Err` left behind isn't known, so the value's places become `*`.
            Peek::Err => write.open_patterns(),
            Peek::None => write
                .patterns
                .iter()
                .filter(|text| !text.contains(HOLE))
                .map(Pattern::new)
                .collect(),
            Peek::Value(value) => write.closed_patterns(value, result),
        };
        let write = self.0.take()?;
        (!patterns.is_empty()).then_some((write, patterns))
    }
}

impl Drop for Armed {
    fn drop(&mut self) {
        if let Some(write) = self.0.take() {
            write.invalidate_detached(write.open_patterns());
        }
    }
}

impl Write {
    /// The patterns with `*` in the places of a value that isn't known.
    fn open_patterns(&self) -> Vec<Pattern> {
        self.patterns
            .iter()
            .map(|text| Pattern::new(text.replace(HOLE, "*")))
            .collect()
    }

    /// The patterns with the returned value in its places.
    fn closed_patterns<V: ?Sized>(
        &self,
        value: &V,
        result: impl FnOnce(&V, &mut Writer<'_>),
    ) -> Vec<Pattern> {
        with_rendering(|rendering| {
            // Each part ends where the next begins: parts are escaped, so a hole can separate them.
            rendering.show_parts();
            result(value, &mut rendering.writer());
            if rendering.failed() {
                // What a `Display` that failed would have named isn't known.
                return self.open_patterns();
            }
            let mut parts = rendering.part_texts().into_iter();
            let close = |text: &String| {
                let mut pieces = text.split(HOLE);
                let mut closed = pieces.next().unwrap_or_default().to_owned();
                for piece in pieces {
                    closed.push_str(parts.next().as_deref().unwrap_or("*"));
                    closed.push_str(piece);
                }
                Pattern::new(closed)
            };
            self.patterns.iter().map(close).collect()
        })
    }

    /// Invalidates all patterns before it returns.
    async fn invalidate(&self, patterns: Vec<Pattern>) {
        let Some(cache) = &self.cache else { return };
        // Failures were counted and logged; the write itself has happened, and is not the caller's error.
        let _ = cache.invalidate(self.site.into(), patterns).await;
    }

    /// Invalidates without a caller to wait for it: at once in memory, on the cache's thread in Redis.
    fn invalidate_detached(&self, patterns: Vec<Pattern>) {
        let Some(cache) = &self.cache else { return };
        let _underway = cache.invalidate(self.site.into(), patterns);
    }
}

/// The closure of a function whose patterns don't mention the returned value.
pub fn no_result<V: ?Sized>(_: &V, _: &mut Writer<'_>) {}
