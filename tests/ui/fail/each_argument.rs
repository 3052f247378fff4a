use cache_runtime::cacheable;

#[cacheable(key = "a:<<id>>", each = idz)]
fn unknown(ids: &[u32]) -> Vec<u32> {
    ids.to_vec()
}

#[cacheable(key = "b:<<id>>", each = ids.iter())]
fn expression(ids: &[u32]) -> Vec<u32> {
    ids.to_vec()
}

#[cacheable(key = "c:<<id>>", each = count)]
fn no_items(count: u32) -> Vec<u32> {
    vec![count]
}

#[cacheable(key = "d:<<id>>", each = ids)]
fn destructured((ids, _page): (Vec<u32>, u32)) -> Vec<u32> {
    ids
}

fn main() {
    let _ = (unknown(&[1]), expression(&[1]), no_items(1), destructured((vec![1], 2)));
}
