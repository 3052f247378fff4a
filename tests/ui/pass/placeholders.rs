//! A placeholder holds any expression over the arguments.
use cache_runtime::{cacheable, invalidate};

mod names {
    pub fn short(text: &str) -> String {
        text.chars().take(3).collect()
    }
    pub const LIMIT: u32 = 9;
}

const KIND: &str = "kind";

struct User {
    id: u64,
    name: Option<String>,
}

struct Auth {
    user: User,
}

fn local(text: &str) -> &str {
    text
}

#[cacheable(key = "fields:<<auth.user.id>>:<<auth.user.name.as_deref().unwrap_or(\"-\")>>")]
async fn fields(auth: &Auth) -> u64 {
    auth.user.id
}

#[cacheable(
    key = "calls:<<names::short(text)>>:<<local(text)>>:<<format!(\"{text}-{}\", page)>>",
    skip(unused)
)]
fn calls(text: &str, page: u32, unused: u32) -> u32 {
    let _ = (text, unused);
    page
}

#[cacheable(key = "consts:<<KIND>>:<<names::LIMIT>>:<<u32::MAX>>:<<i>>:<<(i >> 1)>>:<<i << 1>>")]
fn consts(i: u32) -> u32 {
    i
}

#[cacheable(
    key = "closures:<<ids.iter().map(|id| id.to_string()).collect::<Vec<String>>().join(\"+\")>>"
)]
fn closures(ids: Vec<u32>) -> usize {
    ids.len()
}

#[cacheable(
    key = "control:<<if let Some(p) = page { p } else { 0 }>>:<<match page { Some(p) if p > 3 => \"high\", _ => \"low\" }>>"
)]
fn control(page: Option<u32>) -> u32 {
    page.unwrap_or(0)
}

#[cacheable(
    key = "values:<<flag>>:<<letter>>:<<number>>:<<text>>:<<owned>>:<<maybe>>:<<boxed>>:<<double>>"
)]
#[allow(clippy::too_many_arguments)]
fn values(
    flag: bool,
    letter: char,
    number: i128,
    text: &str,
    owned: String,
    maybe: Option<&str>,
    boxed: Box<u8>,
    double: &&u8,
) -> usize {
    let _ = (flag, letter, number, owned, maybe, boxed, double);
    text.len()
}

#[cacheable(key = "{<<user>>}:tags:{literal}")]
fn hash_tags(user: u64) -> u64 {
    user
}

#[invalidate(patterns = ["fields:<<result.user.id>>:*", "calls:<<names::short(&result.user.name.clone().unwrap_or_default())>>:*"])]
async fn result_placeholders(id: u64) -> Result<Auth, String> {
    Ok(Auth {
        user: User { id, name: None },
    })
}

#[invalidate(patterns = ["mixed:<<prefix>>:<<format!(\"{}-{}\", prefix, result.id)>>"])]
fn mixed(prefix: &str) -> Option<User> {
    Some(User {
        id: prefix.len() as u64,
        name: None,
    })
}

fn main() {}
