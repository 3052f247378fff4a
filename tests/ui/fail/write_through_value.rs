#![allow(unused_variables)]
use cache_runtime::write_through;

struct Post;

#[write_through(key = "posts:<<slug>>")]
fn nothing(slug: &str) -> Result<(), String> {
    Ok(())
}

#[write_through(key = "posts:<<slug>>")]
fn borrowed(slug: &str) -> &str {
    slug
}

#[write_through(key = "posts:<<slug>>")]
fn hidden(slug: &str) -> impl Sized {
    slug.to_owned()
}

fn main() {}
