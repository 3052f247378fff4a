//! `audit`: a body that can run again.

use crate::item::signature::Style;
use crate::model::{Audit, Model, Read};
use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::spanned::Spanned as _;

/// Generate a read after whose hit an audit may begin. `read` is given the names of the lookup and of
/// the computation.
pub(super) fn around(
    model: &Model,
    read: &Read,
    audit: &Audit,
    task: &TokenStream,
    run: &TokenStream,
) -> TokenStream {
    let site = Span::mixed_site();
    let k = read.runtime.private(site);
    let again = again(model, audit, task);
    let checks = audit.arguments.iter().map(|argument| {
        let (ty, cfgs) = (&argument.ty, &argument.cfgs);
        let at = site.located_at(ty.span());
        let k = read.runtime.private(ty.span());
        quote_spanned!(at=> #(#cfgs)* #k::audit::argument::<#ty>();)
    });
    // Errors of the body's future and of conversions, such as a missing `Clone`, are reported at the
    // return type.
    let at = site.located_at(model.facts.output.span());
    let function = match model.facts.style {
        Style::Sync => quote_spanned!(at=> audited_sync),
        _ => quote_spanned!(at=> audited),
    };
    quote_spanned! {site=>
        {
            #(#checks)*
            #[allow(clippy::redundant_closure_call)]
            let again = #again;
            #k::audit::#function(lookup, again, |lookup, task| #run)
        }
    }
}

/// Generate the closure that runs the body each time with clones of the arguments.
fn again(model: &Model, audit: &Audit, task: &TokenStream) -> TokenStream {
    let site = Span::mixed_site();
    let clones = |of_body: bool| {
        model.facts.arguments.iter().map(move |argument| {
            let (ident, cfgs) = (&argument.ident, &argument.cfgs);
            let is_changed = audit.changed.contains(&argument.name);
            let mutable = (is_changed && of_body).then(|| quote_spanned!(site=> mut));
            let original = (is_changed && !of_body)
                .then(|| quote_spanned!(site=> #(#cfgs)* let _ = &mut #ident;));
            quote_spanned! {site=>
                #original
                #(#cfgs)*
                #[allow(unused_variables, unused_mut)]
                let #mutable #ident = ::core::clone::Clone::clone(&#ident);
            }
        })
    };
    let (kept, given) = (clones(false), clones(true));
    let run = match model.facts.style {
        Style::Sync => quote_spanned!(site=> (#task)()),
        _ => quote_spanned!(site=> #task),
    };
    quote_spanned! {site=>
        {
            #(#kept)*
            move || {
                #(#given)*
                #run
            }
        }
    }
}
