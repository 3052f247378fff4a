use cache_runtime::invalidate;

const POSTS: &str = "posts:*";

#[invalidate(patterns = ["lists:*", POSTS])]
fn update_post(slug: &str) -> String {
    slug.to_owned() + POSTS
}

fn main() {
    let _ = update_post("a");
}
