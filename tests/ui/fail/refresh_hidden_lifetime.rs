//! A lifetime that is not written.

use cache_runtime::cacheable;

#[derive(Clone)]
struct Page<'a>(&'a str);

#[cacheable(key = "rows:<<page.0>>", stale = "1m")]
async fn rows(page: Page) -> u32 {
    page.0.len() as u32
}

fn main() {}
