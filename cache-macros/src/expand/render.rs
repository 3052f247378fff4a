//! The lines that write a key or a pattern.

use crate::item::serde_hazard::SerdeHazard;
use crate::item::signature::Binding;
use crate::model::{Read, Runtime};
use crate::template::{Placeholder, RESULT, Segment, Template};
use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;

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
        segments(key, &read.runtime, &mut lines);
    }
    lines.extend(match diagnostics {
        Diagnostics::Suppressed => hashed_without_diagnostics(read, arguments),
        Diagnostics::Reported => {
            let hashed = |place: &usize| hashed(&arguments[*place], &read.runtime);
            read.hashed.iter().map(hashed).collect()
        }
    });
    closure(&lines, &read.runtime, read.key.as_ref())
}

/// Write every pattern, with a mark in place of the returned value.
pub(crate) fn patterns(patterns: &[Template], runtime: &Runtime) -> TokenStream {
    let mut lines = TokenStream::new();
    for pattern in patterns {
        segments(pattern, runtime, &mut lines);
        lines.extend(quote_spanned!(Span::mixed_site()=> w.end();));
    }
    closure(&lines, runtime, patterns.first())
}

/// Write the parts that `patterns` marked.
pub(crate) fn results(patterns: &[Template], runtime: &Runtime) -> TokenStream {
    let site = Span::mixed_site();
    let k = runtime.private(site);
    let mut lines = TokenStream::new();
    for pattern in patterns {
        let of_result = pattern.placeholders().filter(|part| part.uses_result());
        lines.extend(of_result.map(|one| part("", one, pattern.literal.span(), runtime)));
    }
    if lines.is_empty() {
        return quote_spanned!(site=> #k::no_result);
    }
    // The only generated name that placeholders are meant to see.
    let result = syn::Ident::new(RESULT, Span::call_site());
    quote_spanned!(site=> |#result, w: &mut #k::Writer<'_>| { #lines })
}

/// Write a template that belongs to no function.
pub(crate) fn inline(template: &Template, runtime: &Runtime) -> TokenStream {
    let mut lines = TokenStream::new();
    segments(template, runtime, &mut lines);
    closure(&lines, runtime, Some(template))
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
fn segments(template: &Template, runtime: &Runtime, lines: &mut TokenStream) {
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
                lines.extend(quote_spanned!(Span::mixed_site()=> w.result();));
            }
            Segment::Placeholder(placeholder) => {
                lines.extend(part(before, placeholder, span, runtime));
            }
        }
        before = "";
    }
    lines.extend(text(before));
}

fn part(before: &str, placeholder: &Placeholder, span: Span, runtime: &Runtime) -> TokenStream {
    let site = Span::mixed_site().located_at(span);
    let k = runtime.private(span);
    let (source, expr) = (&placeholder.source, &placeholder.expr);
    // Lints treat a name of the signature in a placeholder as the author's own use of it.
    let mut mentions = placeholder.mentions.iter();
    let underscored = mentions.any(|mention| mention.name.starts_with('_'));
    let allowed =
        underscored.then(|| quote_spanned!(site=> #[allow(clippy::used_underscore_binding)]));
    quote_spanned!(site=> #allowed #k::part::PartProbe::of(&(#expr)).__part(w, #before, #source);)
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
