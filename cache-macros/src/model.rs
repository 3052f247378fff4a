//! The validated model of one annotated function: options and signature, put together.

use crate::args::{CacheableArgs, InvalidateArgs};
use crate::check;
use crate::check::refresh::Refresher;
use crate::errors::Errors;
use crate::freshness::Freshness;
use crate::function::Function;
use crate::options;
use crate::signature::{Binding, Facts};
use crate::template::Template;
use crate::ttl::{self, Ttl};
use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::ext::IdentExt as _;
use syn::{Expr, Path};

/// Which of the two attributes.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Cacheable,
    Invalidate,
}

/// One of our attributes on the function, unread.
pub(crate) struct Attached {
    pub(crate) kind: Kind,
    pub(crate) span: Span,
    pub(crate) args: TokenStream,
}

/// Everything that the expansion needs.
pub(crate) struct Model {
    pub(crate) function: Function,
    pub(crate) facts: Facts,
    pub(crate) read: Option<Read>,
    pub(crate) writes: Vec<Write>,
    pub(crate) companions: bool,
}

/// `#[cacheable]`.
pub(crate) struct Read {
    pub(crate) runtime: Runtime,
    pub(crate) key: Option<Template>,
    /// Which of the arguments are hashed, by their place.
    pub(crate) hashed: Vec<usize>,
    pub(crate) ttl: Ttl,
    pub(crate) condition: Option<Expr>,
    pub(crate) unless: Option<Expr>,
    pub(crate) cache_none: bool,
    pub(crate) version: u32,
    pub(crate) near: bool,
    pub(crate) freshness: Freshness,
    /// Who computes a value anew that still stands, where an option asks for it.
    pub(crate) refresher: Option<Refresher>,
    pub(crate) debug: bool,
    pub(crate) cache: Option<Expr>,
}

/// `#[invalidate]`.
pub(crate) struct Write {
    pub(crate) runtime: Runtime,
    pub(crate) patterns: Vec<Template>,
    pub(crate) when: When,
    pub(crate) condition: Option<Expr>,
    pub(crate) debug: bool,
    pub(crate) cache: Option<Expr>,
}

/// When an invalidation happens.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum When {
    Ok,
    Always,
    Before,
}

/// The path of the runtime crate.
#[derive(Clone)]
pub(crate) struct Runtime(Option<Path>);

impl Runtime {
    /// The runtime under its own name.
    pub(crate) const DEFAULT: Self = Self(None);

    /// The runtime by this path.
    pub(crate) fn at(path: Path) -> Self {
        Self(Some(path))
    }

    /// Whether its path means the same everywhere.
    pub(crate) fn is_default(&self) -> bool {
        self.0.is_none()
    }

    /// The module that generated code calls, with errors about it at `span`.
    pub(crate) fn private(&self, span: Span) -> TokenStream {
        let span = Span::mixed_site().located_at(span);
        match &self.0 {
            Some(path) => quote_spanned!(span=> #path::__private),
            None => quote_spanned!(span=> ::cache_runtime::__private),
        }
    }
}

impl Model {
    /// Reads and checks everything. The model is meant to be expanded only when no error was recorded.
    pub(crate) fn new(function: Function, attached: &[Attached], errors: &mut Errors) -> Self {
        let facts = Facts::of(&function);
        check::function::check(&function, &facts, attached, errors);
        let mut model = Self {
            function,
            facts,
            read: None,
            writes: Vec::new(),
            companions: false,
        };
        let mut krate = None;
        for attribute in attached {
            match attribute.kind {
                Kind::Cacheable if model.read.is_some() => errors.at(
                    attribute.span,
                    "`#[cacheable]` is given twice: a function has one key; keep one of them",
                ),
                Kind::Cacheable => {
                    let args: CacheableArgs = options::read(attribute.args.clone(), errors);
                    krate = krate.or_else(|| args.krate.clone());
                    model.companions = check::companions::wanted(&args, &model.facts, errors);
                    let read = Read::new(args, &model.function, &model.facts, errors);
                    model.read = Some(read);
                }
                Kind::Invalidate => {
                    let args: InvalidateArgs = options::read(attribute.args.clone(), errors);
                    krate = krate.or_else(|| args.krate.clone());
                    let write = Write::new(args, &model.facts, attribute.span, errors);
                    model.writes.push(write);
                }
            }
        }
        model.share_runtime(krate);
        model
    }

    /// A renamed dependency is named once per function.
    fn share_runtime(&mut self, krate: Option<Path>) {
        let reads = self.read.iter_mut().map(|read| &mut read.runtime);
        let writes = self.writes.iter_mut().map(|write| &mut write.runtime);
        for runtime in reads.chain(writes).filter(|runtime| runtime.0.is_none()) {
            runtime.0.clone_from(&krate);
        }
    }
}

impl Read {
    fn new(args: CacheableArgs, function: &Function, facts: &Facts, errors: &mut Errors) -> Self {
        let key = args.key.as_ref().map(|key| Template::parse(key, errors));
        if let Some(key) = &key {
            check::text::key(key, &facts.names(), errors);
            check::names::key(key, facts, errors);
        }
        check::skip::check(&args.skip, key.as_ref(), facts, errors);
        check::masked::check(key.as_ref(), facts, errors);
        check::receiver::check(key.as_ref(), &args.skip, function, facts, errors);
        let is_hashed = |argument: &Binding| {
            let in_key = key
                .iter()
                .flat_map(Template::placeholders)
                .any(|placeholder| placeholder.uses(&argument.name));
            let skipped = args.skip.iter().any(|name| name.unraw() == argument.name);
            !in_key && !skipped
        };
        let arguments = facts.arguments.iter().enumerate();
        let hashed = arguments.filter(|(_, argument)| is_hashed(argument));
        Self {
            hashed: hashed.map(|(place, _)| place).collect(),
            runtime: Runtime(args.krate),
            key,
            ttl: match args.ttl {
                Some(ttl) => errors.keep(ttl::read(ttl)).unwrap_or(Ttl::Default),
                None => Ttl::Default,
            },
            condition: args.condition,
            unless: args.unless,
            cache_none: args.cache_none,
            version: args.version,
            near: args.near.unwrap_or(true),
            refresher: check::refresh::refresher(&args.freshness, function, facts, errors),
            freshness: args.freshness,
            debug: args.debug,
            cache: args.cache,
        }
    }
}

impl Write {
    fn new(args: InvalidateArgs, facts: &Facts, span: Span, errors: &mut Errors) -> Self {
        let when = check::pattern::when(args.when.as_ref(), errors);
        let literals = check::pattern::literals(args.patterns, span, errors);
        let read = |literal| {
            let pattern = Template::parse(literal, errors);
            check::text::pattern(&pattern, &facts.names(), errors);
            check::names::pattern(&pattern, facts, when, errors);
            pattern
        };
        Self {
            patterns: literals.iter().map(read).collect(),
            runtime: Runtime(args.krate),
            when,
            condition: args.condition,
            debug: args.debug,
            cache: args.cache,
        }
    }
}
