//! Functions and types for generated code only. They change without notice.

pub use inventory;

pub use crate::context::attribute::{context, hash_context};
pub use crate::current::Handle;
pub use crate::error::CacheError;
#[cfg(feature = "macros")]
pub use cache_macros::{key, page, pattern};

pub use crate::inline::{key_text, model_patterns, pattern_text};
pub use crate::key::cache_key::{CacheKey, KeyWriter};
pub use crate::key::hash_argument::HashArgument;
pub use crate::key::writer::{SeesByReference, Writer};
pub use crate::key::{hashed, items, part, quiet};
pub use crate::model::{CacheModel, Column, ModelInfo, ModelPattern, PatternPart};
pub use crate::pattern::reach::reaches;
pub use crate::read::adapter;
pub use crate::read::audit;
pub use crate::read::each::{self, begin_each};
pub use crate::read::fill::conclude::{ttl_unset, unless_unset};
pub use crate::read::lookup::{
    Lookup, answer, begin, begin_refresh, begin_refresh_if, begin_refresh_with, begin_with,
    cache_key, cache_path, invalidate_entry, invalidate_entry_sync,
};
pub use crate::read::negative::{
    err_ttl, read_async_err, read_async_made_err, read_sync_err, read_sync_made_err,
};
pub use crate::read::presets::Presets;
pub use crate::read::refresh::{begin_refreshing, mode};
pub use crate::read::run::{read_async, read_async_if, read_sync, read_sync_if};
pub use crate::site::registry::Registered;
pub use crate::site::{ReadSite, WriteSite};
pub use crate::strategy::CacheStrategy;
pub use crate::transaction::attribute::{
    LendsTransaction, MaybeTransactional, uncached_if, uncached_sync_if,
};
pub use crate::ttl::{IntoTtl, Ttl};
pub use crate::value::{fit, shape, success};
pub use crate::warm::warmer::{Warmer, WarmerOutput, argument as warmer_argument, warmer};
pub use crate::write::{
    Write, no_result, plan, plan_in, write_async, write_async_always, write_async_opaque,
    write_sync, write_sync_opaque,
};
pub use crate::write_through::{
    WriteThrough, begin_write_through, begin_write_through_in, write_through_async,
    write_through_sync,
};

use std::time::Duration;

#[doc(hidden)]
pub use crate::{
    __cache_call_site as call_site, __cache_site as site, __cache_submit as submit,
    __cache_write_through_site as write_through_site,
};

/// A call site of `#[cacheable]`, in the program's registry.
#[doc(hidden)]
#[macro_export]
macro_rules! __cache_site {
    ($function:literal, $template:literal, $shape:literal, $($options:tt)*) => {{
        // An item can't see the type parameters around it, so its type name holds the function's
        // name without any.
        enum Marker {}
        static SITE: $crate::__private::ReadSite = $crate::__private::ReadSite::new(
            $function, ::core::module_path!(), $template, $shape, ::core::any::type_name::<Marker>,
        ) $($options)*;
        $crate::__private::submit!($crate::__private::Registered::Read(&SITE));
        &SITE
    }};
}

/// A call site of `#[write_through]`, in the program's registry.
#[doc(hidden)]
#[macro_export]
macro_rules! __cache_write_through_site {
    ($function:literal, $template:literal, $shape:literal, $($options:tt)*) => {{
        enum Marker {}
        static SITE: $crate::__private::ReadSite = $crate::__private::ReadSite::new(
            $function, ::core::module_path!(), $template, $shape, ::core::any::type_name::<Marker>,
        ) $($options)*;
        $crate::__private::submit!($crate::__private::Registered::WriteThrough(&SITE));
        &SITE
    }};
}

/// A call site in a companion, with the same name as its function's.
#[doc(hidden)]
#[macro_export]
macro_rules! __cache_call_site {
    ($function:literal, $template:literal, $shape:literal, $($options:tt)*) => {{
        enum Marker {}
        $crate::__private::ReadSite::new(
            $function, ::core::module_path!(), $template, $shape, ::core::any::type_name::<Marker>,
        ) $($options)*
    }};
}

/// Add a call site to the program's registry.
#[doc(hidden)]
#[macro_export]
macro_rules! __cache_submit {
    ($site:expr) => {
        $crate::__private::inventory::submit! { $site }
    };
}

/// Convert the TTL that an attribute names.
pub fn ttl(ttl: impl IntoTtl) -> Option<Duration> {
    ttl.into_ttl()
}

/// Return the TTL of an attribute that names none.
pub fn none(_: &Presets<'_>) -> Option<Duration> {
    None
}

/// A value that is never created: it tells the compiler the type that a body returns.
pub fn never<T>() -> T {
    unreachable!("this only names a type")
}
