//! The model to tokens. Nothing here can fail, and what is generated is thin: all logic is in the runtime.
//!
//! Generated locals have the hygiene of `Span::mixed_site()`: neither the body nor a placeholder can see them. Items have no
//! hygiene, so they stand in blocks of their own, away from the user's code.

pub(crate) mod companions;
mod read;
mod render;
mod write;

use crate::function::Function;
use crate::model::{Model, Runtime};
use crate::signature::Style;
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens as _, quote_spanned};
use syn::Expr;
use syn::spanned::Spanned as _;

/// What one generated function is for.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Purpose {
    /// The annotated function itself.
    Original,
    /// `_no_cache`: the body, and what it invalidates.
    NoCache,
    /// `_refresh`: compute and store, whatever is stored.
    Refresh,
}

/// The function and its companions.
pub(crate) fn expand(model: &Model) -> TokenStream {
    let mut tokens = Function {
        body: body(model, Purpose::Original),
        ..model.function.clone()
    }
    .into_token_stream();
    if model.companions {
        tokens.extend(companions::all(model));
    }
    tokens
}

/// The whole new body of a function.
fn body(model: &Model, purpose: Purpose) -> TokenStream {
    match &model.facts.style {
        Style::Boxed(boxed) => boxed.around(&statements(model, purpose)),
        _ => statements(model, purpose),
    }
}

/// Plans and lookups first, since the body may consume the arguments; then one call that runs it.
fn statements(model: &Model, purpose: Purpose) -> TokenStream {
    let reads = model.read.as_ref().filter(|_| purpose != Purpose::NoCache);
    if reads.is_none() && model.writes.is_empty() {
        return model.function.body.clone();
    }
    let site = Span::mixed_site();
    let mut before = TokenStream::new();
    for (place, write) in model.writes.iter().enumerate() {
        before.extend(write::plan(model, write, place, purpose));
    }
    let mut run = computation(model);
    if let Some(read) = reads {
        before.extend(read::lookup(model, read, purpose));
        run = read::run(model, read, &run);
    }
    let wraps_read = reads.is_some();
    for (place, write) in model.writes.iter().enumerate().rev() {
        let is_task = !wraps_read && place + 1 == model.writes.len();
        let task = if is_task { run } else { task(model, run) };
        run = write::run(model, write, place, &task);
    }
    let own_key = write::own_key_checks(model).filter(|_| purpose == Purpose::Original);
    let run = match model.facts.style {
        Style::Sync => run,
        _ => quote_spanned!(site=> #run.await),
    };
    quote_spanned!(site=> #own_key #before #run)
}

/// The user's body as a value: an `async` block or a closure, so that `return` and `?` stay inside.
fn computation(model: &Model) -> TokenStream {
    let site = Span::mixed_site();
    let output = &model.facts.output;
    let body = &model.function.body;
    let boxed;
    let body = match &model.facts.style {
        Style::Sync => return quote_spanned!(site=> move || -> #output { #body }),
        Style::Async => body,
        Style::Boxed(block) => {
            boxed = block.statements();
            &boxed
        }
    };
    let k = model.runtime().private(site);
    // An `async` block can't declare its type; a `return` that never runs does.
    quote_spanned! {site=>
        async move {
            if false {
                #[allow(unreachable_code)]
                return #k::never::<#output>();
            }
            #body
        }
    }
}

/// A call as the computation of another call.
fn task(model: &Model, run: TokenStream) -> TokenStream {
    let site = Span::mixed_site();
    match model.facts.style {
        Style::Sync => {
            let output = &model.facts.output;
            quote_spanned!(site=> move || -> #output { #run })
        }
        _ => run,
    }
}

/// What of the return type is stored: found by the compiler, since aliases hide it from a macro.
fn shape(model: &Model, runtime: &Runtime) -> TokenStream {
    let output = &model.facts.output;
    let site = Span::mixed_site().located_at(output.span());
    let k = runtime.private(output.span());
    // The type is named outside of the glob import, which could hide a type of the user's.
    quote_spanned! {site=>
        {
            let probe = #k::shape::Probe::<#output>::NEW;
            {
                #[allow(unused_imports)]
                use #k::shape::probe::*;
                (&&&&probe).shape()
            }
        }
    }
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
fn condition(condition: Option<&Expr>) -> TokenStream {
    match condition {
        Some(condition) => condition.to_token_stream(),
        None => quote_spanned!(Span::mixed_site()=> true),
    }
}

/// Where a call site is: three fields that every site has.
fn place() -> TokenStream {
    quote_spanned! {Span::mixed_site()=>
        module: ::core::module_path!(),
        file: ::core::file!(),
        line: ::core::line!(),
    }
}

impl Model {
    /// The runtime of any of the attributes: one function has one.
    fn runtime(&self) -> &Runtime {
        match (&self.read, self.writes.first()) {
            (Some(read), _) => &read.runtime,
            (None, Some(write)) => &write.runtime,
            (None, None) => &Runtime::DEFAULT,
        }
    }
}
