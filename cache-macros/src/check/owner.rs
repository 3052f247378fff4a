//! Check of `owner`: whose entry it is.

use crate::attr::args::CacheableArgs;
use crate::diagnostics::errors::Errors;
use crate::item::free::mentions;
use crate::model::Owner;
use crate::template::{Placeholder, Template};
use proc_macro2::Span;
use quote::ToTokens as _;
use syn::Ident;

/// Return the owner, and whether the template names it.
pub(crate) fn owner(
    args: &CacheableArgs,
    key: Option<&Template>,
    errors: &mut Errors,
) -> Option<Owner> {
    let expr = args.owner.clone()?;
    if args.each.is_some() {
        errors.on(
            &expr,
            "`owner` can't be combined with `each`: leave one of them out, or write a function for \
             one item with `owner`",
        );
    }
    let source = expr.to_token_stream().to_string();
    let is_owner = |one: &Placeholder| one.expr.to_token_stream().to_string() == source;
    let shape = key.map(|key| key.shape_with(is_owner)).unwrap_or_default();
    Some(Owner {
        in_key: key.is_some_and(|key| key.placeholders().any(is_owner)),
        shape,
        placeholder: Placeholder {
            source: "owner".to_owned(),
            per_item: false,
            mentions: mentions(&expr),
            expr,
        },
    })
}

/// Return the names that the owner uses. The owner enters the key, so they do too.
pub(crate) fn names(owner: Option<&Owner>) -> Vec<Ident> {
    let mentions = owner.iter().flat_map(|owner| &owner.placeholder.mentions);
    let names = mentions.map(|mention| mention.name.as_str());
    // `syn` refuses a name that is a keyword, except for those of paths.
    let idents = names.filter_map(|name| match name {
        "self" => Some(Ident::new(name, Span::call_site())),
        name => syn::parse_str(name).ok(),
    });
    idents.collect()
}
