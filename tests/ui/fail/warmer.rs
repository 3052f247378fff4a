//! Mistakes in warmers. The companions exist all the same.
use cache_runtime::{Cache, Warm, warmer};

#[warmer]
async fn nameless(_warm: Warm) {}

#[warmer("")]
async fn empty(_warm: Warm) {}

#[warmer("a name")]
async fn spaced(_warm: Warm) {}

#[warmer(name = "popular")]
async fn named(_warm: Warm) {}

#[warmer(every = "10m")]
async fn first(_warm: Warm) {}

#[warmer("blocking")]
fn blocking(_warm: Warm) {}

#[warmer("alone")]
async fn alone() {}

#[warmer("other")]
async fn other(_ids: Vec<u32>, _warm: Warm) {}

struct Blog;

impl Blog {
    #[warmer("method")]
    async fn method(&self, _warm: Warm) {}
}

#[warmer("borrows")]
async fn borrows(_warm: Warm, _text: &str, _ids: Vec<&'static u32>, _blog: Option<&Blog>) {}

#[warmer("options", every = 0, concurrency = 0, rate = -1, at_start = "yes", interval = 5)]
async fn options(_warm: Warm) {}

#[warmer("options", every = "often", every = "1m", concurrency = many())]
async fn more_options(_warm: Warm) {}

#[warmer("opaque")]
async fn opaque(_warm: Warm) -> impl Sized {}

#[warmer("unsafe")]
async unsafe fn reckless(_warm: Warm) {}

#[warmer("struct")]
struct Struct;

fn main() {
    let cache = Cache::builder().build().unwrap();
    for warmer in [nameless_warmer(), blocking_warmer(), alone_warmer()] {
        cache.add_warmer(warmer).unwrap();
    }
}
