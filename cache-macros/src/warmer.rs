//! `#[warmer]`: an async function that fills a cache, and a companion that makes a `Warmer` of it.

use proc_macro2::{Delimiter, Group, Span, TokenStream};
use quote::{ToTokens as _, format_ident, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{
    Attribute, Error, Expr, ExprLit, FnArg, Ident, Lifetime, Lit, LitInt, LitStr, Meta, Pat,
    PatType, Path, ReturnType, Safety, Token, Type, TypeReference,
};

use crate::attr::args::krate;
use crate::attr::options::{self, Options, flag, value, without_arm};
use crate::attr::ttl::{millis, ungrouped};
use crate::diagnostics::errors::Errors;
use crate::expand::head::allowed;
use crate::item::function::Function;
use crate::item::signature::cfgs;
use crate::model::Runtime;

/// The options after the name.
#[derive(Default)]
struct Args {
    /// Milliseconds.
    every: Option<u64>,
    at_start: bool,
    concurrency: Option<LitInt>,
    rate: Option<LitInt>,
    krate: Option<Path>,
}

const EXAMPLE: &str = "#[warmer(\"popular\")]";

impl Options for Args {
    const NAMES: &'static [&'static str] = &["every", "at_start", "concurrency", "rate", "crate"];
    const ATTRIBUTE: &'static str = "warmer";
    const SYNONYMS: &'static [(&'static str, &'static str)] = &[
        ("interval", "every"),
        ("period", "every"),
        ("on_start", "at_start"),
        ("startup", "at_start"),
        ("parallel", "concurrency"),
        ("workers", "concurrency"),
        ("limit", "rate"),
        ("per_second", "rate"),
    ];
    const NEEDLESS: &'static [(&'static str, &'static str)] = &[(
        "name",
        "the name is the first argument, without `name =`: write `#[warmer(\"popular\")]`",
    )];
    const FIRST: &'static str = "every = \"10m\"";

    fn read(&mut self, name: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
        match name.to_string().as_str() {
            "every" => self.every = Some(interval(value(name, Self::FIRST, input)?)?),
            "at_start" => self.at_start = flag(name, input)?,
            "concurrency" => self.concurrency = Some(number(name, "concurrency = 8", input)?),
            "rate" => self.rate = Some(number(name, "rate = 50", input)?),
            "crate" => self.krate = Some(krate(name, input)?),
            _ => return Err(without_arm(name)),
        }
        Ok(())
    }
}

fn interval(expr: Expr) -> syn::Result<u64> {
    const FIX: &str = "write seconds (`every = 600`) or a string (`every = \"10m\"`)";
    let mistake = match ungrouped(&expr) {
        Expr::Lit(ExprLit { lit, .. }) => match millis("every", lit) {
            Ok(0) => "an interval of zero would run the warmer without a pause".to_owned(),
            Ok(millis) => return Ok(millis),
            Err(reason) => reason,
        },
        _ => {
            "`every` takes a literal; `Warmer::every` takes a `Duration` of the program".to_owned()
        }
    };
    Err(Error::new_spanned(expr, format!("{mistake}: {FIX}")))
}

/// Parse a number from 1 to the largest `u32`.
fn number(name: &Ident, example: &str, input: ParseStream<'_>) -> syn::Result<LitInt> {
    let expr: Expr = value(name, example, input)?;
    if let Expr::Lit(ExprLit {
        lit: Lit::Int(number),
        ..
    }) = ungrouped(&expr)
        && number.base10_parse::<u32>().is_ok_and(|number| number > 0)
    {
        return Ok(LitInt::new(number.base10_digits(), number.span()));
    }
    let message = format!("`{name}` takes a number from 1: write `{example}`");
    Err(Error::new_spanned(expr, message))
}

/// Expand `#[warmer(args)] item`.
pub(crate) fn warmer(args: TokenStream, item: TokenStream) -> TokenStream {
    let function: Function = match syn::parse2(item.clone()) {
        Ok(function) => function,
        Err(error) => {
            let error = error.into_compile_error();
            return quote!(#item #error);
        }
    };
    let mut errors = Errors::default();
    let (name, options) = read(args, &mut errors);
    check(&function, &mut errors);
    let arguments = arguments(&function);
    for argument in &arguments {
        owned(&argument.ty, &mut errors);
    }
    let warmer = Warmer {
        runtime: Runtime(options.krate.clone()),
        function: &function,
        arguments: &arguments,
    };
    let as_written = function.with_body(&function.body);
    let companion = match (errors.into_tokens(), name) {
        (None, Some(name)) => warmer.companion(&warmer.body(&name, &options)),
        // Calls of the companion aren't errors as well.
        (errors, _) => {
            let stub = warmer.companion(&quote!(::core::unreachable!()));
            quote!(#errors #stub)
        }
    };
    // A program may use the companion only, which has a copy of the body: a macro can't know whether
    // the function is in an `impl`, where the call would be `Self::popular`.
    quote!(#[allow(dead_code)] #as_written #companion)
}

/// Read the name and the options after it.
fn read(args: TokenStream, errors: &mut Errors) -> (Option<LitStr>, Args) {
    let mut name = None;
    let split = |input: ParseStream<'_>| {
        if input.peek(LitStr) {
            name = Some(input.parse::<LitStr>()?);
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        input.parse::<TokenStream>()
    };
    let rest = errors.keep(split.parse2(args)).unwrap_or_default();
    let options = options::read(rest, errors);
    match &name {
        None => errors.at(
            Span::call_site(),
            format!("a warmer needs a name, by which it is run: write `{EXAMPLE}`"),
        ),
        Some(name) if !is_name(&name.value()) => errors.at(
            name.span(),
            format!(
                "a warmer's name has one or more of the characters A-Z, a-z, 0-9, `_`, `.` and \
                 `-`: write `{EXAMPLE}`"
            ),
        ),
        Some(_) => {}
    }
    (name, options)
}

fn is_name(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    !text.is_empty() && text.chars().all(allowed)
}

fn check(function: &Function, errors: &mut Errors) {
    let sig = &function.sig;
    if let Some(constness) = &sig.constness {
        errors.on(constness, "a warmer can't be a `const fn`: remove `const`");
    }
    if !matches!(sig.safety, Safety::Default) {
        errors.on(&sig.safety, "a warmer can't be `unsafe`: remove `unsafe`");
    }
    if let Some(abi) = &sig.abi {
        errors.on(abi, "a warmer can't have a foreign ABI: remove it");
    }
    if sig.asyncness.is_none() {
        errors.on(
            sig.fn_token,
            "a warmer is an `async fn`, since it awaits the calls that it makes: write `async fn`",
        );
    }
    let first = "the first argument of a warmer is its run: write `warm: Warm`";
    match sig.inputs.first() {
        Some(FnArg::Receiver(receiver)) => errors.on(
            receiver,
            "a method can't be a warmer, since it would borrow `self` in the background: write a \
             function without `self`, and take what it needs as arguments that are `Clone`",
        ),
        Some(FnArg::Typed(argument)) if !is_warm(&argument.ty) => errors.on(&argument.ty, first),
        Some(FnArg::Typed(_)) => {}
        None => errors.at(
            sig.paren_token.span.join(),
            format!("{first}, and go through the items with `warm.each(..)`"),
        ),
    }
    if let ReturnType::Type(_, output) = &sig.output
        && matches!(**output, Type::ImplTrait(_))
    {
        errors.on(
            output,
            "a warmer returns nothing or a `Result`: name the type of its error",
        );
    }
}

fn is_warm(ty: &Type) -> bool {
    match ty {
        Type::Path(path) => {
            let last = path.path.segments.last();
            last.is_some_and(|last| last.ident == "Warm")
        }
        Type::Group(group) => is_warm(&group.elem),
        Type::Paren(inner) => is_warm(&inner.elem),
        _ => false,
    }
}

/// The arguments after the run.
fn arguments(function: &Function) -> Vec<PatType> {
    let inputs = function.sig.inputs.iter().skip(1);
    let typed = inputs.filter_map(|input| match input {
        FnArg::Typed(argument) => Some(argument.clone()),
        FnArg::Receiver(_) => None,
    });
    typed.collect()
}

/// Refuse a type that borrows: a warmer keeps its arguments.
fn owned(ty: &Type, errors: &mut Errors) {
    struct Borrows<'e>(&'e mut Errors);
    impl Borrows<'_> {
        fn borrowed(&mut self, tokens: impl quote::ToTokens) {
            self.0.on(
                tokens,
                "a warmer keeps its arguments for its runs, so it can't borrow them: take an owned \
                 value that is cheap to clone, such as a pool or an `Arc`",
            );
        }
    }
    impl<'ast> Visit<'ast> for Borrows<'_> {
        fn visit_type_reference(&mut self, reference: &'ast TypeReference) {
            match &reference.lifetime {
                Some(lifetime) if lifetime.ident == "static" => {
                    visit::visit_type(self, &reference.elem);
                }
                _ => self.borrowed(reference),
            }
        }
        fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
            if lifetime.ident != "static" {
                self.borrowed(lifetime);
            }
        }
    }
    Borrows(errors).visit_type(ty);
}

/// A function with `#[warmer]`.
struct Warmer<'a> {
    runtime: Runtime,
    function: &'a Function,
    arguments: &'a [PatType],
}

impl Warmer<'_> {
    /// The body of the companion.
    fn body(&self, name: &LitStr, options: &Args) -> TokenStream {
        let site = Span::mixed_site();
        let k = self.runtime.private(site);
        let sig = &self.function.sig;
        let description = description(&self.function.attrs);
        let names = self.names();
        // An error about an argument is reported at its type.
        let kept = self.arguments.iter().zip(&names).map(|(argument, name)| {
            let site = site.located_at(argument.ty.span());
            let k = self.runtime.private(argument.ty.span());
            quote_spanned!(site=> #k::warmer_argument(#name))
        });
        let warm = sig.inputs.first();
        let patterns = self.arguments.iter().map(|argument| &argument.pat);
        let output = match &sig.output {
            ReturnType::Default => quote_spanned!(site=> ()),
            ReturnType::Type(_, output) => output.to_token_stream(),
        };
        let at_output = site.located_at(sig.output.span());
        let (written, inner) = (&self.function.body, &self.function.inner);
        // An `async` block can't declare its type; a `return` that never runs does.
        let typed = quote_spanned! {at_output=>
            #(#inner)*
            if false {
                #[allow(unreachable_code)]
                return #k::never::<#output>();
            }
            #written
        };
        let mut block = Group::new(Delimiter::Brace, typed);
        block.set_span(site.located_at(self.function.braces));
        let mut tokens = quote_spanned! {at_output=>
            #k::warmer(
                #name,
                #description,
                (#(#kept,)*),
                |#warm, (#(#patterns,)*)| async move #block,
            )
        };
        if options.at_start {
            tokens.extend(quote_spanned!(site=> .at_start(true)));
        }
        if let Some(every) = options.every {
            tokens.extend(quote_spanned! {site=>
                .every(::core::time::Duration::from_millis(#every))
            });
        }
        if let Some(concurrency) = &options.concurrency {
            tokens.extend(quote_spanned!(site=> .concurrency(#concurrency)));
        }
        if let Some(rate) = &options.rate {
            tokens.extend(quote_spanned!(site=> .rate(#rate)));
        }
        tokens
    }

    /// The names of the companion's arguments: those of the function, as far as they are names.
    fn names(&self) -> Vec<Ident> {
        let named = |(place, argument): (usize, &PatType)| match &*argument.pat {
            Pat::Ident(name) => name.ident.clone(),
            _ => format_ident!("argument_{}", place + 1, span = Span::mixed_site()),
        };
        self.arguments.iter().enumerate().map(named).collect()
    }

    /// The companion with this body.
    fn companion(&self, body: &TokenStream) -> TokenStream {
        let site = Span::mixed_site();
        let k = self.runtime.private(site);
        let Function {
            attrs, vis, sig, ..
        } = self.function;
        let text = sig.ident.unraw().to_string();
        let name = format_ident!("{text}_warmer", span = sig.ident.span());
        let doc = format!(
            " Return the warmer that runs `{text}` with these arguments, for `Cache::add_warmer`."
        );
        let (cfgs, allowed) = (cfgs(attrs), allowed(attrs));
        let (generics, bounds) = (&sig.generics, &sig.generics.where_clause);
        let names = self.names();
        let inputs = self.arguments.iter().zip(&names).map(|(argument, name)| {
            let (cfgs, ty) = (crate::item::signature::cfgs(&argument.attrs), &argument.ty);
            quote!(#(#cfgs)* #name: #ty)
        });
        quote_spanned! {site=>
            #(#cfgs)*
            #[doc = #doc]
            #allowed
            #vis fn #name #generics (#(#inputs),*) -> #k::Warmer #bounds {
                #body
            }
        }
    }
}

/// The first paragraph of the function's documentation.
fn description(attrs: &[Attribute]) -> String {
    let lines = attrs.iter().filter_map(|attr| match &attr.meta {
        Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
            Expr::Lit(ExprLit {
                lit: Lit::Str(line),
                ..
            }) => Some(line.value()),
            _ => None,
        },
        _ => None,
    });
    let text: Vec<String> = lines.collect();
    let text = text.join("\n");
    let lines = text.lines().map(str::trim);
    let first: Vec<&str> = lines
        .skip_while(|line| line.is_empty())
        .take_while(|line| !line.is_empty())
        .collect();
    first.join(" ")
}

#[cfg(test)]
mod tests {
    use super::description;
    use syn::parse_quote;

    #[test]
    fn the_description_is_the_first_paragraph() {
        let function: syn::ItemFn = parse_quote! {
            /// The posts that are
            /// read most.
            ///
            /// Slow.
            async fn popular(warm: Warm) {}
        };
        assert_eq!(
            description(&function.attrs),
            "The posts that are read most."
        );
        assert_eq!(description(&[]), "");
    }
}
