//! The options of `#[cacheable]` and `#[invalidate]`: syntax only.

use crate::attr::options::{Options, flag, names, string, value};
use crate::attr::staleness::Freshness;
use proc_macro2::Span;
use syn::parse::ParseStream;
use syn::{Error, Expr, ExprLit, Ident, Lit, LitInt, LitStr, Path};

/// What stands in the parentheses of `#[cacheable(..)]`.
#[derive(Default)]
pub(crate) struct CacheableArgs {
    pub(crate) key: Option<LitStr>,
    pub(crate) ttl: Option<Expr>,
    pub(crate) skip: Vec<Ident>,
    pub(crate) condition: Option<Expr>,
    pub(crate) unless: Option<Expr>,
    pub(crate) cache_none: bool,
    pub(crate) version: u32,
    pub(crate) near: Option<bool>,
    pub(crate) freshness: Freshness,
    pub(crate) debug: bool,
    pub(crate) cache: Option<Expr>,
    pub(crate) companions: Option<Companions>,
    pub(crate) krate: Option<Path>,
}

/// `companions` or `companions = false`, and where it stands.
pub(crate) struct Companions {
    pub(crate) span: Span,
    pub(crate) wanted: bool,
}

impl Options for CacheableArgs {
    const NAMES: &'static [&'static str] = &[
        "key",
        "ttl",
        "skip",
        "condition",
        "unless",
        "cache_none",
        "version",
        "near",
        "stale",
        "stale_if_error",
        "early",
        "refresh",
        "jitter",
        "debug",
        "cache",
        "companions",
        "crate",
    ];
    const ATTRIBUTE: &'static str = "cacheable";
    const FIRST: &'static str = "key = \"posts:<<slug>>\"";

    fn read(&mut self, name: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
        match name.to_string().as_str() {
            "key" => self.key = Some(string(name, Self::FIRST, input)?),
            "ttl" => self.ttl = Some(value(name, "ttl = \"10m\"", input)?),
            "skip" => self.skip = names(name, input)?,
            "condition" => self.condition = Some(value(name, "condition = page < 10", input)?),
            "unless" => {
                let example = "unless = |value| value.is_empty()";
                self.unless = Some(value(name, example, input)?);
            }
            "cache_none" => self.cache_none = flag(name, input)?,
            "version" => self.version = version(name, input)?,
            "near" => self.near = Some(flag(name, input)?),
            option if Freshness::NAMES.contains(&option) => self.freshness.read(name, input)?,
            "debug" => self.debug = flag(name, input)?,
            "cache" => self.cache = Some(value(name, "cache = self.cache", input)?),
            "companions" => {
                let wanted = flag(name, input)?;
                let span = name.span();
                self.companions = Some(Companions { span, wanted });
            }
            _ => self.krate = Some(krate(name, input)?),
        }
        Ok(())
    }
}

/// What stands in the parentheses of `#[invalidate(..)]`.
#[derive(Default)]
pub(crate) struct InvalidateArgs {
    /// `Some(None)`: given, but unreadable.
    pub(crate) patterns: Option<Option<Patterns>>,
    pub(crate) when: Option<LitStr>,
    pub(crate) condition: Option<Expr>,
    pub(crate) debug: bool,
    pub(crate) cache: Option<Expr>,
    pub(crate) krate: Option<Path>,
}

/// `patterns = [..]`, whole for its span, and the literals in it.
pub(crate) struct Patterns {
    pub(crate) whole: Expr,
    pub(crate) literals: Vec<LitStr>,
}

impl Options for InvalidateArgs {
    const NAMES: &'static [&'static str] =
        &["patterns", "when", "condition", "debug", "cache", "crate"];
    const ATTRIBUTE: &'static str = "invalidate";
    const FIRST: &'static str = "patterns = [\"posts:<<slug>>:*\"]";

    fn read(&mut self, name: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
        match name.to_string().as_str() {
            "patterns" => {
                self.patterns = Some(None);
                let whole = value(name, Self::FIRST, input)?;
                self.patterns = Some(Some(patterns(whole)?));
            }
            "when" => self.when = Some(string(name, "when = \"ok\"", input)?),
            "condition" => self.condition = Some(value(name, "condition = notify", input)?),
            "debug" => self.debug = flag(name, input)?,
            "cache" => self.cache = Some(value(name, "cache = self.cache", input)?),
            _ => self.krate = Some(krate(name, input)?),
        }
        Ok(())
    }
}

fn krate(name: &Ident, input: ParseStream<'_>) -> syn::Result<Path> {
    let path: Expr = value(name, "crate = my_cache", input)?;
    match path {
        Expr::Path(path) if path.qself.is_none() => Ok(path.path),
        other => Err(Error::new_spanned(
            other,
            "`crate` takes the path of the renamed dependency: `crate = my_cache`",
        )),
    }
}

fn version(name: &Ident, input: ParseStream<'_>) -> syn::Result<u32> {
    let number: Expr = value(name, "version = 2", input)?;
    if let Some(literal) = integer(&number)
        && let Ok(version) = literal.base10_parse()
    {
        return Ok(version);
    }
    Err(Error::new_spanned(
        number,
        "`version` takes a number from 0 to 4294967295: `version = 2`",
    ))
}

fn integer(expr: &Expr) -> Option<&LitInt> {
    match expr {
        Expr::Lit(ExprLit {
            lit: Lit::Int(number),
            ..
        }) => Some(number),
        Expr::Group(group) => integer(&group.expr),
        _ => None,
    }
}

/// A `macro_rules` fragment stands in an invisible group.
fn text(expr: &Expr) -> Option<&LitStr> {
    match expr {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => Some(text),
        Expr::Group(group) => text(&group.expr),
        _ => None,
    }
}

fn patterns(whole: Expr) -> syn::Result<Patterns> {
    let items: Vec<&Expr> = match &whole {
        Expr::Array(array) => array.elems.iter().collect(),
        other => vec![other],
    };
    let mut literals = Vec::new();
    let mut mistake: Option<Error> = None;
    for item in items {
        if let Some(literal) = text(item) {
            literals.push(literal.clone());
            continue;
        }
        let error = Error::new_spanned(item, "a pattern is a string literal: `\"posts:list:*\"`");
        match &mut mistake {
            Some(first) => first.combine(error),
            None => mistake = Some(error),
        }
    }
    mistake.map_or(Ok(Patterns { whole, literals }), Err)
}
