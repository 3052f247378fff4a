use cache_runtime::cacheable;

#[cacheable(key = "posts:<<id>>", each = ids, skip(names))]
async fn posts(names: Vec<String>, ids: &[u32]) -> Vec<String> {
    drop(names);
    ids.iter().map(u32::to_string).collect()
}

fn main() {
    drop(posts(Vec::new(), &[1]));
}
