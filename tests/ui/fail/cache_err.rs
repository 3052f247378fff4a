//! Mistakes in the options that cache errors.

use cache_runtime::cacheable;

#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
enum Error {
    NotFound,
}

#[cacheable(key = "a:<<id>>", cache_err = |e| matches!(e, Error::NotFound))]
async fn without_a_ttl(id: u32) -> Result<u32, Error> {
    Ok(id)
}

#[cacheable(key = "a:<<id>>", err_ttl = 30, err = || Error::NotFound)]
async fn without_a_choice(id: u32) -> Result<u32, Error> {
    Ok(id)
}

#[cacheable(key = "a:<<id>>", cache_err = |_| true, err_ttl = 30)]
async fn without_a_result(id: u32) -> Option<u32> {
    Some(id)
}

#[cacheable(key = "a:<<id>>", cache_err = true, err_ttl = 0, err = "not found")]
async fn of_no_kind(id: u32) -> Result<u32, Error> {
    Ok(id)
}

#[cacheable(key = "a:<<id>>", cache_err, err_ttl = "soon")]
async fn without_a_value(id: u32) -> Result<u32, Error> {
    Ok(id)
}

#[cacheable(key = "a:<<id>>", cache_err = |_| true, err_ttl = |e| 30)]
async fn for_each(id: u32) -> Result<u32, Error> {
    Ok(id)
}

#[cacheable(key = "a:<<id>>", stale = "1m", cache_err = |_| true, err_ttl = 30)]
async fn stale(id: u32) -> Result<u32, Error> {
    Ok(id)
}

#[cacheable(key = "a:<<id>>", stale_if_error = "1m", cache_err = |_| true, err_ttl = 30)]
async fn stale_if_error(id: u32) -> Result<u32, Error> {
    Ok(id)
}

#[cacheable(key = "a:<<id>>", early, cache_err = |_| true, err_ttl = 30)]
async fn early(id: u32) -> Result<u32, Error> {
    Ok(id)
}

#[cacheable(key = "a:<<id>>", detached, cache_err = |_| true, err_ttl = 30)]
async fn detached(id: u32) -> Result<u32, Error> {
    Ok(id)
}

fn main() {}
