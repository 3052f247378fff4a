//! The shape that `#[async_trait]` gives a method before our attribute sees it:
//! `fn m<'life0, 'async_trait>(&'life0 self, ..) -> Pin<Box<dyn Future<Output = R> + ..>> {
//! Box::pin(async move { .. }) }`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::Parser as _;
use syn::{
    Block, Expr, ExprAsync, ExprCall, GenericArgument, Ident, Local, Pat, PathArguments, Stmt,
    Type, TypeParamBound,
};

/// A body that ends in `Box::pin(async move { .. })`.
pub(crate) struct BoxedBody {
    before: Vec<Stmt>,
    call: ExprCall,
    block: ExprAsync,
}

impl BoxedBody {
    /// The statements of the async block.
    pub(crate) fn statements(&self) -> TokenStream {
        let stmts = &self.block.block.stmts;
        quote!(#(#stmts)*)
    }

    /// Build the same body around other statements.
    pub(crate) fn around(&self, statements: &TokenStream) -> TokenStream {
        let (before, func) = (&self.before, &self.call.func);
        let ExprAsync {
            async_token,
            capture,
            ..
        } = &self.block;
        quote!(#(#before)* #func(#async_token #capture { #statements }))
    }

    /// The pattern that the author wrote for an argument: `async_trait` replaces any pattern that
    /// isn't a plain name by `__arg1`, and destructures it in the body. `None` for `_`, which binds
    /// nothing.
    pub(crate) fn written<'a>(&'a self, pat: &'a Pat) -> Option<&'a Pat> {
        match pat {
            Pat::Ident(name) if is_positional(&name.ident.to_string()) => {
                if self.locals().any(|local| moves(local, &name.ident)) {
                    return None;
                }
                self.replaced(&name.ident).or(Some(pat))
            }
            _ => Some(pat),
        }
    }

    /// The pattern that destructures the argument `name`.
    pub(crate) fn replaced(&self, name: &Ident) -> Option<&Pat> {
        let unpacks = |local: &&Local| match value(local) {
            Some(Expr::Block(block)) => match block.block.stmts.first() {
                Some(Stmt::Local(first)) => moves(first, name),
                _ => false,
            },
            _ => false,
        };
        self.locals().find(unpacks).map(|local| &local.pat)
    }

    /// The statements without those that only move an argument into the future: `let __self =
    /// self;`, `let id = id;`.
    pub(crate) fn without_moves(&self) -> TokenStream {
        let moves = |stmt: &&Stmt| match stmt {
            Stmt::Local(local) => match (&local.pat, value(local)) {
                (Pat::Ident(pat), Some(Expr::Path(path))) => {
                    pat.ident == "__self" && path.path.is_ident("self")
                        || path.path.is_ident(&pat.ident)
                }
                _ => false,
            },
            _ => false,
        };
        let stmts = self.block.block.stmts.iter();
        let stmts = stmts.filter(|stmt| !moves(stmt));
        quote!(#(#stmts)*)
    }

    fn locals(&self) -> impl Iterator<Item = &Local> {
        self.block.block.stmts.iter().filter_map(|stmt| match stmt {
            Stmt::Local(local) => Some(local),
            _ => None,
        })
    }
}

fn is_positional(name: &str) -> bool {
    name.strip_prefix("__arg")
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

/// Whether this is `let name = name;`.
fn moves(local: &Local, name: &Ident) -> bool {
    matches!(&local.pat, Pat::Ident(pat) if pat.ident == *name)
        && matches!(value(local), Some(Expr::Path(path)) if path.path.is_ident(name))
}

fn value(local: &Local) -> Option<&Expr> {
    local.init.as_ref().map(|init| &*init.expr)
}

/// Find `R` in `Pin<Box<dyn Future<Output = R> ..>>`.
pub(crate) fn output(ty: &Type) -> Option<&Type> {
    let boxed = only_argument(ty, "Pin")?;
    let Type::TraitObject(object) = only_argument(boxed, "Box")? else {
        return None;
    };
    object.bounds.iter().find_map(|bound| match bound {
        TypeParamBound::Trait(bound) => future_output(bound.path.segments.last()?),
        _ => None,
    })
}

fn only_argument<'a>(ty: &'a Type, name: &str) -> Option<&'a Type> {
    match ty {
        Type::Group(group) => only_argument(&group.elem, name),
        Type::Path(path) => {
            let segment = path.path.segments.last()?;
            let PathArguments::AngleBracketed(generics) = &segment.arguments else {
                return None;
            };
            match generics.args.first() {
                Some(GenericArgument::Type(inner)) if segment.ident == name => Some(inner),
                _ => None,
            }
        }
        _ => None,
    }
}

fn future_output(segment: &syn::PathSegment) -> Option<&Type> {
    let PathArguments::AngleBracketed(generics) = &segment.arguments else {
        return None;
    };
    generics.args.iter().find_map(|argument| match argument {
        GenericArgument::AssocType(assoc)
            if segment.ident == "Future" && assoc.ident == "Output" =>
        {
            Some(&assoc.ty)
        }
        _ => None,
    })
}

/// Parse a body that ends in `Box::pin(async move { .. })`.
pub(crate) fn body(tokens: &TokenStream) -> Option<BoxedBody> {
    let mut before = Block::parse_within.parse2(tokens.clone()).ok()?;
    let Some(Stmt::Expr(Expr::Call(call), None)) = before.pop() else {
        return None;
    };
    let Expr::Path(func) = &*call.func else {
        return None;
    };
    let names = func
        .path
        .segments
        .iter()
        .rev()
        .map(|segment| &segment.ident);
    if !names
        .take(2)
        .zip(["pin", "Box"])
        .all(|(have, want)| have == want)
    {
        return None;
    }
    let Some(Expr::Async(block)) = call.args.first() else {
        return None;
    };
    Some(BoxedBody {
        before,
        block: block.clone(),
        call,
    })
}
