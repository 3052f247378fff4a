use cache_runtime::{cacheable, write_through};

#[write_through(key = "posts:<<slug>>")]
#[cacheable(key = "posts:<<slug>>")]
fn both(slug: &str) -> String {
    slug.to_owned()
}

#[write_through(key = "posts:<<slug>>")]
#[write_through(key = "pages:<<slug>>")]
fn twice(slug: &str) -> String {
    slug.to_owned()
}

fn main() {}
