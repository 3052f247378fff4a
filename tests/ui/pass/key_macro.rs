//! `key!` and `pattern!` wherever they may stand.
#![deny(warnings)]
#![no_implicit_prelude]

use ::cache_runtime::{key, pattern};
use ::std::string::String;

mod renamed {
    pub(crate) use ::cache_runtime as my_cache;
}

const KIND: &str = "kind";

struct User<T> {
    id: T,
}

impl<T: ::std::fmt::Display> User<T> {
    fn key(&self, w: u32) -> String {
        key!("users:<<self.id>>:<<w>>")
    }
}

macro_rules! forwarded {
    ($template:literal) => {
        renamed::my_cache::key!($template)
    };
    ($($tokens:tt)*) => {
        ::cache_runtime::pattern!($($tokens)*)
    };
}

macro_rules! own_names {
    ($value:expr) => {{
        let own = $value;
        key!("own:<<own>>")
    }};
}

async fn in_a_future(id: u8) -> String {
    pattern!("{<<KIND>>}:<<id>>:[a-z]*")
}

fn main() {
    let user = User { id: 1 };
    let _ = user.key(2);
    let own = "mine";
    let _ = [
        forwarded!("a:<<user.id>>"),
        forwarded!["a:<<user.id>>:*",],
        own_names!(own),
        key!(r"raw:<<own>>"),
    ];
    let _ = in_a_future(1);
    let closure = |term: &str| pattern!("search:<<term>>:*");
    let _ = closure("*");
}
