//! The options of `#[cacheable]`, `#[invalidate]` and `#[write_through]`: syntax only.

use crate::attr::audit::Audit;
use crate::attr::namespace::Namespace;
use crate::attr::negative::NegativeArgs;
use crate::attr::options::{Options, flag, literal, names, string, value, without_arm};
use crate::attr::staleness::Staleness;
use crate::attr::ttl::ungrouped;
use crate::attr::tx::Tx;
use proc_macro2::Span;
use syn::parse::ParseStream;
use syn::{Error, Expr, ExprLit, ExprPath, Ident, Lit, LitInt, LitStr, Path};

/// The arguments of `#[cacheable(..)]`.
#[derive(Default)]
pub(crate) struct CacheableArgs {
    pub(crate) namespace: Option<Namespace>,
    pub(crate) key: Option<LitStr>,
    pub(crate) ttl: Option<Expr>,
    pub(crate) skip: Vec<Ident>,
    pub(crate) context: Vec<Ident>,
    /// Whose entry it is.
    pub(crate) owner: Option<Expr>,
    /// The argument that holds the items.
    pub(crate) each: Option<Expr>,
    pub(crate) condition: Option<Expr>,
    pub(crate) unless: Option<Expr>,
    pub(crate) value: Option<Conversion>,
    pub(crate) response: Option<Conversion>,
    pub(crate) cache_none: bool,
    pub(crate) negative: NegativeArgs,
    pub(crate) version: u32,
    pub(crate) near: Option<bool>,
    pub(crate) staleness: Staleness,
    /// The span of `detached`, if it is on.
    pub(crate) detached: Option<Span>,
    pub(crate) audit: Option<Audit>,
    pub(crate) tx: Option<Tx>,
    pub(crate) debug: bool,
    pub(crate) cache: Option<Expr>,
    pub(crate) companions: Option<Companions>,
    pub(crate) krate: Option<Path>,
}

/// `value = |returned| ..` or `response = |value| ..`, with the span of its name.
pub(crate) struct Conversion {
    pub(crate) span: Span,
    pub(crate) closure: Expr,
}

/// `companions` or `companions = false`, with its span.
pub(crate) struct Companions {
    pub(crate) span: Span,
    pub(crate) wanted: bool,
}

impl Options for CacheableArgs {
    const NAMES: &'static [&'static str] = &[
        "namespace",
        "key",
        "ttl",
        "skip",
        "context",
        "owner",
        "each",
        "condition",
        "unless",
        "value",
        "response",
        "cache_none",
        "cache_err",
        "err_ttl",
        "err",
        "version",
        "near",
        "stale",
        "stale_if_error",
        "early",
        "refresh",
        "jitter",
        "detached",
        "audit",
        "tx",
        "debug",
        "cache",
        "companions",
        "crate",
    ];
    const SYNONYMS: &'static [(&'static str, &'static str)] = &[
        ("time", "ttl"),
        ("timeout", "ttl"),
        ("duration", "ttl"),
        ("seconds", "ttl"),
        ("expire", "ttl"),
        ("expires", "ttl"),
        ("expires_in", "ttl"),
        ("expire_after", "ttl"),
        ("expiry", "ttl"),
        ("expiration", "ttl"),
        ("lifetime", "ttl"),
        ("max_age", "ttl"),
        ("maxage", "ttl"),
        ("time_to_live", "ttl"),
        ("path", "key"),
        ("template", "key"),
        ("name", "key"),
        ("prefix", "namespace"),
        ("cache_name", "key"),
        ("cacheNames", "key"),
        ("key_prefix", "namespace"),
        ("pattern", "key"),
        ("tag", "key"),
        ("tags", "key"),
        ("group", "key"),
        ("ignore", "skip"),
        ("exclude", "skip"),
        ("skip_args", "skip"),
        ("if", "condition"),
        ("when", "condition"),
        ("only_if", "condition"),
        ("unless_result", "unless"),
        ("filter", "unless"),
        ("cache_null", "cache_none"),
        ("cache_empty", "cache_none"),
        ("none", "cache_none"),
        ("cache_error", "cache_err"),
        ("cache_errors", "cache_err"),
        ("negative", "cache_err"),
        ("negative_ttl", "err_ttl"),
        ("error_ttl", "err_ttl"),
        ("swr", "stale"),
        ("grace", "stale"),
        ("stale_while_revalidate", "stale"),
        ("fail_safe", "stale_if_error"),
        ("result_fallback", "stale_if_error"),
        ("refresh_ahead", "early"),
        ("prefetch", "early"),
        ("beta", "early"),
        ("time_refresh", "early"),
        ("background", "detached"),
        ("spawn", "detached"),
        ("detach", "detached"),
        ("verify", "audit"),
        ("shadow", "audit"),
        ("user", "owner"),
        ("user_id", "owner"),
        ("tenant", "owner"),
        ("for_each", "each"),
        ("many", "each"),
        ("batch", "each"),
        ("items", "each"),
        ("transaction", "tx"),
        ("transactional", "tx"),
        ("txn", "tx"),
        ("store", "cache"),
        ("manager", "cache"),
    ];
    const NEEDLESS: &'static [(&'static str, &'static str)] = &[
        (
            "result",
            "a `Result` is recognized by its type, and an `Err` is stored only with `cache_err`; remove the option",
        ),
        (
            "option",
            "an `Option` is recognized by its type, and a `None` is stored only with `cache_none`; \
             remove the option",
        ),
        (
            "sync",
            "concurrent calls always share one computation; remove the option",
        ),
        (
            "sync_writes",
            "concurrent calls always share one computation; remove the option",
        ),
        (
            "single_flight",
            "concurrent calls always share one computation; remove the option",
        ),
        (
            "convert",
            "write the key as a template: `key = \"posts:<<slug>>\"`",
        ),
        (
            "ty",
            "the type of the value is the function's return type; to choose a cache, write `cache = self.cache`",
        ),
        (
            "create",
            "build a cache with `Cache::builder()`; to choose it, write `cache = self.cache`",
        ),
        (
            "size",
            "the size is limited for all entries together, with `CacheBuilder::memory_capacity`",
        ),
        (
            "max_size",
            "the size is limited for all entries together, with `CacheBuilder::memory_capacity`",
        ),
        (
            "capacity",
            "the size is limited for all entries together, with `CacheBuilder::memory_capacity`",
        ),
    ];
    const ATTRIBUTE: &'static str = "cacheable";
    const FIRST: &'static str = "key = \"posts:<<slug>>\"";

    fn read(&mut self, name: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
        match name.to_string().as_str() {
            "namespace" => self.namespace = Some(namespace(name, input)?),
            "key" => self.key = Some(key(name, input)?),
            "ttl" => self.ttl = Some(value(name, "ttl = \"10m\"", input)?),
            "skip" => self.skip = names(name, "arguments", "skip(db)", input)?,
            "context" => self.context = names(name, CONTEXT, "context(user_id)", input)?,
            "owner" => self.owner = Some(owner(name, input)?),
            "each" => self.each = Some(value(name, "each = ids", input)?),
            "condition" => self.condition = Some(value(name, "condition = page < 10", input)?),
            "unless" => {
                let example = "unless = |value| value.is_empty()";
                self.unless = Some(value(name, example, input)?);
            }
            "value" => self.value = Some(conversion(name, VALUE, input)?),
            "response" => self.response = Some(conversion(name, RESPONSE, input)?),
            "cache_none" => self.cache_none = flag(name, input)?,
            option if NegativeArgs::NAMES.contains(&option) => self.negative.read(name, input)?,
            "version" => self.version = version(name, input)?,
            "near" => self.near = Some(flag(name, input)?),
            option if Staleness::NAMES.contains(&option) => self.staleness.read(name, input)?,
            "detached" => self.detached = flag(name, input)?.then(|| name.span()),
            "audit" => self.audit = Some(Audit::read(name, input)?),
            "tx" => {
                self.tx = Some(Tx::NONE);
                self.tx = Some(Tx::read(name, input)?);
            }
            "debug" => self.debug = flag(name, input)?,
            "cache" => self.cache = Some(value(name, "cache = self.cache", input)?),
            "companions" => {
                let wanted = flag(name, input)?;
                let span = name.span();
                self.companions = Some(Companions { span, wanted });
            }
            "crate" => self.krate = Some(krate(name, input)?),
            _ => return Err(without_arm(name)),
        }
        Ok(())
    }
}

/// The kind of names that `context` takes.
const CONTEXT: &str = "values of the context";

/// An example of each conversion.
pub(crate) const VALUE: &str = "value = |returned| returned.into_parts()";
pub(crate) const RESPONSE: &str = "response = |(head, body)| Page::new(head, body)";

fn owner(name: &Ident, input: ParseStream<'_>) -> syn::Result<Expr> {
    let owner: Expr = value(name, "owner = user.id", input)?;
    match text(&owner) {
        Some(literal) => Err(Error::new_spanned(
            literal,
            "a text would be the owner of every call's entry: use the arguments, without quotes and \
             placeholder marks, as in `owner = user.id`",
        )),
        None => Ok(owner),
    }
}

fn conversion(name: &Ident, example: &str, input: ParseStream<'_>) -> syn::Result<Conversion> {
    let closure: Expr = value(name, example, input)?;
    if let Some(literal) = text(&closure) {
        return Err(Error::new_spanned(
            literal,
            format!(
                "`{name}` takes a closure that converts a returned type of another crate: \
                 `{example}`; the path of the entry is `key = {}`",
                literal.token()
            ),
        ));
    }
    Ok(Conversion {
        span: name.span(),
        closure,
    })
}

/// The arguments of `#[invalidate(..)]`.
#[derive(Default)]
pub(crate) struct InvalidateArgs {
    pub(crate) namespace: Option<Namespace>,
    /// `Some(None)` if the option is present but couldn't be read.
    pub(crate) patterns: Option<Option<Patterns>>,
    pub(crate) context: Vec<Ident>,
    pub(crate) when: Option<LitStr>,
    pub(crate) condition: Option<Expr>,
    pub(crate) tx: Option<Tx>,
    pub(crate) debug: bool,
    pub(crate) cache: Option<Expr>,
    pub(crate) krate: Option<Path>,
}

/// `patterns = [..]`: the whole expression, for its span, and the literals in it.
pub(crate) struct Patterns {
    pub(crate) whole: Expr,
    pub(crate) literals: Vec<LitStr>,
}

impl Options for InvalidateArgs {
    const NAMES: &'static [&'static str] = &[
        "namespace",
        "patterns",
        "context",
        "when",
        "condition",
        "tx",
        "debug",
        "cache",
        "crate",
    ];
    const SYNONYMS: &'static [(&'static str, &'static str)] = &[
        ("key", "patterns"),
        ("keys", "patterns"),
        ("path", "patterns"),
        ("paths", "patterns"),
        ("tag", "patterns"),
        ("tags", "patterns"),
        ("value", "patterns"),
        ("names", "patterns"),
        ("cacheNames", "patterns"),
        ("all_entries", "patterns"),
        ("allEntries", "patterns"),
        ("before", "when"),
        ("after", "when"),
        ("before_invocation", "when"),
        ("beforeInvocation", "when"),
        ("on", "when"),
        ("if", "condition"),
        ("unless", "condition"),
        ("transaction", "tx"),
        ("transactional", "tx"),
        ("txn", "tx"),
        ("after_commit", "tx"),
        ("store", "cache"),
    ];
    const NEEDLESS: &'static [(&'static str, &'static str)] = &[
        (
            "ttl",
            "it only removes entries; set the `ttl` in `#[cacheable]`",
        ),
        (
            "skip",
            "patterns use only the arguments that they name; remove the option",
        ),
        (
            "result",
            "a `Result` is recognized by its type, and after an `Err` entries are removed only with `when = \"always\"`; remove the option",
        ),
    ];
    const ATTRIBUTE: &'static str = "invalidate";
    const FIRST: &'static str = "patterns = [\"posts:<<slug>>:*\"]";

    fn read(&mut self, name: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
        match name.to_string().as_str() {
            "namespace" => self.namespace = Some(namespace(name, input)?),
            "patterns" => {
                self.patterns = Some(None);
                let whole = value(name, Self::FIRST, input)?;
                self.patterns = Some(Some(patterns(whole)?));
            }
            "context" => self.context = names(name, CONTEXT, "context(user_id)", input)?,
            "when" => self.when = Some(string(name, "when = \"ok\"", input)?),
            "condition" => self.condition = Some(value(name, "condition = notify", input)?),
            "tx" => {
                self.tx = Some(Tx::NONE);
                self.tx = Some(Tx::read(name, input)?);
            }
            "debug" => self.debug = flag(name, input)?,
            "cache" => self.cache = Some(value(name, "cache = self.cache", input)?),
            "crate" => self.krate = Some(krate(name, input)?),
            _ => return Err(without_arm(name)),
        }
        Ok(())
    }
}

/// The arguments of `#[write_through(..)]`.
#[derive(Default)]
pub(crate) struct WriteThroughArgs {
    pub(crate) namespace: Option<Namespace>,
    /// `Some(None)` if the option is present but couldn't be read.
    pub(crate) key: Option<Option<LitStr>>,
    pub(crate) ttl: Option<Expr>,
    pub(crate) context: Vec<Ident>,
    pub(crate) unless: Option<Expr>,
    pub(crate) cache_none: bool,
    pub(crate) version: u32,
    pub(crate) tx: Option<Tx>,
    pub(crate) debug: bool,
    pub(crate) cache: Option<Expr>,
    pub(crate) krate: Option<Path>,
}

impl Options for WriteThroughArgs {
    const NAMES: &'static [&'static str] = &[
        "namespace",
        "key",
        "ttl",
        "context",
        "unless",
        "cache_none",
        "version",
        "tx",
        "debug",
        "cache",
        "crate",
    ];
    const SYNONYMS: &'static [(&'static str, &'static str)] = &[
        ("time", "ttl"),
        ("timeout", "ttl"),
        ("duration", "ttl"),
        ("seconds", "ttl"),
        ("expire", "ttl"),
        ("expires", "ttl"),
        ("expires_in", "ttl"),
        ("lifetime", "ttl"),
        ("max_age", "ttl"),
        ("path", "key"),
        ("template", "key"),
        ("name", "key"),
        ("prefix", "namespace"),
        ("cache_name", "key"),
        ("pattern", "key"),
        ("patterns", "key"),
        ("unless_result", "unless"),
        ("filter", "unless"),
        ("cache_null", "cache_none"),
        ("none", "cache_none"),
        ("transaction", "tx"),
        ("transactional", "tx"),
        ("txn", "tx"),
        ("after_commit", "tx"),
        ("store", "cache"),
    ];
    const NEEDLESS: &'static [(&'static str, &'static str)] = &[
        (
            "skip",
            "the key uses only the arguments that it names; remove the option",
        ),
        (
            "condition",
            "a write that doesn't reach the cache would leave the old value there; to store only \
             some returned values, and to invalidate the key after the others, write `unless = \
             |value| ..`",
        ),
        (
            "result",
            "a `Result` is recognized by its type, and after an `Err` the key is invalidated; \
             remove the option",
        ),
        (
            "stale",
            "it belongs to the function that reads; write it in `#[cacheable]`",
        ),
        (
            "early",
            "it belongs to the function that reads; write it in `#[cacheable]`",
        ),
    ];
    const ATTRIBUTE: &'static str = "write_through";
    const FIRST: &'static str = "key = \"posts:<<slug>>\"";

    fn read(&mut self, name: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
        match name.to_string().as_str() {
            "namespace" => self.namespace = Some(namespace(name, input)?),
            "key" => {
                self.key = Some(None);
                self.key = Some(Some(key(name, input)?));
            }
            "ttl" => self.ttl = Some(value(name, "ttl = \"10m\"", input)?),
            "context" => self.context = names(name, CONTEXT, "context(user_id)", input)?,
            "unless" => {
                let example = "unless = |value| value.is_empty()";
                self.unless = Some(value(name, example, input)?);
            }
            "cache_none" => self.cache_none = flag(name, input)?,
            "version" => self.version = version(name, input)?,
            "tx" => {
                self.tx = Some(Tx::NONE);
                self.tx = Some(Tx::read(name, input)?);
            }
            "debug" => self.debug = flag(name, input)?,
            "cache" => self.cache = Some(value(name, "cache = self.cache", input)?),
            "crate" => self.krate = Some(krate(name, input)?),
            _ => return Err(without_arm(name)),
        }
        Ok(())
    }
}

fn namespace(name: &Ident, input: ParseStream<'_>) -> syn::Result<Namespace> {
    Namespace::read(&string(name, "namespace = \"chat\"", input)?)
}

fn key(name: &Ident, input: ParseStream<'_>) -> syn::Result<LitStr> {
    let example = CacheableArgs::FIRST;
    let written: Expr = value(name, example, input)?;
    match ungrouped(&written) {
        Expr::Path(constant) => {
            let message = format!(
                "`key` takes a string literal: write `{example}`; {}",
                unseen(constant)
            );
            Err(Error::new_spanned(&written, message))
        }
        _ => literal(name, example, written),
    }
}

/// The reason why a template can't be a constant, and what to do instead.
fn unseen(constant: &ExprPath) -> String {
    let constant = constant.path.segments.last();
    let constant = constant.map_or_else(String::new, |last| last.ident.to_string());
    format!(
        "the attribute is expanded before constants have values, so it can't read a template in \
         `{constant}`: repeat the literal, let `topology()` show which writes reach which reads, \
         and let a test assert that `topology().dead_patterns()` is empty"
    )
}

pub(crate) fn krate(name: &Ident, input: ParseStream<'_>) -> syn::Result<Path> {
    let path: Expr = value(name, "crate = my_cache", input)?;
    match ungrouped(&path) {
        Expr::Path(path) if path.qself.is_none() => Ok(path.path.clone()),
        other => Err(Error::new_spanned(
            other,
            "`crate` takes the path of the renamed dependency: write `crate = my_cache`",
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
        "`version` takes a number from 0 to 4294967295: write `version = 2`",
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

/// Match a string literal, also in the invisible group that a `macro_rules!` fragment makes.
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

/// Match `["..", ".."]`, or one literal.
pub(crate) fn patterns(whole: Expr) -> syn::Result<Patterns> {
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
        let mut message = "a pattern must be a string literal: write `\"posts:list:*\"`".to_owned();
        if let Expr::Path(constant) = ungrouped(item) {
            message = format!("{message}; {}", unseen(constant));
        }
        let error = Error::new_spanned(item, message);
        match &mut mistake {
            Some(first) => first.combine(error),
            None => mistake = Some(error),
        }
    }
    mistake.map_or(Ok(Patterns { whole, literals }), Err)
}
