//! Every shape of return type, under aliases too.
use cache_runtime::cacheable;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Post {
    slug: String,
}

#[derive(Debug)]
struct Failed;

type Outcome<T> = Result<T, Failed>;
type Maybe = Option<Post>;

fn post(slug: &str) -> Post {
    Post {
        slug: slug.to_owned(),
    }
}

#[cacheable(key = "plain:<<slug>>", unless = |post| post.slug.is_empty())]
async fn plain(slug: &str) -> Post {
    post(slug)
}

#[cacheable(key = "arc:<<slug>>", unless = |post| post.slug.is_empty())]
async fn arc(slug: &str) -> Arc<Post> {
    Arc::new(post(slug))
}

#[cacheable(key = "option:<<slug>>", unless = |post| post.slug.is_empty())]
async fn option(slug: &str) -> Option<Post> {
    Some(post(slug))
}

#[cacheable(key = "result:<<slug>>", unless = |post| post.slug.is_empty())]
async fn result(slug: &str) -> Result<Post, Failed> {
    Ok(post(slug))
}

#[cacheable(key = "io:<<slug>>", unless = |post| post.slug.is_empty())]
async fn io(slug: &str) -> std::io::Result<Post> {
    std::fs::metadata(slug)?;
    Ok(post(slug))
}

#[cacheable(key = "alias:<<slug>>", unless = |post| post.slug.is_empty())]
async fn alias(slug: &str) -> Outcome<Post> {
    Err(Failed)?;
    Ok(post(slug))
}

#[cacheable(key = "maybe:<<slug>>", unless = |post| post.slug.is_empty())]
fn maybe(slug: &str) -> Maybe {
    Some(post(slug))
}

#[cacheable(key = "result_option:<<slug>>", unless = |post| post.slug.is_empty())]
async fn result_option(slug: &str) -> Result<Option<Post>, Failed> {
    Ok(Some(post(slug)))
}

#[cacheable(key = "result_arc:<<slug>>", unless = |post| post.slug.is_empty())]
async fn result_arc(slug: &str) -> Result<Arc<Post>, Failed> {
    Ok(Arc::new(post(slug)))
}

#[cacheable(key = "option_arc:<<slug>>", unless = |post| post.slug.is_empty())]
fn option_arc(slug: &str) -> Option<Arc<Post>> {
    Some(Arc::new(post(slug)))
}

#[cacheable(key = "unit:<<slug>>")]
async fn unit(slug: &str) {
    let _ = slug;
}

#[cacheable(key = "unit:<<slug>>")]
fn unit_sync(slug: &str) {
    let _ = slug;
}

#[cacheable(key = "result_unit:<<slug>>")]
async fn result_unit(slug: &str) -> Result<(), Failed> {
    let _ = slug;
    Ok(())
}

#[cacheable(key = "list:<<slug>>", unless = |posts| posts.is_empty())]
async fn list(slug: &str) -> Result<Vec<(Post, u32)>, Box<dyn std::error::Error + Send + Sync>> {
    Ok(vec![(post(slug), 1)])
}

#[cacheable(key = "fixed:<<slug>>")]
fn fixed(slug: &str) -> [u8; 4] {
    [slug.len() as u8; 4]
}

struct Borrowed<'a>(&'a str);

#[cacheable(key = "error_borrows:<<slug>>")]
fn error_borrows<'a>(slug: &'a str) -> Result<Post, Borrowed<'a>> {
    if slug.is_empty() {
        Err(Borrowed(slug))
    } else {
        Ok(post(slug))
    }
}

fn main() {
    let _ = Borrowed("").0;
}
