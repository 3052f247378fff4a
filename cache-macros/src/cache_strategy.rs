//! `#[derive(CacheStrategy)]`: a struct whose fields identify an entry.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens as _, quote_spanned};
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::spanned::Spanned as _;
use syn::{Attribute, Error, Expr, Fields, Ident, Item, ItemStruct, LitStr, Meta, Path, Type};

use crate::attr::args::krate;
use crate::attr::namespace::{self, Namespace};
use crate::attr::options::{self, Options, string, value, without_arm};
use crate::attr::ttl::{self, Ttl};
use crate::check::{per_item, text};
use crate::diagnostics::errors::Errors;
use crate::diagnostics::nearest::{hint, list};
use crate::expand::render;
use crate::item::free::Place;
use crate::model::Runtime;
use crate::template::Template;

/// `#[cache(..)]` on the struct.
#[derive(Default)]
struct Args {
    namespace: Option<Namespace>,
    key: Option<LitStr>,
    ttl: Option<Expr>,
    value: Option<Type>,
    krate: Option<Path>,
}

const EXAMPLE: &str = "#[cache(namespace = \"chat\", ttl = 1800, key = \"conversation:<<id>>\", \
                       value = Conversation)]";

impl Options for Args {
    const NAMES: &'static [&'static str] = &["namespace", "key", "ttl", "value", "crate"];
    const ATTRIBUTE: &'static str = "cache";
    const SYNONYMS: &'static [(&'static str, &'static str)] = &[
        ("prefix", "namespace"),
        ("timeout", "ttl"),
        ("template", "key"),
        ("path", "key"),
        ("ty", "value"),
        ("type", "value"),
    ];
    const NEEDLESS: &'static [(&'static str, &'static str)] = &[(
        "version",
        "the version of a namespace is part of its name: `namespace = \"chat:v2\"`",
    )];
    const FIRST: &'static str = "key = \"conversation:<<id>>\"";

    fn read(&mut self, name: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
        match name.to_string().as_str() {
            "namespace" => {
                let text = string(name, "namespace = \"chat\"", input)?;
                self.namespace = Some(Namespace::read(&text)?);
            }
            "key" => self.key = Some(string(name, Self::FIRST, input)?),
            "ttl" => self.ttl = Some(value(name, "ttl = 1800", input)?),
            "value" => self.value = Some(value(name, "value = Vec<Message>", input)?),
            "crate" => self.krate = Some(krate(name, input)?),
            _ => return Err(without_arm(name)),
        }
        Ok(())
    }
}

/// A checked struct.
struct Strategy {
    item: ItemStruct,
    runtime: Runtime,
    key: Template,
    /// The fields, all of which the key names.
    fields: Vec<Ident>,
    ttl: Ttl,
    value: Type,
}

/// Return the implementation for `item`, or all errors found in it.
pub(crate) fn derive(item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    match Strategy::new(item, &mut errors) {
        Ok(strategy) => match (errors.into_tokens(), strategy) {
            (Some(errors), _) => errors,
            (None, Some(strategy)) => strategy.expand(),
            (None, None) => TokenStream::new(),
        },
        Err(error) => error.into_compile_error(),
    }
}

impl Strategy {
    /// Read and check everything. Expand it only if no error was recorded.
    fn new(item: TokenStream, errors: &mut Errors) -> syn::Result<Option<Self>> {
        let takes = "`CacheStrategy` takes a struct with named fields, which identify an entry";
        let item = match syn::parse2(item)? {
            Item::Struct(item) => item,
            Item::Enum(item) => return Err(Error::new(item.enum_token.span, takes)),
            Item::Union(item) => return Err(Error::new(item.union_token.span, takes)),
            other => return Err(Error::new(other.span(), takes)),
        };
        let fields: Vec<Ident> = match &item.fields {
            Fields::Named(named) => named
                .named
                .iter()
                .filter_map(|one| one.ident.clone())
                .collect(),
            Fields::Unit => Vec::new(),
            Fields::Unnamed(_) => return Err(Error::new(item.ident.span(), takes)),
        };
        let args: Args = options::read(tokens(&item.attrs, errors), errors);
        let (Some(key), Some(value)) = (args.key, args.value) else {
            errors.at(
                item.ident.span(),
                format!(
                    "`CacheStrategy` needs `key` and `value`: write `{EXAMPLE}` above the struct"
                ),
            );
            return Ok(None);
        };
        let written = namespace::below(args.namespace.as_ref(), key);
        let scope = |name: &str| {
            let field = fields.iter().find(|field| field.unraw() == name);
            field.map(Ident::span)
        };
        let key = Template::parse_in(&scope, &written, errors);
        let names: Vec<String> = fields
            .iter()
            .map(|field| field.unraw().to_string())
            .collect();
        check(&key, &names, errors);
        let not_in_key = fields.iter().filter(|field| {
            !key.placeholders()
                .any(|one| one.uses(&field.unraw().to_string()))
        });
        for field in not_in_key {
            errors.at(
                field.span(),
                format!(
                    "`{field}` isn't in the key, so two values with different ones would share an \
                     entry: name it in `key`, as `<<{field}>>`, or remove the field"
                ),
            );
        }
        let ttl = args
            .ttl
            .and_then(|ttl| errors.keep(ttl::read(ttl, &|_| None)));
        let ttl = ttl.unwrap_or(Ttl::Default);
        let fix = "write seconds (`ttl = 1800`), a string (`ttl = \"30m\"`) or a `Duration`";
        match &ttl {
            Ttl::Preset(name, _) => {
                errors.at(name.span(), format!("a strategy takes no preset: {fix}"));
            }
            Ttl::OfValue(closure) => {
                let mistake =
                    "the `ttl` of a strategy isn't a closure, since an explicit `set` has no body";
                errors.on(closure, format!("{mistake}: {fix}"));
            }
            _ => {}
        }
        Ok(Some(Self {
            item,
            runtime: Runtime(args.krate),
            key,
            fields,
            ttl,
            value,
        }))
    }

    fn expand(&self) -> TokenStream {
        let site = Span::mixed_site();
        let k = self.runtime.private(site);
        let (ident, value, fields) = (&self.item.ident, &self.value, &self.fields);
        let (impl_generics, ty_generics, where_clause) = self.item.generics.split_for_impl();
        let (written, shape) = (self.key.literal.value(), self.key.shape());
        let render = render::template(&self.key, &[], &self.runtime);
        let name = ident.unraw().to_string();
        let (ttl, site_ttl) = match &self.ttl {
            Ttl::Fixed(millis) => (
                quote_spanned! {site=>
                    ::core::option::Option::Some(::core::time::Duration::from_millis(#millis))
                },
                quote_spanned!(site=> .ttl(#millis)),
            ),
            Ttl::Computed(expr) => (
                quote_spanned!(site.located_at(expr.span())=> #k::ttl(#expr)),
                quote_spanned!(site=> .computed_ttl()),
            ),
            _ => (
                quote_spanned!(site=> ::core::option::Option::None),
                TokenStream::new(),
            ),
        };
        quote_spanned! {site=>
            #[automatically_derived]
            impl #impl_generics #k::CacheStrategy for #ident #ty_generics #where_clause {
                type Value = #value;

                fn path(&self) -> ::std::string::String {
                    let Self { #(#fields),* } = self;
                    #k::key_text(#written, #shape, #render)
                }

                fn time_to_live(&self) -> ::core::option::Option<::core::time::Duration> {
                    #ttl
                }
            }

            const _: () = {
                enum Marker {}
                static SITE: #k::ReadSite = #k::ReadSite::new(
                    #name, ::core::module_path!(), #written, #shape, ::core::any::type_name::<Marker>,
                ) #site_ttl;
                #k::submit!(#k::Registered::Read(&SITE));
            };
        }
    }
}

/// Check the key: its text, and that its names are fields.
fn check(key: &Template, names: &[String], errors: &mut Errors) {
    let known: Vec<&str> = names.iter().map(String::as_str).collect();
    text::key(key, &known, errors);
    per_item::inline(key, "key", errors);
    for placeholder in key.placeholders() {
        let mentions = placeholder.mentions.iter();
        let mut names = mentions
            .filter(|one| one.place == Place::Value)
            .map(|one| &*one.name);
        let is_local = |name: &&str| name.chars().all(|one| !one.is_uppercase());
        if let Some(name) = names.find(|name| is_local(name) && !known.contains(name)) {
            let meant = hint(name, &known);
            let separator = if meant.is_empty() { ";" } else { "" };
            let fields = match known.is_empty() {
                true => "; the struct has no fields".to_owned(),
                false => format!("{meant}{separator} the fields are {}", list(&known)),
            };
            errors.at(
                key.literal.span(),
                format!(
                    "unknown field `{name}` in the placeholder `<<{}>>`{fields}",
                    placeholder.source
                ),
            );
        }
    }
}

/// Return the options of all `#[cache(..)]` of the struct.
fn tokens(attrs: &[Attribute], errors: &mut Errors) -> TokenStream {
    let mut tokens = TokenStream::new();
    for attribute in attrs
        .iter()
        .filter(|attribute| attribute.path().is_ident("cache"))
    {
        match &attribute.meta {
            Meta::List(list) => {
                tokens.extend(list.tokens.clone());
                tokens.extend(quote_spanned!(Span::call_site()=> ,));
            }
            other => errors.on(
                other.to_token_stream(),
                format!("`#[cache]` takes its options in parentheses: write `{EXAMPLE}`"),
            ),
        }
    }
    tokens
}
