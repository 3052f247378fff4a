use cache_runtime::cacheable;

struct Filter;

#[cacheable(key = "posts:<<filter>>")]
fn get_posts(filter: &Filter) -> u32 {
    let _ = filter;
    1
}

fn main() {
    let _ = get_posts(&Filter);
}
