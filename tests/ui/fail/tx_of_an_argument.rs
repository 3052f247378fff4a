use cache_runtime::{Invalidations, cacheable};

struct State {
    tx: Invalidations,
}

// The result may depend on the other fields.
#[cacheable(key = "posts:<<slug>>", tx = state.tx)]
fn get_post(state: &State, slug: &str) -> String {
    slug.to_owned()
}

impl State {
    #[cacheable(key = "posts:<<slug>>", tx = self.tx)]
    fn get_post(&self, slug: &str) -> String {
        let _ = self;
        slug.to_owned()
    }
}

fn main() {}
