//! Generating code from the model. Nothing here can fail, and the generated code is thin: all logic
//! is in the runtime.
//!
//! Generated locals have the hygiene of `Span::mixed_site()`: neither the body nor a placeholder
//! can see them. Items have no hygiene, so they are generated in blocks of their own, away from the
//! user's code.

mod adapter;
mod audit;
pub(crate) mod companions;
mod context;
mod each;
pub(crate) mod head;
mod read;
mod refresh;
pub(crate) mod render;
mod transaction;
mod write;
mod write_through;

use crate::item::signature::{Style, response_part, stored_part};
use crate::model::{Model, Read, Runtime};
use proc_macro2::{Delimiter, Group, Span, TokenStream};
use quote::quote_spanned;
use syn::spanned::Spanned as _;
use syn::{Expr, Ident, Type};

/// The purpose of one generated function.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Purpose {
    /// The annotated function itself.
    Original,
    /// `_no_cache`: run the body, and invalidate what it invalidates.
    NoCache,
    /// `_refresh`: compute and store, whether or not an entry exists.
    Refresh,
}

/// Generate the function and its companions.
pub(crate) fn expand(model: &Model) -> TokenStream {
    let computation = computation(model);
    let render = match &model.read {
        Some(read) => render::key(read, &model.facts.arguments, render::Diagnostics::Reported),
        None => TokenStream::new(),
    };
    let body = body(model, Purpose::Original, &computation, &render);
    let mut tokens = model.function.with_body(&body);
    if model.companions {
        tokens.extend(companions::all(model, &computation));
    }
    tokens
}

/// Generate the whole new body of a function. `computation` is the user's body; `render` writes its
/// key.
fn body(
    model: &Model,
    purpose: Purpose,
    computation: &TokenStream,
    render: &TokenStream,
) -> TokenStream {
    let statements = statements(model, purpose, computation, render);
    match &model.facts.style {
        Style::Boxed(boxed) => boxed.around(&statements),
        _ => statements,
    }
}

/// Generate plans and lookups first, since the body may consume the arguments; then one call that
/// runs it.
fn statements(
    model: &Model,
    purpose: Purpose,
    computation: &TokenStream,
    render: &TokenStream,
) -> TokenStream {
    let reads = model.read.as_ref().filter(|_| purpose != Purpose::NoCache);
    let site = Span::mixed_site();
    let mut before = TokenStream::new();
    for (place, write) in model.writes.iter().enumerate() {
        before.extend(write::plan(model, write, place, purpose));
    }
    let mut run = computation.clone();
    if let Some(read) = &model.read {
        let tx = read.tx.as_ref();
        before.extend(transaction::declare(tx, &read.runtime));
        run = transaction::around(model, tx, &read.runtime, run);
    }
    if let Some(write) = &model.write_through {
        before.extend(write_through::begin(model, write));
        run = transaction::around(model, write.tx.as_ref(), &write.runtime, run);
    }
    if let Some((read, each)) = reads.and_then(|read| Some((read, read.each.as_ref()?))) {
        before.extend(each::begin(model, read, each, render));
        run = each::run(model, read, each);
    } else if let Some(read) = reads {
        before.extend(adapter::declare(model, read));
        before.extend(read::lookup(model, read, purpose, render));
        run = adapter::around(model, read, &run, |task| {
            read::run(model, read, purpose, task)
        });
    }
    let wraps_read = reads.is_some();
    for (place, write) in model.writes.iter().enumerate().rev() {
        let is_task = !wraps_read && place + 1 == model.writes.len();
        let task = if is_task { run } else { task(model, run) };
        run = write::run(model, write, place, &task);
    }
    let mut own_key = write::own_key_checks(model).filter(|_| purpose == Purpose::Original);
    // Outermost: the invalidations come before the fill.
    if let Some(write) = &model.write_through {
        let task = if model.writes.is_empty() {
            run
        } else {
            task(model, run)
        };
        run = write_through::run(model, write, &task);
        own_key = Some(write_through::own_key_checks(model, write));
    }
    let is_called = reads.is_some() || !model.writes.is_empty() || model.write_through.is_some();
    let run = match model.facts.style {
        Style::Sync if is_called => run,
        Style::Sync => quote_spanned!(site=> (#run)()),
        _ => {
            // An error that can't be stored concerns the future too: where both are reported at the
            // same place, the compiler prints one.
            let negative = reads.and_then(|read| read.negative.as_ref());
            let site = negative.map_or(site, |negative| site.located_at(negative.cache_err.span()));
            quote_spanned!(site=> #run.await)
        }
    };
    quote_spanned!(site=> #own_key #before #run)
}

/// The user's body as a value: an `async` block or a closure, so that `return` and `?` stay inside.
/// The tokens are the same in the function and in its companions, so the compiler reports a mistake
/// in them once.
fn computation(model: &Model) -> TokenStream {
    let site = Span::mixed_site();
    let output = model.facts.written_output();
    let body = &model.function.body;
    let boxed;
    let body = match &model.facts.style {
        Style::Sync => {
            let block = block(model, body.clone());
            return quote_spanned!(site=> move || -> #output #block);
        }
        Style::Async => body,
        Style::Boxed(block) => {
            boxed = block.statements();
            &boxed
        }
    };
    let site = site.located_at(output.span());
    let k = model.runtime().private(output.span());
    let typed = match output {
        Type::Infer(_) => body.clone(),
        // An `async` block can't declare its type; a `return` that never runs does.
        _ => quote_spanned! {site=>
            if false {
                #[allow(unreachable_code)]
                return #k::never::<#output>();
            }
            #body
        },
    };
    let block = block(model, typed);
    quote_spanned!(Span::mixed_site()=> async move #block)
}

/// The same for the body of a function with `each`, in which an argument is replaced for each run.
fn repeated(model: &Model, replaced: &TokenStream) -> TokenStream {
    let site = Span::mixed_site();
    let output = &model.facts.output;
    let body = &model.function.body;
    if let Style::Sync = model.facts.style {
        let block = block(model, quote_spanned!(site=> #replaced #body));
        return quote_spanned!(site=> || -> #output #block);
    }
    let k = model.runtime().private(output.span());
    let located = site.located_at(output.span());
    let typed = quote_spanned! {located=>
        if false {
            #[allow(unreachable_code)]
            return #k::never::<#output>();
        }
        #replaced
        #body
    };
    let block = block(model, typed);
    quote_spanned!(site=> async #block)
}

/// Braces at the author's span: an error about the block's value is reported there.
fn block(model: &Model, statements: TokenStream) -> Group {
    let mut block = Group::new(Delimiter::Brace, statements);
    block.set_span(Span::mixed_site().located_at(model.function.braces));
    block
}

/// Generate a call as the computation of another call.
fn task(model: &Model, run: TokenStream) -> TokenStream {
    let site = Span::mixed_site();
    match model.facts.style {
        Style::Sync => {
            let output = model.facts.written_output();
            quote_spanned!(site=> move || -> #output { #run })
        }
        _ => run,
    }
}

/// The shape of a return type whose value is stored, or a compile error if it can't be stored.
fn stored_shape(model: &Model, read: &Read) -> TokenStream {
    if let Some(adapter) = &read.adapter {
        return adapter::shape(adapter);
    }
    shape_of_stored(model, &read.runtime)
}

/// The shape of the function's own return type.
fn shape_of_stored(model: &Model, runtime: &Runtime) -> TokenStream {
    let output = &model.facts.output;
    let span = stored_part(output).span();
    let site = Span::mixed_site().located_at(span);
    let k = runtime.private(span);
    let known = response_part(output).map(|response| {
        let site = Span::mixed_site().located_at(response.span());
        quote_spanned!(site=> .__known())
    });
    quote_spanned!(site=> #k::shape::ShapeProbe::<#output>::NEW.__shape() #known .__fit())
}

/// The cache to use.
fn handle(cache: Option<&Expr>, runtime: &Runtime) -> TokenStream {
    let site = Span::mixed_site();
    match cache {
        Some(cache) => {
            let site = site.located_at(cache.span());
            let k = runtime.private(cache.span());
            quote_spanned!(site=> #k::Handle::Given(&(#cache)))
        }
        None => {
            let k = runtime.private(site);
            quote_spanned!(site=> #k::Handle::Current)
        }
    }
}

/// The condition, or `true`.
fn condition(condition: Option<&Expr>, context: &[Ident], runtime: &Runtime) -> TokenStream {
    let always = quote_spanned!(Span::mixed_site()=> true);
    let Some(condition) = condition else {
        return always;
    };
    // A guard must be a `bool`, and the compiler's error about one is short.
    let evaluated = quote_spanned! {Span::mixed_site()=>
        match () {
            () if #condition => true,
            () => false,
        }
    };
    // Without the context, a read has no key, and a write must not miss an entry.
    context::expression(context, condition, runtime, &always, evaluated)
}

impl Model {
    /// The runtime crate. All attributes of a function agree on it.
    fn runtime(&self) -> &Runtime {
        match (&self.read, &self.write_through, self.writes.first()) {
            (Some(read), _, _) => &read.runtime,
            (None, Some(write), _) => &write.runtime,
            (None, None, Some(write)) => &write.runtime,
            (None, None, None) => &Runtime::DEFAULT,
        }
    }
}
