//! Every binding of a pattern is an argument.
use cache_runtime::{Cache, cacheable, invalidate};

struct Path<T>(T);

struct Page {
    number: u32,
    size: u32,
}

struct Db;

#[cacheable(key = "posts:<<slug>>", skip(db))]
async fn handler(Path(slug): Path<String>, Path(db): Path<Db>) -> String {
    drop(db);
    slug
}

#[cacheable(key = "pages:<<number>>", skip(rest))]
fn nested(
    Page {
        number,
        size: per_page,
    }: Page,
    (a, (ref b, mut c)): (u8, (String, u8)),
    [first, rest @ ..]: [u8; 4],
    &flag: &bool,
    whole @ (x, _): (u8, u8),
    _: Db,
) -> u32 {
    c += a + first + rest[0] + x + whole.1;
    number + per_page + u32::from(c) + b.len() as u32 + u32::from(flag)
}

#[invalidate(patterns = ["posts:<<slug>>:*"])]
async fn consuming(Path(slug): Path<String>, Path((a, _)): Path<(u8, u8)>) -> Result<String, u8> {
    if a == 0 {
        return Err(a);
    }
    Ok(slug)
}

async fn check() {
    for _ in 0..2 {
        assert_eq!(handler(Path("a".to_owned()), Path(Db)).await, "a");
        let page = Page { number: 1, size: 2 };
        let sum = nested(
            page,
            (1, (String::new(), 1)),
            [1, 2, 3, 4],
            &true,
            (1, 1),
            Db,
        );
        assert_eq!(sum, 11);
    }
    // Each binding counts by itself.
    let page = Page { number: 1, size: 3 };
    nested(
        page,
        (1, (String::new(), 1)),
        [1, 2, 3, 4],
        &true,
        (1, 1),
        Db,
    );
    assert_eq!(consuming(Path("a".to_owned()), Path((0, 1))).await, Err(0));
    assert_eq!(
        consuming(Path("a".to_owned()), Path((1, 1))).await,
        Ok("a".to_owned())
    );
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let cache = Cache::builder().build().expect("a cache");
    cache.scope(check()).await;
    assert_eq!(cache.stats().hits, 2);
    assert_eq!(cache.stats().invalidated, 1);
}
