//! From attributes and function to the model. Every check runs here, so one compilation reports
//! every mistake.

use crate::attr::args::{CacheableArgs, InvalidateArgs, WriteThroughArgs};
use crate::attr::namespace;
use crate::attr::ttl::{self, Ttl};
use crate::attr::{Attached, Kind, options};
use crate::check;
use crate::diagnostics::errors::Errors;
use crate::item::function::Function;
use crate::item::signature::{Binding, Facts};
use crate::model::{Model, Read, Runtime, Write, WriteThrough};
use crate::template::{RESULT, Template};
use proc_macro2::Span;
use syn::Path;
use syn::ext::IdentExt as _;

impl Model {
    /// Read and check everything. Expand the model only if no error was recorded.
    pub(crate) fn new(function: Function, attached: &[Attached], errors: &mut Errors) -> Self {
        let facts = Facts::of(&function);
        check::function::check(&function, &facts, attached, errors);
        let mut model = Self {
            function,
            facts,
            read: None,
            writes: Vec::new(),
            write_through: None,
            companions: false,
        };
        let mut krate = None;
        // One error says it for all `#[invalidate]`s.
        let mut has_untold = false;
        for attribute in attached {
            match attribute.kind {
                Kind::Cacheable if model.read.is_some() => errors.at(
                    attribute.span,
                    "`#[cacheable]` is given twice, but a function has one key: remove one of them",
                ),
                Kind::Cacheable => {
                    let args: CacheableArgs = options::read(attribute.args.clone(), errors);
                    krate = krate.or_else(|| args.krate.clone());
                    model.companions = check::companions::wanted(&args, &model.facts, errors);
                    let tx = args.tx.as_ref();
                    check::transaction::told(Kind::Cacheable, tx, &model.facts, errors);
                    let read = Read::new(args, &model.function, &model.facts, errors);
                    model.read = Some(read);
                }
                Kind::Invalidate => {
                    let args: InvalidateArgs = options::read(attribute.args.clone(), errors);
                    krate = krate.or_else(|| args.krate.clone());
                    if !has_untold {
                        let tx = args.tx.as_ref();
                        check::transaction::told(Kind::Invalidate, tx, &model.facts, errors);
                    }
                    has_untold |= args.tx.is_none();
                    let write = Write::new(args, &model.facts, attribute.span, errors);
                    model.writes.push(write);
                }
                Kind::WriteThrough => {
                    let args: WriteThroughArgs = options::read(attribute.args.clone(), errors);
                    krate = krate.or_else(|| args.krate.clone());
                    let tx = args.tx.as_ref();
                    check::transaction::told(Kind::WriteThrough, tx, &model.facts, errors);
                    let through = WriteThrough::new(args, &model.facts, attribute.span, errors);
                    model.write_through = model.write_through.or(through);
                }
            }
        }
        check::write_through::alone(attached, errors);
        let audit = model.read.as_ref().and_then(|read| read.audit.as_ref());
        check::audit::reads_only(audit.map(|audit| audit.span), attached, errors);
        model.share_runtime(krate);
        model
    }

    /// Apply one attribute's `crate = path` to the function's other attributes.
    fn share_runtime(&mut self, krate: Option<Path>) {
        let reads = self.read.iter_mut().map(|read| &mut read.runtime);
        let writes = self.writes.iter_mut().map(|write| &mut write.runtime);
        let through = self
            .write_through
            .iter_mut()
            .map(|write| &mut write.runtime);
        for runtime in reads
            .chain(writes)
            .chain(through)
            .filter(|runtime| runtime.0.is_none())
        {
            runtime.0.clone_from(&krate);
        }
    }
}

impl Read {
    fn new(args: CacheableArgs, function: &Function, facts: &Facts, errors: &mut Errors) -> Self {
        let context = &args.context;
        let scope = check::context::scope(facts, context);
        check::namespace::check(&args, errors);
        let key = args.key.clone().map(|key| {
            let key = namespace::below(args.namespace.as_ref(), key);
            Template::parse_in(&scope, &key, errors)
        });
        if let Some(key) = &key {
            check::text::key(key, &facts.names(), errors);
            let mut others = check::context::names(context);
            if args.each.is_some() {
                others.extend(check::names::free(key, context, facts));
            }
            check::names::key(key, &others, facts, errors);
            check::per_item::key(key, errors);
        }
        let each = check::each::each(&args, key.as_ref(), function, facts, errors);
        check::context::check(&args.context, &key, facts, errors);
        check::skip::check(&args.skip, key.as_ref(), facts, errors);
        let tx = check::transaction::read(&args, facts, errors);
        let owner = check::owner::owner(&args, key.as_ref(), errors);
        let mut left_out = check::transaction::left_out(&args);
        left_out.extend(check::owner::names(owner.as_ref()));
        check::masked::check(key.as_ref(), each.as_ref(), facts, errors);
        check::receiver::check(key.as_ref(), &left_out, function, facts, errors);
        check::value::read(&args, facts, errors);
        check::closures::check(&left_out, key.as_ref(), function, errors);
        let adapter = check::adapter::read(&args, facts, errors);
        let refresher = check::refresh::refresher(&args, function, facts, errors);
        let audit = check::audit::audit(&args, function, facts, errors);
        let negative = check::negative::check(&args, facts, errors);
        let is_hashed = |argument: &Binding| {
            let in_key = key
                .iter()
                .flat_map(Template::placeholders)
                .any(|placeholder| placeholder.uses(&argument.name));
            let skipped = left_out.iter().any(|name| name.unraw() == argument.name);
            let holds_items = each
                .as_ref()
                .is_some_and(|each| each.argument.unraw() == argument.name);
            !in_key && !skipped && !holds_items
        };
        let arguments = facts.arguments.iter().enumerate();
        let hashed = arguments.filter(|(_, argument)| is_hashed(argument));
        Self {
            hashed: hashed.map(|(place, _)| place).collect(),
            each,
            runtime: Runtime(args.krate),
            key,
            context: args.context.clone(),
            owner,
            ttl: match args.ttl {
                Some(ttl) => errors.keep(ttl::read(ttl, &scope)).unwrap_or(Ttl::Default),
                None => Ttl::Default,
            },
            condition: args.condition,
            unless: args.unless,
            adapter,
            cache_none: args.cache_none,
            negative,
            version: args.version,
            near: args.near.unwrap_or(true),
            audit,
            refresher,
            detached: args.detached.is_some(),
            staleness: args.staleness,
            tx,
            debug: args.debug,
            cache: args.cache,
        }
    }
}

impl Write {
    fn new(args: InvalidateArgs, facts: &Facts, span: Span, errors: &mut Errors) -> Self {
        let when = check::pattern::when(args.when.as_ref(), errors);
        check::value::write(&args, facts, errors);
        let tx = check::transaction::write(&args, when, errors);
        let literals = check::pattern::literals(args.patterns, span, errors);
        let context = &args.context;
        let named = check::context::names(context);
        let scope = check::context::scope(facts, context);
        let read = |literal| {
            let literal = namespace::below(args.namespace.as_ref(), literal);
            let pattern = Template::parse_in(&scope, &literal, errors);
            check::text::pattern(&pattern, &facts.names(), errors);
            check::names::pattern(&pattern, &named, facts, when, errors);
            check::per_item::pattern(&pattern, errors);
            pattern
        };
        let patterns: Vec<Template> = literals.into_iter().map(read).collect();
        check::context::check(&args.context, &patterns, facts, errors);
        if facts.opaque.is_some() && !facts.has_argument(RESULT) {
            check::output::visible(facts, &patterns, errors);
        }
        Self {
            patterns,
            context: args.context.clone(),
            runtime: Runtime(args.krate),
            when,
            condition: args.condition,
            tx,
            debug: args.debug,
            cache: args.cache,
        }
    }
}

impl WriteThrough {
    /// Return `None` without a key.
    fn new(args: WriteThroughArgs, facts: &Facts, span: Span, errors: &mut Errors) -> Option<Self> {
        check::value::write_through(&args, facts, errors);
        check::write_through::value(facts, errors);
        let tx = check::transaction::write_through(&args, errors);
        let literal = check::write_through::key(args.key, span, errors)?;
        let literal = namespace::below(args.namespace.as_ref(), literal);
        let scope = check::context::scope(facts, &args.context);
        let key = Template::parse_in(&scope, &literal, errors);
        check::text::key(&key, &facts.names(), errors);
        let named = check::context::names(&args.context);
        check::names::key(&key, &named, facts, errors);
        check::per_item::key(&key, errors);
        check::context::check(&args.context, [&key], facts, errors);
        Some(Self {
            runtime: Runtime(args.krate),
            key,
            context: args.context.clone(),
            ttl: match args.ttl {
                Some(ttl) => errors.keep(ttl::read(ttl, &scope)).unwrap_or(Ttl::Default),
                None => Ttl::Default,
            },
            unless: args.unless,
            cache_none: args.cache_none,
            version: args.version,
            tx,
            debug: args.debug,
            cache: args.cache,
        })
    }
}
