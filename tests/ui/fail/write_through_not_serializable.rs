use cache_runtime::write_through;

struct Post;

#[write_through(key = "posts:<<slug>>")]
fn save(slug: &str) -> Result<Post, String> {
    let _ = slug;
    Ok(Post)
}

fn main() {
    let _ = save("a");
}
