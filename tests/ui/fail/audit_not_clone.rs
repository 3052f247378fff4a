//! An argument of a function with `audit` whose type is not `Clone`, and one whose type is not
//! `Send`.

use std::rc::Rc;

use cache_runtime::cacheable;

struct Single;

#[cacheable(key = "a", audit = 0.01, skip(single))]
async fn single(single: Single) -> u32 {
    drop(single);
    1
}

#[cacheable(key = "b", audit, skip(local))]
fn local(local: Rc<u32>) -> u32 {
    *local
}

fn main() {}
