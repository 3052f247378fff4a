//! Types that don't fit `cache_err`: an error that can't be stored, an alias that isn't a `Result`, and the wrong
//! error.

use cache_runtime::cacheable;

#[derive(Debug)]
enum Error {
    NotFound,
}

type Loaded = u32;

#[cacheable(key = "a:<<id>>", cache_err = |e| matches!(e, Error::NotFound), err_ttl = 30)]
async fn unstorable(id: u32) -> Result<u32, Error> {
    Ok(id)
}

#[cacheable(key = "a:<<id>>", cache_err = |_| true, err_ttl = 30)]
fn alias(id: u32) -> Loaded {
    id
}

#[cacheable(key = "a:<<id>>", cache_err = |_| true, err_ttl = 30, err = || "not found")]
fn wrong_error(id: u32) -> Result<u32, Error> {
    Ok(id)
}

#[cacheable(key = "a:<<id>>", cache_err = |_| true, err_ttl = "30s".len(), err = || Error::NotFound)]
fn wrong_ttl(id: u32) -> Result<u32, Error> {
    Ok(id)
}

fn main() {}
