//! The implementation of `#[invalidate]`.

use std::any::Any;
use std::future::Future;
use std::marker::PhantomData;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::core::Cache;
use crate::current::Handle;
use crate::error::CacheError;
use crate::key::writer::{HOLE, Rendered, Writer, with_rendering};
use crate::pattern::Pattern;
use crate::runtime::block_on;
use crate::site::{When, WriteSite};
use crate::stats::Counter;
use crate::transaction::{Began, Invalidations};
use crate::value::shape::{Peek, Returns, Shape};

/// The patterns of one call, rendered before its body may consume the arguments.
#[derive(Debug)]
pub struct Write {
    site: &'static WriteSite,
    /// `None` if there is nothing to invalidate: the cache is disabled, or the condition is false.
    target: Option<Target>,
    patterns: Vec<String>,
}

/// Where the patterns go.
#[derive(Debug)]
enum Target {
    /// They are invalidated.
    Cache(Cache),
    /// They wait for the commit of a transaction. Boxed: the future of a write without one carries
    /// this, too.
    Transaction(Box<(Invalidations, Began)>),
}

/// Render the patterns of a call. The placeholders of the returned value stay open.
pub fn plan(
    site: &'static WriteSite,
    handle: Handle<'_>,
    condition: bool,
    render: Rendered<'_>,
) -> Write {
    handle.lend(
        || site.info.first_call(),
        |cache| {
            let patterns = rendered(site, cache, condition, render);
            Write::new(site, patterns, || Target::Cache(cache.clone()))
        },
    )
}

/// Like [`plan`], for a call within a transaction: its patterns go to the collector. Without a
/// collector, the call is like any other.
pub fn plan_in(
    site: &'static WriteSite,
    collector: Option<Invalidations>,
    condition: bool,
    render: Rendered<'_>,
) -> Write {
    let Some(collector) = collector else {
        return plan(site, Handle::Current, condition, render);
    };
    let patterns = rendered(site, collector.cache(), condition, render);
    Write::new(site, patterns, || {
        let began = collector.began();
        Target::Transaction(Box::new((collector, began)))
    })
}

/// Return the patterns; `None` if there is nothing to invalidate.
fn rendered(
    site: &'static WriteSite,
    cache: &Cache,
    condition: bool,
    render: Rendered<'_>,
) -> Option<Vec<String>> {
    let inner = cache.inner();
    if !condition || !inner.enabled {
        return None;
    }
    Some(with_rendering(|rendering| {
        render.render(&mut rendering.writer());
        if let Some(reason) = rendering.failure.take() {
            inner.counters.add(site.number(), Counter::NoKey, 1);
            cache.log_widened(site.into(), &site.info.patterns.join(" "), &reason);
        }
        mem::take(&mut rendering.patterns)
    }))
}

/// Run an async body, and invalidate afterwards.
///
/// While it waits for the invalidation, it holds the returned value without its `Err`: an `Err`
/// isn't followed by an invalidation. So the future is `Send` even if the error isn't.
///
/// A body that panics has an unknown outcome: the patterns are invalidated, with `*` for each
/// placeholder of the returned value, before the panic resumes.
///
/// Cancel safety: once polled, the outcome is unknown too, so dropping the future invalidates the
/// same patterns. A dropped future can't wait. In memory the invalidation is done at once. In Redis
/// it begins, and another call may read the old value until it is done. An invalidation that has
/// begun finishes without its caller.
pub fn write_async<R, S, P, B>(
    write: Write,
    _: Returns<R, S>,
    result: P,
    body: B,
) -> impl Future<Output = R>
where
    R: Shape<S>,
    P: FnOnce(&R::Value, &mut Writer<'_>),
    B: Future<Output = R>,
{
    Writing::<WithoutError<S>, R, _, B>::new(write, ByShape::new(result), body)
}

/// [`write_async`] with `when = "always"`, which invalidates after an `Err` too. The error is held
/// meanwhile, so the future is `Send` only if the error is.
///
/// Cancel safety: as for [`write_async`].
pub fn write_async_always<R, S, P, B>(
    write: Write,
    _: Returns<R, S>,
    result: P,
    body: B,
) -> impl Future<Output = R>
where
    R: Shape<S>,
    P: FnOnce(&R::Value, &mut Writer<'_>),
    B: Future<Output = R>,
{
    Writing::<WithError, R, _, B>::new(write, ByShape::<S, P>::new(result), body)
}

/// [`write_async`] for a return type with `impl Trait`, which can't be named: its shape isn't known,
/// so no pattern uses the value, and `succeeded` decides whether the call was a success. The whole
/// value is held meanwhile, so the future is `Send` only if the return type is.
///
/// Cancel safety: as for [`write_async`].
pub fn write_async_opaque<R, B, J>(write: Write, body: B, succeeded: J) -> impl Future<Output = R>
where
    B: Future<Output = R>,
    J: FnOnce(&R) -> bool,
{
    Writing::<WithError, R, _, B>::new(write, ByVerdict(succeeded), body)
}

/// Which patterns a returned value leads to.
trait Outcome<R> {
    /// Return the value as well, which has to be opened if it is a wrapper.
    fn patterns(self, write: &Write, value: R) -> (R, Vec<Pattern>);
}

/// The outcome of a return type whose shape is known; the closure writes the placeholders of its
/// value.
struct ByShape<S, P> {
    result: P,
    shape: PhantomData<fn() -> S>,
}

impl<S, P> ByShape<S, P> {
    fn new(result: P) -> Self {
        Self {
            result,
            shape: PhantomData,
        }
    }
}

impl<R, S, P> Outcome<R> for ByShape<S, P>
where
    R: Shape<S>,
    P: FnOnce(&R::Value, &mut Writer<'_>),
{
    fn patterns(self, write: &Write, value: R) -> (R, Vec<Pattern>) {
        match value.outcome() {
            Peek::Err if write.site.info.when == When::Ok => (value, Vec::new()),
            // The effects of a call that returned `Err` aren't known, so the value's placeholders
            // become `*`.
            Peek::Err => (value, write.open_patterns()),
            // A wrapper around the value is opened only if a pattern mentions the value.
            Peek::Value(()) if write.mentions_result() => {
                let opened = value.open();
                let patterns = match R::peek(&opened) {
                    Peek::Value(value) => write.closed_patterns(value, self.result),
                    Peek::None | Peek::Err => write.patterns_of_arguments(),
                };
                (R::close(opened), patterns)
            }
            Peek::Value(()) | Peek::None => (value, write.patterns_of_arguments()),
        }
    }
}

/// The outcome of a return type that can't be named: the closure says whether it is a success.
struct ByVerdict<J>(J);

impl<R, J: FnOnce(&R) -> bool> Outcome<R> for ByVerdict<J> {
    fn patterns(self, write: &Write, value: R) -> (R, Vec<Pattern>) {
        if write.site.info.when == When::Ok && !(self.0)(&value) {
            return (value, Vec::new());
        }
        (value, write.open_patterns())
    }
}

/// How a write holds the returned value while it waits for the invalidation.
trait Hold<R> {
    type Held;
    /// Convert the value into its held form. Returns the value if it has none.
    fn hold(value: R) -> Result<Self::Held, R>;
    fn restore(held: Self::Held) -> R;
}

/// Hold the value without its `Err`.
struct WithoutError<S>(PhantomData<fn() -> S>);

impl<R: Shape<S>, S> Hold<R> for WithoutError<S> {
    type Held = R::Kept;
    fn hold(value: R) -> Result<R::Kept, R> {
        value.keep()
    }
    fn restore(held: R::Kept) -> R {
        R::restore(held)
    }
}

/// Hold the whole value.
struct WithError;

impl<R> Hold<R> for WithError {
    type Held = R;
    fn hold(value: R) -> Result<R, R> {
        Ok(value)
    }
    fn restore(held: R) -> R {
        held
    }
}

/// Progress of an async write.
enum WriteStage<T> {
    Planned(Write),
    /// The invalidation before the body runs.
    Before(Invalidation),
    Body(Option<Armed>),
    After(T, Invalidation),
    /// The body has panicked; the panic resumes when the invalidation is done.
    Panicked(Box<dyn Any + Send>, Invalidation),
    Done,
}

/// Boxed: it exists only before the body runs or after it, and inline it would always take its
/// space.
type Invalidation = Pin<Box<dyn Future<Output = Result<u64, CacheError>> + Send>>;

pin_project! {
    /// The future of an async write. Hand-written, so that the body takes its space once: an async
    /// function keeps its arguments beside the future that it awaits, so each attribute, and each
    /// annotated callee, would double the size.
    struct Writing<H: Hold<R>, R, O, B> {
        // Declared before the stage: a dropped write invalidates after its body is dropped. `None`
        // once it has returned.
        #[pin]
        body: Option<B>,
        stage: WriteStage<H::Held>,
        outcome: Option<O>,
        // Holds no `R`: an error that isn't `Send` would make the future not `Send` either.
        returns: PhantomData<fn() -> (H, R)>,
    }
}

impl<H: Hold<R>, R, O, B> Writing<H, R, O, B> {
    fn new(write: Write, outcome: O, body: B) -> Self {
        Self {
            body: Some(body),
            stage: WriteStage::Planned(write),
            outcome: Some(outcome),
            returns: PhantomData,
        }
    }
}

impl<H, R, O, B> Future for Writing<H, R, O, B>
where
    H: Hold<R>,
    O: Outcome<R>,
    B: Future<Output = R>,
{
    type Output = R;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        let mut this = self.as_mut().project();
        if let WriteStage::Planned(_) = this.stage
            && let WriteStage::Planned(write) = mem::replace(this.stage, WriteStage::Done)
        {
            *this.stage = write.into_stage();
        }
        if let WriteStage::Before(invalidation) = this.stage {
            // Failures were counted and logged.
            let _ = ready!(invalidation.as_mut().poll(cx));
            *this.stage = WriteStage::Body(None);
        }
        if let Some(body) = this.body.as_mut().as_pin_mut() {
            let WriteStage::Body(Some(_)) = this.stage else {
                let value = ready!(body.poll(cx));
                this.body.set(None);
                *this.stage = WriteStage::Done;
                return Poll::Ready(value);
            };
            let polled = catch_unwind(AssertUnwindSafe(|| body.poll(cx)));
            let returned = match polled {
                Ok(Poll::Pending) => return Poll::Pending,
                Ok(Poll::Ready(value)) => Ok(value),
                Err(panic) => Err(panic),
            };
            this.body.set(None);
            let (WriteStage::Body(Some(armed)), Some(outcome)) = (
                mem::replace(this.stage, WriteStage::Done),
                this.outcome.take(),
            ) else {
                unreachable!("a write is armed until its body is over");
            };
            let value = match returned {
                Ok(value) => value,
                Err(panic) => {
                    *this.stage = armed.panicked(panic);
                    return self.as_mut().poll(cx);
                }
            };
            let (value, invalidation) = armed.disarm(value, outcome);
            let Some(invalidation) = invalidation.and_then(Write::begin_with) else {
                return Poll::Ready(value);
            };
            match H::hold(value) {
                Ok(held) => *this.stage = WriteStage::After(held, invalidation),
                // This is an `Err`, which isn't followed by an invalidation here. If one had begun,
                // it would finish without its caller.
                Err(value) => return Poll::Ready(value),
            }
        }
        if let WriteStage::After(_, invalidation) = this.stage {
            // The write itself has happened: a failed invalidation isn't the caller's error.
            let _ = ready!(invalidation.as_mut().poll(cx));
        }
        if let WriteStage::Panicked(_, invalidation) = this.stage {
            // A panic of a `tracing` subscriber must not replace this one.
            let polled = catch_unwind(AssertUnwindSafe(|| invalidation.as_mut().poll(cx)));
            if let Ok(Poll::Pending) = polled {
                return Poll::Pending;
            }
        }
        match mem::replace(this.stage, WriteStage::Done) {
            WriteStage::After(held, _) => Poll::Ready(H::restore(held)),
            WriteStage::Panicked(panic, _) => resume_unwind(panic),
            _ => unreachable!("a future was polled after its completion"),
        }
    }
}

/// Run a blocking body, and invalidate afterwards; also when the body panics, before the panic
/// resumes.
pub fn write_sync<R, S, P, B>(write: Write, _: Returns<R, S>, result: P, body: B) -> R
where
    R: Shape<S>,
    P: FnOnce(&R::Value, &mut Writer<'_>),
    B: FnOnce() -> R,
{
    write_blocking(write, ByShape::<S, P>::new(result), body)
}

/// [`write_sync`] for a return type with `impl Trait`, as in [`write_async_opaque`].
pub fn write_sync_opaque<R, B, J>(write: Write, body: B, succeeded: J) -> R
where
    B: FnOnce() -> R,
    J: FnOnce(&R) -> bool,
{
    write_blocking(write, ByVerdict(succeeded), body)
}

fn write_blocking<R>(write: Write, outcome: impl Outcome<R>, body: impl FnOnce() -> R) -> R {
    if write.target.is_none() {
        return body();
    }
    if write.site.info.when == When::Before {
        write.invalidate_blocking(write.open_patterns());
        return body();
    }
    let mut armed = Armed(Some(write));
    let value = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(value) => value,
        Err(panic) => {
            if let Some(write) = armed.0.take() {
                // A panic of a `tracing` subscriber must not replace this one.
                let _ = catch_unwind(AssertUnwindSafe(|| {
                    write.invalidate_blocking(write.open_patterns());
                }));
            }
            resume_unwind(panic)
        }
    };
    let (value, invalidation) = armed.disarm(value, outcome);
    if let Some((write, patterns)) = invalidation {
        write.invalidate_blocking(patterns);
    }
    value
}

/// A body that has begun and whose outcome isn't known. If it is dropped in this state (its caller
/// went away), it invalidates all the same: the write may have happened.
struct Armed(Option<Write>);

impl Armed {
    /// Return the value, and the patterns to invalidate now that the body has returned it.
    fn disarm<R>(
        mut self,
        value: R,
        outcome: impl Outcome<R>,
    ) -> (R, Option<(Write, Vec<Pattern>)>) {
        let Some(write) = &self.0 else {
            return (value, None);
        };
        let (value, patterns) = outcome.patterns(write, value);
        let write = self.0.take();
        let write = write.filter(|_| !patterns.is_empty());
        (value, write.map(|write| (write, patterns)))
    }
}

impl Armed {
    /// Return the stage of a write whose body has panicked.
    fn panicked<T>(mut self, panic: Box<dyn Any + Send>) -> WriteStage<T> {
        let begin = || {
            let write = self.0.take()?;
            let patterns = write.open_patterns();
            Write::begin_with((write, patterns))
        };
        // A panic of a `tracing` subscriber must not replace this one.
        match catch_unwind(AssertUnwindSafe(begin)).ok().flatten() {
            Some(invalidation) => WriteStage::Panicked(panic, invalidation),
            None => WriteStage::Panicked(panic, Box::pin(std::future::ready(Ok(0)))),
        }
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
    fn new(
        site: &'static WriteSite,
        patterns: Option<Vec<String>>,
        target: impl FnOnce() -> Target,
    ) -> Self {
        Self {
            site,
            target: patterns.is_some().then(target),
            patterns: patterns.unwrap_or_default(),
        }
    }

    /// Return the first stage of a write.
    fn into_stage<R>(self) -> WriteStage<R> {
        match &self.target {
            None => WriteStage::Body(None),
            Some(_) if self.site.info.when == When::Before => {
                let patterns = self.open_patterns();
                match Self::begin_with((self, patterns)) {
                    Some(invalidation) => WriteStage::Before(invalidation),
                    None => WriteStage::Body(None),
                }
            }
            Some(_) => WriteStage::Body(Some(Armed(Some(self)))),
        }
    }

    /// Begin to invalidate. `None` if there is nothing to wait for.
    fn begin_with((write, patterns): (Self, Vec<Pattern>)) -> Option<Invalidation> {
        let begun = write.begin(patterns)?;
        Some(Box::pin(begun))
    }

    /// Begin to invalidate, or leave the patterns to the transaction.
    fn begin(
        &self,
        patterns: Vec<Pattern>,
    ) -> Option<impl Future<Output = Result<u64, CacheError>> + Send + use<>> {
        let origin = self.site.into();
        let (cache, patterns) = match self.target.as_ref()? {
            Target::Cache(cache) => (cache, patterns),
            Target::Transaction(transaction) => {
                let (collector, began) = &**transaction;
                let committed = collector.add_since(*began, origin, patterns)?;
                (collector.cache(), committed)
            }
        };
        Some(cache.invalidate(origin, patterns))
    }

    /// Return the patterns with `*` for the placeholders of a returned value that isn't known.
    fn open_patterns(&self) -> Vec<Pattern> {
        self.patterns
            .iter()
            .map(|text| {
                let pieces = text.split(HOLE).enumerate();
                let open = pieces.map(|(place, piece)| if is_name(place) { "*" } else { piece });
                Pattern::new(open.collect::<String>())
            })
            .collect()
    }

    fn mentions_result(&self) -> bool {
        self.patterns.iter().any(|text| text.contains(HOLE))
    }

    /// Return the patterns that don't mention the returned value.
    fn patterns_of_arguments(&self) -> Vec<Pattern> {
        let patterns = self.patterns.iter();
        let of_arguments = patterns.filter(|text| !text.contains(HOLE));
        of_arguments.map(Pattern::new).collect()
    }

    /// Return the patterns with the returned value in its placeholders.
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
                // The text of a `Display` that failed isn't known.
                return self.open_patterns();
            }
            let parts = rendering.named_parts();
            let texts = self.patterns.iter().flat_map(|text| closed(text, &parts));
            texts.map(Pattern::new).collect()
        })
    }

    /// Invalidate all patterns before returning.
    fn invalidate_blocking(&self, patterns: Vec<Pattern>) {
        // Begun within `block_on`: on the cache's own thread, work that was begun before would wait
        // for the thread that waits for it.
        block_on(async {
            if let Some(begun) = self.begin(patterns) {
                // Failures were counted and logged. The write itself has happened: a failed
                // invalidation isn't the caller's error.
                let _ = begun.await;
            }
        });
    }

    /// Invalidate without a caller that waits: at once in memory, on the cache's thread in Redis.
    fn invalidate_detached(&self, patterns: Vec<Pattern>) {
        let _underway = self.begin(patterns);
    }
}

/// Return the texts of a pattern with the value's parts in the places of their names. A placeholder
/// with `..` has any number of parts, and there is a text for each; any other has one.
fn closed(pattern: &str, parts: &[(&'static str, String)]) -> Vec<String> {
    let mut texts = vec![String::new()];
    for (place, piece) in pattern.split(HOLE).enumerate() {
        if !is_name(place) {
            texts.iter_mut().for_each(|text| text.push_str(piece));
            continue;
        }
        let of_name = parts.iter().filter(|(name, _)| *name == piece);
        texts = of_name
            .flat_map(|(_, part)| texts.iter().map(move |text| format!("{text}{part}")))
            .collect();
    }
    texts
}

/// Whether the piece at this place, between two marks, is the name of a part.
fn is_name(place: usize) -> bool {
    place % 2 == 1
}

/// The closure of a function whose patterns don't mention the returned value.
pub fn no_result<V: ?Sized>(_: &V, _: &mut Writer<'_>) {}
