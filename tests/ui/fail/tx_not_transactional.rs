use cache_runtime::{cacheable, invalidate};

struct PgConnection;
struct State {
    pool: u32,
}

#[invalidate(patterns = ["posts:<<slug>>:*"], tx = conn)]
async fn rename(conn: &mut PgConnection, slug: &str) {}

#[cacheable(key = "posts:<<slug>>", tx = state.pool, skip(state))]
fn get_post(state: &State, slug: &str) -> String {
    slug.to_owned()
}

fn main() {}
