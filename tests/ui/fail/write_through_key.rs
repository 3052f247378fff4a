#![allow(unused_variables)]
use cache_runtime::write_through;

#[write_through(ttl = 600)]
fn without_key(slug: &str) -> String {
    slug.to_owned()
}

#[write_through(key = "posts:<<result.slug>>")]
fn of_the_result(slug: &str) -> String {
    slug.to_owned()
}

#[write_through(key = "posts:<<slgu>>")]
fn misspelled(slug: &str) -> String {
    slug.to_owned()
}

#[write_through(key = "posts:<<slug>>:*")]
fn wildcard(slug: &str) -> String {
    slug.to_owned()
}

#[write_through(key = "posts:<<slugs..>>")]
fn many(slugs: &[String]) -> String {
    slugs.concat()
}

fn main() {}
