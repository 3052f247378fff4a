//! Annotated functions that `macro_rules!` makes.
use cache_runtime::{cacheable, invalidate};

macro_rules! readers {
    ($($name:ident, $key:literal, $ttl:expr, $ty:ty, $body:block;)*) => {$(
        #[cacheable(key = $key, ttl = $ttl)]
        fn $name(id: $ty) -> $ty $body
    )*};
}

readers! {
    one, "ones:<<id>>", 5, u32, { 1 };
    two, "twos:<<id>>", "2m", u64, { 2 };
    three, "threes:<<id>>", std::time::Duration::from_secs(3), String, { "3".to_owned() };
}

macro_rules! writer {
    ($name:ident, $pattern:literal) => {
        #[invalidate(patterns = [$pattern])]
        fn $name(id: u32) -> u32 {
            id
        }
    };
}

writer!(forget, "ones:<<id>>");

fn main() {}
