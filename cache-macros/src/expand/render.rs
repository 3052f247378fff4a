//! The lines that write a key or a pattern.

use super::context;
use crate::item::serde_hazard::SerdeHazard;
use crate::item::signature::Binding;
use crate::model::{Owner, Read, Runtime, Write};
use crate::template::{Placeholder, RESULT, Segment, Template};
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;
use syn::spanned::Spanned as _;

/// Whether arguments that can't be hashed are reported.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Diagnostics {
    /// In the annotated function: report them.
    Reported,
    /// In its companions: don't report them again.
    Suppressed,
}

/// Write the path, then every argument that is hashed.
pub(crate) fn key(read: &Read, arguments: &[Binding], diagnostics: Diagnostics) -> TokenStream {
    let mut lines = TokenStream::new();
    if let Some(key) = &read.key {
        segments(key, &read.context, &read.runtime, &mut 0, &mut lines);
    }
    lines.extend(match diagnostics {
        Diagnostics::Suppressed => hashed_without_diagnostics(read, arguments),
        Diagnostics::Reported => {
            let hashed = |place: &usize| hashed(&arguments[*place], &read.runtime);
            read.hashed.iter().map(hashed).collect()
        }
    });
    lines.extend(context::hashed(read));
    if let Some(owner) = read.owner.as_ref().filter(|owner| !owner.in_key) {
        let part = owner_part(read, owner);
        let site = Span::mixed_site();
        let k = read.runtime.private(site);
        lines.extend(quote_spanned!(site=> w.owner(|w: &mut #k::Writer<'_>| { #part });));
    }
    closure(&lines, &read.runtime, read.key.as_ref())
}

/// Write the owner alone.
pub(crate) fn owner(read: &Read, owner: &Owner) -> TokenStream {
    let part = owner_part(read, owner);
    let span = owner.placeholder.expr.span();
    let site = Span::mixed_site().located_at(span);
    let k = read.runtime.private(span);
    quote_spanned! {site=>
        #k::SeesByReference::rendered(&|w: &mut #k::Writer<'_>| { #part })
    }
}

fn owner_part(read: &Read, owner: &Owner) -> TokenStream {
    let Owner { placeholder, .. } = owner;
    let one = part("", placeholder, placeholder.expr.span(), &read.runtime);
    context::placeholder(&read.context, placeholder, "", &read.runtime, one)
}

/// Write every pattern, with a numbered mark for each placeholder of the returned value.
pub(crate) fn patterns(patterns: &[Template], context: &[Ident], runtime: &Runtime) -> TokenStream {
    let mut lines = TokenStream::new();
    let mut marks = 0;
    for pattern in patterns {
        let mut one = TokenStream::new();
        segments(pattern, context, runtime, &mut marks, &mut one);
        one.extend(quote_spanned!(Span::mixed_site()=> w.end();));
        let known = pattern.per_item().filter(|items| !items.uses_result());
        lines.extend(match known {
            Some(items) => for_each(items, pattern.literal.span(), runtime, &one),
            None => one,
        });
    }
    closure(&lines, runtime, patterns.first())
}

/// Write the parts that `patterns` marked, each under its number.
pub(crate) fn results(write: &Write) -> TokenStream {
    let Write {
        patterns,
        context,
        runtime,
        ..
    } = write;
    let site = Span::mixed_site();
    let k = runtime.private(site);
    let mut lines = TokenStream::new();
    let mut marks = 0;
    for pattern in patterns {
        let span = pattern.literal.span();
        for placeholder in pattern.placeholders().filter(|part| part.uses_result()) {
            let name = next_mark(&mut marks);
            let one = named_part("", &name, placeholder, span, runtime);
            let one = context::placeholder(context, placeholder, "", runtime, one);
            lines.extend(match placeholder.per_item {
                true => for_each(placeholder, span, runtime, &one),
                false => one,
            });
        }
    }
    if lines.is_empty() {
        return quote_spanned!(site=> #k::no_result);
    }
    // The only generated name that placeholders are meant to see.
    let result = Ident::new(RESULT, Span::call_site());
    quote_spanned!(site=> |#result, w: &mut #k::Writer<'_>| { #lines })
}

/// Write a template alone. `context`: the names of the context that it may use; none where it
/// belongs to no function.
pub(crate) fn template(template: &Template, context: &[Ident], runtime: &Runtime) -> TokenStream {
    let mut lines = TokenStream::new();
    segments(template, context, runtime, &mut 0, &mut lines);
    closure(&lines, runtime, Some(template))
}

/// Repeat the lines for each value that the placeholder yields.
fn for_each(
    placeholder: &Placeholder,
    span: Span,
    runtime: &Runtime,
    lines: &TokenStream,
) -> TokenStream {
    let site = Span::mixed_site().located_at(span);
    let k = runtime.private(span);
    let (expr, allowed) = (&placeholder.expr, allowed(placeholder, site));
    quote_spanned! {site=>
        #allowed
        for item in #k::items::ItemsProbe::of(&(#expr)).__items() { #lines }
    }
}

/// The name of the next mark: its number.
fn next_mark(marks: &mut usize) -> String {
    let name = marks.to_string();
    *marks += 1;
    name
}

/// Wrap the lines in a closure. An error about it, such as a moved value, is reported at
/// `template`.
fn closure(lines: &TokenStream, runtime: &Runtime, template: Option<&Template>) -> TokenStream {
    let span = template.map_or_else(Span::call_site, |template| template.literal.span());
    let site = Span::mixed_site().located_at(span);
    let k = runtime.private(span);
    quote_spanned! {site=>
        #k::SeesByReference::rendered(&|w: &mut #k::Writer<'_>| { #lines })
    }
}

/// Text is written together with the placeholder behind it: the compiler reads each line for every
/// annotated function and for each of its companions.
fn segments(
    template: &Template,
    context: &[Ident],
    runtime: &Runtime,
    marks: &mut usize,
    lines: &mut TokenStream,
) {
    let span = template.literal.span();
    let site = Span::mixed_site().located_at(span);
    let text = |text: &str| (!text.is_empty()).then(|| quote_spanned!(site=> w.text(#text);));
    let mut before = "";
    for segment in &template.segments {
        match segment {
            Segment::Text(next) => {
                lines.extend(text(before));
                before = next;
                continue;
            }
            Segment::Placeholder(placeholder) if placeholder.uses_result() => {
                lines.extend(text(before));
                let name = next_mark(marks);
                lines.extend(quote_spanned!(Span::mixed_site()=> w.result(#name);));
            }
            Segment::Placeholder(placeholder) => {
                let part = part(before, placeholder, span, runtime);
                lines.extend(context::placeholder(
                    context,
                    placeholder,
                    before,
                    runtime,
                    part,
                ));
            }
        }
        before = "";
    }
    lines.extend(text(before));
}

fn part(before: &str, placeholder: &Placeholder, span: Span, runtime: &Runtime) -> TokenStream {
    named_part(before, &placeholder.source, placeholder, span, runtime)
}

/// Write a value under a name. The value of a placeholder with `..` is the `item` of [`for_each`].
fn named_part(
    before: &str,
    name: &str,
    placeholder: &Placeholder,
    span: Span,
    runtime: &Runtime,
) -> TokenStream {
    let site = Span::mixed_site().located_at(span);
    let k = runtime.private(span);
    let probe = quote_spanned!(site=> #k::part::PartProbe);
    if placeholder.per_item {
        return quote_spanned!(site=> #probe::of(&item).__part(w, #before, #name););
    }
    let (expr, allowed) = (&placeholder.expr, allowed(placeholder, site));
    quote_spanned!(site=> #allowed #probe::of(&(#expr)).__part(w, #before, #name);)
}

/// Lints treat a name of the signature in a placeholder as the author's own use of it.
fn allowed(placeholder: &Placeholder, site: Span) -> Option<TokenStream> {
    let mut mentions = placeholder.mentions.iter();
    let underscored = mentions.any(|mention| mention.name.starts_with('_'));
    underscored.then(|| quote_spanned!(site=> #[allow(clippy::used_underscore_binding)]))
}

/// Hash one argument. A trait local to this argument puts the argument's name into the compiler's
/// message.
fn hashed(argument: &Binding, runtime: &Runtime) -> TokenStream {
    let Binding {
        ident,
        name,
        cfgs,
        hazard,
        extractor,
        ..
    } = argument;
    let site = Span::mixed_site().located_at(ident.span());
    let k = runtime.private(ident.span());
    let message = format!("the argument `{name}` can't be hashed into the cache key");
    let label = hazard.map_or(
        "`{Self}` doesn't implement `serde::Serialize`",
        SerdeHazard::label,
    );
    let fix = match hazard {
        Some(hazard) => hazard.fix().to_owned(),
        None => format!(
            "use it in the key: `<<{ident}>>`; or derive `serde::Serialize` or `cache_runtime::CacheKey` for its type \
             (for a type parameter, add it as a bound)"
        ),
    };
    let note = match extractor {
        Some(extractor) if hazard.is_none() => extractor.note(ident),
        _ => format!("add `skip({ident})` to the attribute if the key doesn't need it; or {fix}"),
    };
    let way = match hazard {
        Some(_) => quote_spanned!(site=> __strict_way),
        None => quote_spanned!(site=> __way),
    };
    // A module doesn't see the names around it, so a user's `mod diagnostic` can't interfere. But
    // it doesn't see a path that the user wrote either, so a renamed runtime crate gets no module.
    let hidden = runtime.is_default();
    let vis = hidden.then(|| quote_spanned!(site=> pub(super)));
    let hashed = quote_spanned! {site=>
        #[diagnostic::on_unimplemented(
            message = #message,
            label = #label,
            note = #note,
        )]
        #vis trait Hashed<Way> {
            fn hash(&self, way: Way, w: &mut #k::Writer<'_>);
        }
        #[diagnostic::do_not_recommend]
        impl<T: ?::core::marker::Sized, Way: #k::hashed::Way<T>> Hashed<Way> for T {
            fn hash(&self, way: Way, w: &mut #k::Writer<'_>) {
                way.argument(w, #name, self);
            }
        }
    };
    let hashed = if hidden {
        quote_spanned!(site=> mod hashed { #hashed } use hashed::Hashed;)
    } else {
        hashed
    };
    quote_spanned! {site=>
        #(#cfgs)*
        #[allow(clippy::used_underscore_binding)]
        {
            #hashed
            Hashed::hash(&#ident, #k::hashed::HashProbe::of(&#ident).#way(), w);
        }
    }
}

/// Hash arguments without reporting those that can't be hashed: the function itself reports them,
/// and each of its companions would repeat the error.
fn hashed_without_diagnostics(read: &Read, arguments: &[Binding]) -> TokenStream {
    let hashed = read.hashed.iter().map(|place| {
        let Binding {
            ident, name, cfgs, ..
        } = &arguments[*place];
        let site = Span::mixed_site().located_at(ident.span());
        let k = read.runtime.private(site);
        quote_spanned!(site=> #(#cfgs)* #k::quiet::CompanionProbe::of(&#ident).__hash(w, #name);)
    });
    hashed.collect()
}
