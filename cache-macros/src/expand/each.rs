//! `each`: a loop that runs the body for the items that are missing. The body stays in the
//! function, so it borrows the other arguments; a second run is needed only where another caller
//! has failed.

use super::{handle, read, repeated, transaction};
use crate::item::signature::Style;
use crate::model::{Each, Model, Read};
use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::spanned::Spanned as _;
use syn::{Pat, Type};

/// Generate `let mut each = ..;`, which renders the key of each item.
pub(super) fn begin(model: &Model, read: &Read, each: &Each, render: &TokenStream) -> TokenStream {
    let site = Span::mixed_site();
    let k = read.runtime.private(site);
    let this = read::static_site(model, read);
    let handle = handle(read.cache.as_ref(), &read.runtime);
    let condition = transaction::condition(read);
    let ttl = read::computed_ttl(&read.ttl, &read.context, &read.runtime);
    let Each {
        argument,
        item_ty,
        item,
        ..
    } = each;
    let output = &model.facts.output;
    let located = site.located_at(output.span());
    let at_output = read.runtime.private(output.span());
    let shape = quote_spanned! {located=>
        #at_output::shape::ShapeProbe::<<#output as #at_output::each::EachOutput<#item_ty>>::Item>::NEW
            .__shape().__fit()
    };
    let blocking = matches!(model.facts.style, Style::Sync);
    // The body changes its own copy.
    let is_mut = matches!(&each.pat, Pat::Ident(pat) if pat.mutability.is_some());
    let changed = is_mut.then(|| quote_spanned!(site=> let _ = &mut #argument;));
    quote_spanned! {site=>
        #changed
        let mut each = #k::begin_each::<#item_ty, #output, _>(
            #this, #handle, #condition, #shape, &#argument[..],
            &|#item, render| render(#render), &#ttl, #blocking,
        );
    }
}

/// Generate the call's computation: an `async` block, or a blocking call.
pub(super) fn run(model: &Model, read: &Read, each: &Each) -> TokenStream {
    let site = Span::mixed_site();
    let (pat, ty) = (&each.pat, &each.ty);
    let missing = match borrowed(ty) {
        Some(ty) => quote_spanned!(site=> let #pat: #ty = &missing;),
        None => quote_spanned!(site=> let #pat: #ty = missing;),
    };
    let body = transaction::around(
        model,
        read.tx.as_ref(),
        &read.runtime,
        repeated(model, &missing),
    );
    let output = &model.facts.output;
    if let Style::Sync = model.facts.style {
        return quote_spanned! {site=>
            (move || -> #output {
                while let ::core::option::Option::Some(missing) = each.next_blocking() {
                    let inside = each.enter();
                    #[allow(clippy::redundant_closure_call)]
                    let output = (#body)();
                    ::core::mem::drop(inside);
                    if let ::core::result::Result::Err(output) = each.computed_blocking(output) {
                        return output;
                    }
                }
                each.finish()
            })()
        };
    }
    quote_spanned! {site=>
        async {
            while let ::core::option::Option::Some(missing) = each.next().await {
                let output = each.within(#body).await;
                let filling = match each.computed(output) {
                    ::core::result::Result::Ok(filling) => filling,
                    ::core::result::Result::Err(output) => return output,
                };
                if let ::core::option::Option::Some(filling) = filling {
                    filling.await;
                }
            }
            each.finish()
        }
    }
}

/// The type of a borrowed argument, for a local: without a lifetime, which the local doesn't reach.
fn borrowed(ty: &Type) -> Option<Type> {
    match ty {
        Type::Group(group) => borrowed(&group.elem),
        Type::Paren(paren) => borrowed(&paren.elem),
        Type::Reference(reference) => {
            let mut local = reference.clone();
            local.lifetime = None;
            Some(Type::Reference(local))
        }
        _ => None,
    }
}
