use cache_runtime::cacheable;

#[cacheable(key = "a:<<id>>:<<page>>", each = ids)]
fn two_names(ids: &[u32]) -> Vec<u32> {
    ids.to_vec()
}

#[cacheable(key = "b:<<tenant>>", each = ids)]
fn no_name(tenant: u32, ids: &[u32]) -> Vec<u32> {
    vec![tenant; ids.len()]
}

#[cacheable(key = "c:<<ids.len()>>", each = ids)]
fn all_items(ids: &[u32]) -> Vec<u32> {
    ids.to_vec()
}

#[cacheable(each = ids)]
fn no_key(ids: &[u32]) -> Vec<u32> {
    ids.to_vec()
}

fn main() {
    let _ = (two_names(&[1]), no_name(1, &[1]), all_items(&[1]), no_key(&[1]));
}
