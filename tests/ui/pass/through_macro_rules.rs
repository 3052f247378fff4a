//! Annotated functions whose template, arguments and attribute come from either side of a
//! `macro_rules!`.
use cache_runtime::{cacheable, invalidate};

/// The whole attribute is the caller's, the function is built from its parts.
macro_rules! attributes {
    ($(#[$m:meta])* fn $name:ident($a:ident: $t:ty) -> $r:ty $body:block) => {
        $(#[$m])*
        fn $name($a: $t) -> $r $body
    };
}
attributes! {
    #[cacheable(key = "attributes:<<id>>", condition = id > 1, ttl = u64::from(id), unless = |v| *v == id)]
    fn attributes(id: u32) -> u32 { id + 1 }
}
attributes! {
    #[cacheable(key = "skipped", skip(id))]
    fn skipped(id: u32) -> u32 { id + 1 }
}
attributes! {
    #[cacheable]
    fn hashed(id: u32) -> u32 { id + 1 }
}
attributes! {
    #[invalidate(patterns = ["attributes:<<id>>", "attributes:<<result>>"], condition = id > 1)]
    fn forget(id: u32) -> u32 { id + 1 }
}

macro_rules! literals {
    ($name:ident, $key:literal, $pattern:literal, $a:ident) => {
        #[cacheable(key = $key, condition = $a > 1)]
        #[invalidate(patterns = [$pattern])]
        fn $name($a: u32) -> u32 {
            $a + 1
        }
    };
}
literals!(literal, "literals:<<id>>", "others:<<id>>:<<result>>", id);

macro_rules! expressions {
    ($name:ident, $key:expr, $p:pat_param, $condition:expr) => {
        #[cacheable(key = $key, condition = $condition)]
        fn $name($p: (u32, u32)) -> u32 {
            1
        }
    };
}
expressions!(expression, "expressions:<<a>>:<<b>>", (a, b), a > b);

macro_rules! items {
    ($i:item) => {
        #[cacheable(key = "items:<<id>>")]
        $i
    };
}
items! { fn item(id: u32) -> u32 { id } }
items! { fn item_of_text(id: &str) -> String { id.to_owned() } }

macro_rules! items_with_keys {
    ($key:literal, $i:item) => {
        #[cacheable(key = $key)]
        $i
    };
}
items_with_keys! { "keyed:<<id>>", fn keyed(id: u32) -> u32 { id } }

macro_rules! whole_items {
    ($i:item) => { $i };
}
whole_items! {
    #[cacheable(key = "whole:<<id>>:<<format!(\"{id}-{id:>3}\")>>")]
    fn whole(id: u32) -> u32 { id }
}

macro_rules! tokens {
    ($($t:tt)*) => { $($t)* };
}
tokens! {
    #[cacheable(key = "tokens:<<id>>", skip(other))]
    async fn tokens(id: u32, other: u32) -> u32 { id + other }
}

/// The key is the macro's, the argument's name the caller's; and the other way round.
macro_rules! names {
    ($name:ident, $a:ident) => {
        #[cacheable(key = "names:<<id>>:<<[1].iter().map(|id| id + 1).sum::<i32>()>>")]
        fn $name($a: u32) -> u32 {
            $a
        }
    };
}
names!(name, id);

macro_rules! own_names {
    ($name:ident, $key:literal) => {
        #[cacheable(key = $key)]
        fn $name(id: Option<u32>) -> u32 {
            id.unwrap_or(0)
        }
    };
}
own_names!(own_name, "own:<<id.map(|id| id + 1).unwrap_or(0)>>");

/// The value of a placeholder that shadows an argument is the inner one.
macro_rules! shadowing {
    ($name:ident, $a:ident) => {
        #[cacheable(key = "shadows:<<{ let id = id + 1; id }>>:<<match Some(id) { Some(id) => id, None => 0 }>>")]
        fn $name($a: u32) -> u32 {
            $a
        }
    };
}
shadowing!(shadowed, id);

/// Options whose values are fragments.
macro_rules! options {
    ($name:ident, $preset:literal, $path:path, $version:literal, $yes:literal, $unless:expr, $stale:literal) => {
        #[cacheable(
            key = "options:<<id>>",
            ttl = preset($preset),
            crate = $path,
            version = $version,
            detached = $yes,
            debug = $yes,
            unless = $unless,
            stale = $stale,
            jitter = 0.1
        )]
        async fn $name(id: u32) -> u32 {
            id
        }
    };
}
options!(option, "short", ::cache_runtime, 2, true, |v: &u32| *v > 1_000, "1m");

/// Two macros, each with a part.
macro_rules! outer {
    ($name:ident, $a:ident) => {
        literals!($name, "nested:<<id>>", "nested:others:<<id>>", $a);
    };
}
outer!(nested, id);

struct Repo {
    tenant: String,
}

macro_rules! methods {
    ($name:ident, $self:ident, $a:ident, $key:literal) => {
        #[cacheable(key = $key)]
        fn $name(&$self, $a: u32) -> String {
            format!("{}{}", $self.tenant, $a)
        }
    };
}
macro_rules! whole_methods {
    ($($t:tt)*) => {
        impl Repo {
            $($t)*
        }
    };
}
impl Repo {
    methods!(method, self, id, "methods:<<self.tenant>>:<<id>>");
}
whole_methods! {
    #[cacheable(key = "whole:<<self.tenant>>:<<id>>")]
    fn whole(&self, id: u32) -> String {
        format!("{}{}", self.tenant, id)
    }

    #[invalidate(patterns = ["whole:<<self.tenant>>:<<id>>"])]
    fn forget(&self, id: u32) {
        let _ = id;
    }
}

fn main() {
    assert_eq!(attributes_cache_key(1), "cache:attributes:1");
    assert_eq!((attributes(2), skipped(1), forget(2)), (3, 2, 3));
    assert_ne!(hashed_cache_key(1), hashed_cache_key(2));
    assert_eq!(literal_cache_key(1), "cache:literals:1");
    assert_eq!(expression_cache_key((1, 2)), "cache:expressions:1:2");
    assert_eq!(item_cache_key(1), "cache:items:1");
    assert_eq!(item_of_text_cache_key("a"), "cache:items:a");
    assert_eq!(keyed_cache_key(1), "cache:keyed:1");
    assert_eq!(whole_cache_key(1), "cache:whole:1:1-%20%201");
    assert_eq!(tokens_cache_key(1, 2), "cache:tokens:1");
    assert_eq!(name_cache_key(1), "cache:names:1:2");
    assert_eq!(own_name_cache_key(Some(1)), "cache:own:2");
    assert_eq!(shadowed_cache_key(1), "cache:shadows:2:1");
    assert_eq!(option_cache_key(1), "cache:options:1");
    drop(option(1));
    assert_eq!(nested_cache_key(1), "cache:nested:1");
    let repo = Repo {
        tenant: "a".to_owned(),
    };
    assert_eq!((repo.method(1), repo.whole(1)), ("a1".to_owned(), "a1".to_owned()));
    repo.forget(1);
    assert_eq!(hashed(1), 2);
    let calls = (literal(1), expression((1, 2)), item(1), item_of_text("a"), keyed(1));
    let more = (whole(1), name(1), own_name(None), shadowed(1), nested(1));
    let _ = (calls, more, tokens(1, 2));
}
