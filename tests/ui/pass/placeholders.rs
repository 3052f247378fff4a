//! A placeholder holds any expression over the arguments.
use cache_runtime::{Cache, cacheable, invalidate};

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

async fn check() {
    let auth = |id| Auth {
        user: User {
            id,
            name: Some("ann".to_owned()),
        },
    };
    for _ in 0..2 {
        assert_eq!(fields(&auth(1)).await, 1);
        assert_eq!(calls("abcd", 2, 3), 2);
        assert_eq!(
            (consts(1), closures(vec![1, 2]), control(None), hash_tags(4)),
            (1, 2, 0, 4)
        );
        assert_eq!(
            values(true, 'x', -1, "t", String::new(), None, Box::new(1), &&2),
            1
        );
    }
    assert_eq!(fields_cache_key(&auth(1)), "cache:fields:1:ann");
    assert_eq!(calls_cache_key("abcd", 2, 3), "cache:calls:abc:abcd:abcd-2");
    assert_eq!(consts_cache_key(4), "cache:consts:kind:9:4294967295:4:2:8");
    assert_eq!(closures_cache_key(vec![1, 2]), "cache:closures:1+2");
    assert_eq!(hash_tags_cache_key(4), "cache:{4}:tags:{literal}");
    assert!(result_placeholders(1).await.is_ok());
    assert!(mixed("m").is_some());
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let cache = Cache::builder().build().expect("a cache");
    cache.scope(check()).await;
    assert_eq!(cache.stats().hits, 7);
    assert_eq!(cache.stats().invalidated, 1);
}
