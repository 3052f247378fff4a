//! An argument whose type is not `Send`, and one whose type is not `Clone`.

use std::rc::Rc;

use cache_runtime::cacheable;

struct Single;

#[cacheable(key = "a", early, refresh = "background", skip(id, local))]
async fn local(id: u32, local: Rc<u32>) -> u32 {
    id + *local
}

#[cacheable(key = "b", early, refresh = "background", skip(single))]
fn single(single: Single) -> u32 {
    drop(single);
    1
}

fn main() {}
