//! `audit` with a rate that is no part, and on functions whose bodies can't run once more.

use std::rc::Rc;

use cache_runtime::{cacheable, invalidate};

struct Db;

#[cacheable(key = "a:<<id>>", audit = 2.0)]
async fn more_than_all(id: u32) -> u32 {
    id
}

#[cacheable(key = "b:<<id>>", audit = 0)]
async fn none(id: u32) -> u32 {
    id
}

#[cacheable(key = "c:<<id>>", audit = true)]
async fn a_flag(id: u32) -> u32 {
    id
}

#[cacheable(key = "d:<<id>>", audit, skip(db))]
async fn borrowed(db: &Db, id: u32) -> u32 {
    let _ = db;
    id
}

struct Repo;

impl Repo {
    #[cacheable(key = "e:<<id>>", audit = 0.1, skip(self))]
    fn method(&self, id: u32) -> u32 {
        id
    }
}

#[cacheable(key = "f:<<id>>", audit = 0.1, each = ids)]
async fn items(ids: Vec<u32>) -> Vec<u32> {
    ids
}

#[cacheable(key = "g:<<id>>", audit = 0.1, cache_err = |_| true, err_ttl = 30)]
async fn errors(id: u32) -> Result<u32, String> {
    Ok(id)
}

#[cacheable(key = "h:<<id>>", audit = 0.1)]
#[invalidate(patterns = ["i:<<id>>"])]
async fn writes(id: u32) -> u32 {
    id
}

#[cacheable(key = "j:<<id>>", verify = 0.1)]
async fn by_another_name(id: u32) -> u32 {
    id
}

fn main() {
    let _: Rc<u32>;
}
