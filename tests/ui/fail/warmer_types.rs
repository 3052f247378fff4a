//! Types that a warmer can't have.
use std::rc::Rc;

use cache_runtime::{Warm, warmer};

struct Db;

#[warmer("not-clone")]
async fn not_clone(_warm: Warm, _db: Db, _text: String) {}

#[warmer("not-send")]
async fn not_send(_warm: Warm, _text: Rc<str>) {}

#[warmer("output")]
async fn output(_warm: Warm) -> u32 {
    1
}

#[warmer("error")]
async fn error(_warm: Warm) -> Result<(), Db> {
    Err(Db)
}

#[warmer("body")]
async fn body(_warm: Warm) {
    let text: Rc<str> = "text".into();
    std::future::ready(()).await;
    drop(text);
}

fn main() {}
