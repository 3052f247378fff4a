use cache_runtime::invalidate;

#[invalidate(patterns = ["users:<<users..>>:posts:<<posts..>>"])]
fn write(users: &[u32], posts: &[u32]) -> usize {
    users.len() + posts.len()
}

fn main() {
    let _ = write(&[1], &[2]);
}
