//! Facts about a signature: its arguments, `self`, its return type and how its body runs.

use crate::item::async_trait::{self, BoxedBody};
use crate::item::bindings;
use crate::item::extractor::Extractor;
use crate::item::function::Function;
use crate::item::opaque;
use crate::item::serde_hazard::SerdeHazard;
use crate::item::transaction::is_transaction;
use proc_macro2::Span;
use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt as _;
use syn::{
    Attribute, FnArg, GenericArgument, GenericParam, Ident, Pat, PathArguments, ReturnType, Type,
    TypePath, parse_quote_spanned,
};

/// An argument: one name that the signature binds.
pub(crate) struct Binding {
    pub(crate) ident: Ident,
    /// The name as text, without `r#`.
    pub(crate) name: String,
    /// Its `#[cfg(..)]`s. If one is false, the argument doesn't exist.
    pub(crate) cfgs: Vec<Attribute>,
    /// Why it must not be hashed through `Serialize`, if its type is known to be of that kind.
    pub(crate) hazard: Option<SerdeHazard>,
    /// The replacement, if it is an argument of a web framework.
    pub(crate) extractor: Option<Extractor>,
    /// Its type, if that is a database transaction.
    pub(crate) transaction: Option<Type>,
}

/// How the body runs.
pub(crate) enum Style {
    Sync,
    Async,
    /// `Box::pin(async move { .. })`, as `async_trait` generates it.
    Boxed(BoxedBody),
}

/// Everything that the checks and the expansion need to know about a signature.
pub(crate) struct Facts {
    /// The function's name without `r#`.
    pub(crate) name: String,
    pub(crate) arguments: Vec<Binding>,
    pub(crate) has_receiver: bool,
    /// The span of `self`, if the function takes it.
    receiver: Option<Span>,
    /// Whether `self` or `Self` occurs anywhere in it, so the function can't be a free one.
    pub(crate) names_self: bool,
    /// Const parameters, which a placeholder may use.
    pub(crate) consts: Vec<String>,
    /// The type that a caller gets, after `.await`.
    pub(crate) output: Type,
    /// The same with `_` for each `impl Trait`, if there is one.
    pub(crate) opaque: Option<Type>,
    pub(crate) style: Style,
}

impl Facts {
    pub(crate) fn of(function: &Function) -> Self {
        let sig = &function.sig;
        let boxed = match &sig.output {
            // Parse the body only if the return type is that of a boxed one: a body may be long.
            ReturnType::Type(_, ty) if sig.asyncness.is_none() => async_trait::output(ty)
                .and_then(|output| Some((output, async_trait::body(&function.body)?))),
            _ => None,
        };
        let (output, style) = match boxed {
            Some((output, body)) => (output.clone(), Style::Boxed(body)),
            None => {
                let style = match sig.asyncness {
                    Some(_) => Style::Async,
                    None => Style::Sync,
                };
                (written_output(function), style)
            }
        };
        let mut inferred = output.clone();
        let is_opaque = opaque::infer(&mut inferred);
        Self {
            opaque: is_opaque.then_some(inferred),
            name: sig.ident.unraw().to_string(),
            arguments: arguments(function, &style),
            has_receiver: sig.receiver().is_some(),
            receiver: sig.receiver().map(|receiver| receiver.self_token.span),
            names_self: names_self(function),
            consts: consts(function),
            output,
            style,
        }
    }

    /// The output as generated code writes it.
    pub(crate) fn written_output(&self) -> &Type {
        self.opaque.as_ref().unwrap_or(&self.output)
    }

    /// The arguments' names, for messages.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.arguments
            .iter()
            .map(|argument| argument.name.as_str())
            .collect()
    }

    /// The span at which the signature binds `name`.
    pub(crate) fn bound_at(&self, name: &str) -> Option<Span> {
        if name == "self" {
            return self.receiver;
        }
        let mut arguments = self.arguments.iter();
        let argument = arguments.find(|argument| argument.name == name);
        argument.map(|argument| argument.ident.span())
    }

    /// Whether two arguments have this name: one from a `macro_rules!` and one from its caller.
    /// Alternatives under a `#[cfg(..)]` count as one.
    pub(crate) fn is_ambiguous(&self, name: &str) -> bool {
        let arguments = self.arguments.iter();
        let same = arguments.filter(|argument| argument.name == name && argument.cfgs.is_empty());
        same.count() > 1
    }

    pub(crate) fn has_argument(&self, name: &str) -> bool {
        self.arguments.iter().any(|argument| argument.name == name)
    }
}

/// Find `T` in `Result<Option<T>, E>` and the like, as far as it is written: an alias hides it.
pub(crate) fn stored_part(ty: &Type) -> &Type {
    let inner = match ty {
        Type::Group(group) => Some(&*group.elem),
        Type::Paren(paren) => Some(&*paren.elem),
        Type::Path(path) => path.path.segments.last().and_then(|segment| {
            let PathArguments::AngleBracketed(generics) = &segment.arguments else {
                return None;
            };
            let wraps = ["Result", "Option", "Arc", "Json", "Html", "Form"]
                .map(|name| segment.ident == name);
            match generics.args.first() {
                Some(GenericArgument::Type(inner)) if wraps.contains(&true) => Some(inner),
                _ => None,
            }
        }),
        _ => None,
    };
    inner.map_or(ty, stored_part)
}

/// Find a type that is named like a response of a web framework: `Json<T>`, or `(StatusCode, ..)`.
pub(crate) fn response_part(ty: &Type) -> Option<&Type> {
    let path = match ty {
        Type::Group(group) => return response_part(&group.elem),
        Type::Paren(paren) => return response_part(&paren.elem),
        Type::Tuple(tuple) => {
            let is_status = |ty: &Type| matches!(ty, Type::Path(path) if ends_in(path, &["StatusCode", "Status"]));
            return (tuple.elems.len() == 2 && tuple.elems.iter().any(is_status)).then_some(ty);
        }
        Type::Path(path) => path,
        _ => return None,
    };
    if ends_in(path, &["Json", "Html", "Form", "RawHtml", "RawJson"]) {
        return Some(ty);
    }
    if !ends_in(path, &["Result", "Option", "Arc"]) {
        return None;
    }
    match &path.path.segments.last()?.arguments {
        PathArguments::AngleBracketed(generics) => match generics.args.first()? {
            GenericArgument::Type(inner) => response_part(inner),
            _ => None,
        },
        _ => None,
    }
}

fn ends_in(path: &TypePath, names: &[&str]) -> bool {
    let last = path.path.segments.last();
    last.is_some_and(|last| names.iter().any(|name| last.ident == name))
}

fn written_output(function: &Function) -> Type {
    match &function.sig.output {
        ReturnType::Type(_, ty) => (**ty).clone(),
        ReturnType::Default => parse_quote_spanned!(function.sig.ident.span()=> ()),
    }
}

fn arguments(function: &Function, style: &Style) -> Vec<Binding> {
    let mut found = Vec::new();
    for input in &function.sig.inputs {
        let FnArg::Typed(input) = input else { continue };
        let pat = match style {
            Style::Boxed(body) => body.written(&input.pat),
            _ => Some(&*input.pat),
        };
        let Some(pat) = pat else { continue };
        bindings::each(pat, &mut |ident| {
            found.push(Binding {
                ident: ident.clone(),
                name: ident.unraw().to_string(),
                cfgs: cfgs(&input.attrs).cloned().collect(),
                hazard: None,
                extractor: Extractor::of(pat, &input.ty),
                transaction: None,
            });
        });
        record_types(pat, &input.ty, &mut found);
    }
    found
}

/// Record what the type of each name in `pat` tells. If one type covers several names, it isn't
/// known which of them is concerned, and nothing is recorded.
fn record_types(pat: &Pat, ty: &Type, found: &mut [Binding]) {
    if let (Pat::Tuple(pats), Type::Tuple(types)) = (pat, ty) {
        if pats.elems.len() == types.elems.len() {
            let parts = pats.elems.iter().zip(&types.elems);
            parts.for_each(|(pat, ty)| record_types(pat, ty, found));
        }
        return;
    }
    let mut names = Vec::new();
    bindings::each(pat, &mut |ident| names.push(ident));
    if let [name] = names[..]
        && let Some(binding) = found.iter_mut().find(|binding| binding.ident == *name)
    {
        binding.hazard = SerdeHazard::of(ty);
        // A name inside of a pattern is a part of the type.
        let is_whole = matches!(pat, Pat::Ident(_));
        binding.transaction = (is_whole && is_transaction(ty)).then(|| ty.clone());
    }
}

/// The `#[cfg(..)]`s among `attrs`.
pub(crate) fn cfgs(attrs: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    attrs.iter().filter(|attr| attr.path().is_ident("cfg"))
}

fn consts(function: &Function) -> Vec<String> {
    let params = function.sig.generics.params.iter();
    params
        .filter_map(|param| match param {
            GenericParam::Const(param) => Some(param.ident.unraw().to_string()),
            _ => None,
        })
        .collect()
}

fn names_self(function: &Function) -> bool {
    let sig = &function.sig;
    let (inputs, output, generics) = (&sig.inputs, &sig.output, &sig.generics);
    let bounds = &sig.generics.where_clause;
    mentions_self(quote!(#inputs #output #generics #bounds))
}

fn mentions_self(tokens: impl ToTokens) -> bool {
    let tokens: TokenStream = tokens.into_token_stream();
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == "self" || ident == "Self",
        TokenTree::Group(group) => mentions_self(group.stream()),
        _ => false,
    })
}
