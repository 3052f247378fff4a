//! `#[derive(CacheKey)]`: hash every field with its name, and every enum variant with its name.

use crate::diagnostics::errors::Errors;
use crate::diagnostics::nearest::hint;
use crate::item::serde_hazard::SerdeHazard;
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens as _, format_ident, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::spanned::Spanned as _;
use syn::{Attribute, Error, Field, Fields, GenericParam, Generics, Item, Path, Type};

/// Return the implementation for `item`, or all errors found in it.
pub(crate) fn derive(item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let (attrs, ident, generics, variants) = match syn::parse2(item) {
        Ok(Item::Struct(item)) => {
            let whole = vec![(None, item.fields)];
            (item.attrs, item.ident, item.generics, whole)
        }
        Ok(Item::Enum(item)) => {
            let mut variants = Vec::new();
            for variant in item.variants {
                options(&variant.attrs, Place::Variant, &mut errors);
                variants.push((Some(variant.ident), variant.fields));
            }
            (item.attrs, item.ident, item.generics, variants)
        }
        Ok(Item::Union(item)) => {
            let message = "`CacheKey` can't be derived for a union, since nothing says which field \
                           it holds: implement `CacheKey` by hand";
            return Error::new(item.union_token.span, message).into_compile_error();
        }
        Ok(other) => return Error::new(other.span(), "a struct or an enum").into_compile_error(),
        Err(error) => return error.into_compile_error(),
    };
    let krate = options(&attrs, Place::Type, &mut errors).krate;
    let mut input = Input {
        runtime: krate.map_or_else(|| quote!(::cache_runtime), |path| path.to_token_stream()),
        name: ident.unraw().to_string(),
        hashed: Vec::new(),
    };
    let site = Span::mixed_site();
    let arms: Vec<TokenStream> = variants
        .iter()
        .map(|(variant, fields)| input.arm(variant.as_ref(), fields, &mut errors))
        .collect();
    let body = if arms.is_empty() {
        quote_spanned!(site=> match *self {})
    } else {
        quote_spanned!(site=> match self { #(#arms)* })
    };
    let errors = errors.into_tokens();
    let runtime = &input.runtime;
    let bounds = input.bounds(&generics);
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let written = where_clause.map(|clause| &clause.predicates);
    let written = written.into_iter().flat_map(|all| all.iter());
    quote_spanned! {site=>
        #errors
        #[automatically_derived]
        #[allow(deprecated, unreachable_code, unused_variables)]
        impl #impl_generics #runtime::CacheKey for #ident #ty_generics
        where #(#written,)* #(#bounds: #runtime::CacheKey,)*
        {
            fn cache_key(&self, key: &mut #runtime::KeyWriter<'_>) {
                #body
            }
        }
    }
}

struct Input {
    runtime: TokenStream,
    name: String,
    /// The types of all fields that are in the key.
    hashed: Vec<Type>,
}

impl Input {
    /// Generate the match arm of a variant, or of the struct.
    fn arm(
        &mut self,
        variant: Option<&Ident>,
        fields: &Fields,
        errors: &mut Errors,
    ) -> TokenStream {
        let site = Span::mixed_site();
        let name = self.name.clone();
        let mut pattern = TokenStream::new();
        let mut lines = TokenStream::new();
        let mut count = 0u64;
        let single = fields.len() == 1;
        for (place, field) in fields.iter().enumerate() {
            let skipped = options(&field.attrs, Place::Field, errors).skip;
            let label = match &field.ident {
                Some(ident) => ident.to_token_stream(),
                None => proc_macro2::Literal::usize_unsuffixed(place).to_token_stream(),
            };
            if skipped {
                pattern.extend(quote_spanned!(site=> #label: _,));
                continue;
            }
            count += 1;
            self.hashed.push(field.ty.clone());
            // The type's span, so that an error about the field points at its type.
            let value = format_ident!("__field{place}", span = field.ty.span());
            pattern.extend(quote_spanned!(site=> #label: #value,));
            if let Some(ident) = &field.ident {
                let name = ident.unraw().to_string();
                lines.extend(quote_spanned!(site=> key.field(#name);));
            }
            lines.extend(self.hash(field, place, &value));
        }
        let newtype = single && count == 1;
        let (begin, end) = match (variant.map(|name| name.unraw().to_string()), fields) {
            (None, Fields::Named(_)) => (quote_spanned!(site=> key.begin_struct(#name);), true),
            (None, Fields::Unnamed(_)) if newtype => {
                (quote_spanned!(site=> key.begin_newtype(#name);), false)
            }
            (None, Fields::Unnamed(_)) => (
                quote_spanned!(site=> key.begin_struct(#name); key.tuple();),
                true,
            ),
            (None, Fields::Unit) => (
                quote_spanned!(site=> key.begin_struct(#name); key.end_unit();),
                false,
            ),
            (Some(variant), fields) => {
                let begin = quote_spanned!(site=> key.begin_variant(#name, #variant););
                match fields {
                    Fields::Named(_) => (quote_spanned!(site=> #begin key.fields();), true),
                    Fields::Unnamed(_) if newtype => {
                        (quote_spanned!(site=> #begin key.newtype();), false)
                    }
                    Fields::Unnamed(_) => (quote_spanned!(site=> #begin key.tuple();), true),
                    Fields::Unit => (quote_spanned!(site=> #begin key.unit();), false),
                }
            }
        };
        let end = end.then(|| quote_spanned!(site=> key.end(#count);));
        let path = variant.map(|name| quote!(::#name));
        quote_spanned!(site=> Self #path { #pattern } => { #begin #lines #end })
    }

    /// Hash one field. A trait local to this field puts the field's name into the compiler's
    /// message.
    fn hash(&self, field: &Field, place: usize, value: &Ident) -> TokenStream {
        let name = match &field.ident {
            Some(ident) => ident.unraw().to_string(),
            None => place.to_string(),
        };
        let site = Span::mixed_site().located_at(field.ty.span());
        let runtime = &self.runtime;
        let hazard = SerdeHazard::of(&field.ty);
        let message = format!("the field `{name}` can't be hashed into a cache key");
        let label = hazard.map_or(
            "`{Self}` has neither `CacheKey` nor `serde::Serialize`",
            SerdeHazard::label,
        );
        let note = format!(
            "add `#[cache_key(skip)]` to the field if the key doesn't need it; or {}",
            hazard.map_or(
                "derive `cache_runtime::CacheKey` for its type (for a type parameter, add it as a bound)",
                SerdeHazard::fix,
            )
        );
        let way = match hazard {
            Some(_) => quote_spanned!(site=> __strict_way),
            None => quote_spanned!(site=> __way),
        };
        quote_spanned! {site=> {
            #[diagnostic::on_unimplemented(message = #message, label = #label, note = #note)]
            trait Hashed<Way> {
                fn hash(&self, way: Way, key: &mut #runtime::KeyWriter<'_>);
            }
            #[diagnostic::do_not_recommend]
            impl<T: ?::core::marker::Sized, Way: #runtime::__private::hashed::Way<T>> Hashed<Way> for T {
                fn hash(&self, way: Way, key: &mut #runtime::KeyWriter<'_>) {
                    way.field(key, self);
                }
            }
            let way = #runtime::__private::hashed::HashProbe::of(#value).#way();
            Hashed::hash(#value, way, key);
        } }
    }

    /// The type parameters that a hashed field holds a value of. A `PhantomData` holds none.
    fn bounds<'g>(&self, generics: &'g Generics) -> Vec<&'g Ident> {
        let params = generics.params.iter();
        let types = params.filter_map(|param| match param {
            GenericParam::Type(param) => Some(&param.ident),
            _ => None,
        });
        types
            .filter(|param| self.hashed.iter().any(|ty| holds(ty, param)))
            .collect()
    }
}

fn holds(ty: &Type, param: &Ident) -> bool {
    let is_phantom = matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "PhantomData"));
    !is_phantom && mentions(ty.to_token_stream(), param)
}

fn mentions(tokens: TokenStream, name: &Ident) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == *name,
        TokenTree::Group(group) => mentions(group.stream(), name),
        _ => false,
    })
}

/// The position of a `#[cache_key(..)]` attribute.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Type,
    Variant,
    Field,
}

/// The options of a `#[cache_key(..)]` attribute.
#[derive(Default)]
struct KeyOptions {
    skip: bool,
    krate: Option<Path>,
}

fn options(attrs: &[Attribute], place: Place, errors: &mut Errors) -> KeyOptions {
    let mut options = KeyOptions::default();
    for attr in attrs
        .iter()
        .filter(|attr| attr.path().is_ident("cache_key"))
    {
        let read = |input: ParseStream<'_>| {
            while !input.is_empty() {
                option(input, place, &mut options)?;
                if !input.is_empty() {
                    input.parse::<syn::Token![,]>()?;
                }
            }
            Ok(())
        };
        errors.keep(attr.parse_args_with(read));
    }
    options
}

fn option(input: ParseStream<'_>, place: Place, options: &mut KeyOptions) -> syn::Result<()> {
    let name = input.call(Ident::parse_any)?;
    let text = name.to_string();
    match (text.as_str(), place) {
        ("skip", Place::Field) if options.skip => Err(Error::new(
            name.span(),
            "`skip` is given twice: remove one of them",
        )),
        ("skip", Place::Field) => {
            options.skip = true;
            Ok(())
        }
        ("skip", _) => Err(Error::new(
            name.span(),
            "`skip` is allowed on a field only: put `#[cache_key(skip)]` on each field that the key doesn't need",
        )),
        ("crate", Place::Type) => {
            input.parse::<syn::Token![=]>()?;
            options.krate = Some(input.call(Path::parse_mod_style)?);
            Ok(())
        }
        ("crate", _) => Err(Error::new(
            name.span(),
            "`crate` is allowed on the type only: put `#[cache_key(crate = my_cache)]` above the type",
        )),
        _ => {
            let meant = match hint(&text, &["skip", "crate"]) {
                meant if meant.is_empty() => ":".to_owned(),
                meant => meant,
            };
            let message = format!(
                "unknown option `{text}`{meant} `#[cache_key]` takes `skip` on a field and `crate` on the type"
            );
            Err(Error::new(name.span(), message))
        }
    }
}
