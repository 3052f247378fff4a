//! Checks of `each`, which gives every item of an argument an entry of its own.

use super::names;
use crate::attr::args::CacheableArgs;
use crate::attr::ttl::ungrouped;
use crate::diagnostics::errors::Errors;
use crate::diagnostics::nearest::list;
use crate::item::function::Function;
use crate::item::signature::{Facts, Style};
use crate::model::Each;
use crate::template::Template;
use proc_macro2::Span;
use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{Expr, FnArg, GenericArgument, Ident, Pat, PatType, PathArguments, Type};

/// Return what `each` says; `None` without it, and after a mistake.
pub(crate) fn each(
    args: &CacheableArgs,
    key: Option<&Template>,
    function: &Function,
    facts: &Facts,
    errors: &mut Errors,
) -> Option<Each> {
    let each = args.each.as_ref()?;
    combined(args, each.span(), facts, errors);
    output(&facts.output, errors);
    let item = item(args, each, key, facts, errors);
    let named = argument(each, facts, errors)?;
    let (argument, input) = input(&named, function, errors)?;
    let Some(item_ty) = element(&input.ty) else {
        errors.on(
            &input.ty,
            format!(
                "`each = {argument}` needs the items in a `&[T]` or a `Vec<T>`: write one of \
                 these types"
            ),
        );
        return None;
    };
    Some(Each {
        item_ty: item_ty.clone(),
        item: Ident::new(&item?, Span::call_site()),
        pat: (*input.pat).clone(),
        ty: (*input.ty).clone(),
        argument,
    })
}

/// Refuse a return type that is written as one value. The compiler finds out about the others.
fn output(ty: &Type, errors: &mut Errors) {
    const SINGLE: &[&str] = &[
        "Option", "Arc", "Rc", "Box", "Json", "String", "HashSet", "BTreeSet", "bool", "char",
        "f32", "f64", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64",
        "i128", "isize",
    ];
    let is_single = match ty {
        Type::Group(group) => return output(&group.elem, errors),
        Type::Paren(paren) => return output(&paren.elem, errors),
        Type::Tuple(_) | Type::Array(_) => true,
        Type::Path(path) => {
            let Some(last) = path.path.segments.last() else {
                return;
            };
            if last.ident == "Result"
                && let PathArguments::AngleBracketed(generics) = &last.arguments
                && let Some(GenericArgument::Type(inner)) = generics.args.first()
            {
                return output(inner, errors);
            }
            SINGLE.iter().any(|single| last.ident == single)
        }
        _ => false,
    };
    if is_single {
        errors.on(
            ty,
            "a function with `each` returns a value for each item: a `HashMap` or a `BTreeMap` \
             from items to values, or a `Vec` in the order of the items (`Vec<Option<T>>` where \
             an item may have no value), each also in a `Result`",
        );
    }
}

/// Return the argument that `each` names.
fn argument(each: &Expr, facts: &Facts, errors: &mut Errors) -> Option<Ident> {
    let Expr::Path(path) = ungrouped(each) else {
        errors.on(
            each,
            "`each` takes the name of the argument that holds the items: write `each = ids`",
        );
        return None;
    };
    let named = path.path.get_ident();
    match named.filter(|ident| facts.has_argument(&ident.unraw().to_string())) {
        Some(ident) => Some(ident.clone()),
        None => {
            let name = path.to_token_stream().to_string();
            let known = super::arguments(&name, facts);
            errors.on(each, format!("`each = {name}` names no argument{known}"));
            None
        }
    }
}

/// Find the argument in the signature, as it is written there.
fn input<'a>(
    argument: &Ident,
    function: &'a Function,
    errors: &mut Errors,
) -> Option<(Ident, &'a PatType)> {
    let inputs = function.sig.inputs.iter();
    let mut typed = inputs.filter_map(|input| match input {
        FnArg::Typed(input) => Some(input),
        FnArg::Receiver(_) => None,
    });
    let found = typed.find_map(|input| match &*input.pat {
        Pat::Ident(pat) if pat.ident == *argument && pat.subpat.is_none() => {
            Some((pat.ident.clone(), input))
        }
        _ => None,
    });
    if found.is_none() {
        errors.on(
            argument,
            format!(
                "`{argument}` is part of a pattern, and the body is called with the items that are \
                 missing in its place: write `{argument}: Vec<T>` in the signature"
            ),
        );
    }
    found
}

/// The type of the items in `&[T]`, `Vec<T>` or `&Vec<T>`.
fn element(ty: &Type) -> Option<&Type> {
    match ty {
        Type::Group(group) => element(&group.elem),
        Type::Paren(paren) => element(&paren.elem),
        Type::Reference(reference) if reference.mutability.is_none() => match &*reference.elem {
            Type::Slice(slice) => Some(&slice.elem),
            other => element(other).filter(|_| !matches!(other, Type::Reference(_))),
        },
        Type::Path(path) => {
            let last = path.path.segments.last()?;
            let PathArguments::AngleBracketed(generics) = &last.arguments else {
                return None;
            };
            match generics.args.first()? {
                GenericArgument::Type(ty) if last.ident == "Vec" => Some(ty),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Return the name of one item in the key.
fn item(
    args: &CacheableArgs,
    each: &Expr,
    key: Option<&Template>,
    facts: &Facts,
    errors: &mut Errors,
) -> Option<String> {
    let argument = each.to_token_stream().to_string();
    let Some(key) = key else {
        if args.key.is_none() {
            errors.on(
                each,
                format!(
                    "`each = {argument}` needs a key that names one item: write \
                     `key = \"users:<<id>>\"`"
                ),
            );
        }
        return None;
    };
    if key.placeholders().any(|one| one.uses(&argument)) {
        errors.at(
            key.literal.span(),
            format!(
                "the key uses `{argument}`, which holds all items: name one item, by a name that \
                 no argument has: `<<id>>`"
            ),
        );
        return None;
    }
    let mut candidates = names::free(key, &args.context, facts);
    if candidates.len() == 1 {
        return candidates.pop();
    }
    let found = match candidates.is_empty() {
        true => "the key names no item".to_owned(),
        false => {
            let names: Vec<&str> = candidates.iter().map(String::as_str).collect();
            format!("the item could be any of {}", list(&names))
        }
    };
    errors.at(
        key.literal.span(),
        format!(
            "{found}: with `each = {argument}`, the key has exactly one name that is no argument, \
             and it stands for one item: `<<id>>`"
        ),
    );
    None
}

/// Refuse options that concern one value of the whole function.
fn combined(args: &CacheableArgs, span: Span, facts: &Facts, errors: &mut Errors) {
    let staleness = &args.staleness;
    let over_value = matches!(args.ttl.as_ref().map(ungrouped), Some(Expr::Closure(_)));
    let refused = [
        ("stale", staleness.stale > 0),
        ("stale_if_error", staleness.stale_if_error.is_some()),
        ("early", staleness.early),
        ("refresh", staleness.refresh.is_some()),
        ("detached", args.detached.is_some()),
        ("unless", args.unless.is_some()),
    ];
    for (option, _) in refused.iter().filter(|(_, is_given)| *is_given) {
        errors.at(
            span,
            format!(
                "`{option}` doesn't combine with `each`, where one run of the body computes many \
                 entries: remove one of the two"
            ),
        );
    }
    if over_value {
        errors.at(
            span,
            "a `ttl` over the value doesn't combine with `each`, where one run of the body \
             computes many entries: give one `ttl` for all, such as `ttl = \"10m\"`",
        );
    }
    if let Style::Boxed(_) = facts.style {
        errors.at(
            span,
            "an `async_trait` method can't have `each`: annotate an inherent method and call it \
             from this one",
        );
    }
}
