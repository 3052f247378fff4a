//! Every binding of a pattern is an argument.
use cache_runtime::{cacheable, invalidate};

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

fn main() {}
