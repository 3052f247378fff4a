//! Arguments with the names that the generated code uses inside.
use cache_runtime::{Cache, cacheable, invalidate};

#[cacheable(
    key = "shadow:<<w>>:<<value>>:<<lookup>>:<<cache>>",
    skip(write, probe, site)
)]
async fn locals(
    w: u8,
    value: u8,
    lookup: u8,
    cache: u8,
    write: u8,
    probe: u8,
    site: u8,
    part: u8,
    shape: u8,
) -> u8 {
    w + value + lookup + cache + write + probe + site + part + shape
}

#[cacheable]
fn hashed(w: u8, value: u8, lookup: u8, cache: u8, str: &str, u8: u8, r#type: u8) -> usize {
    usize::from(w + value + lookup + cache + u8 + r#type) + str.len()
}

#[cacheable(key = "raw:<<r#type>>")]
fn raw(r#type: u8) -> u8 {
    r#type
}

#[cacheable(key = "results:<<result>>")]
fn result(result: u8) -> u8 {
    result
}

#[invalidate(patterns = ["w:<<w>>:<<result>>", "write0:<<write0>>:<<result>>"])]
async fn write(w: u8, write0: u8, shape0: u8) -> Option<u8> {
    Some(w + write0 + shape0)
}

#[invalidate(patterns = ["results:*"])]
fn argument_called_result(result: u8) -> u8 {
    result
}

#[cacheable(key = "<<self_>>:<<ttl>>:<<writer>>:<<result>>:<<body>>", ttl = ttl, condition = condition)]
#[invalidate(patterns = ["<<probe>>:<<handle>>:<<result_>>"])]
#[allow(clippy::too_many_arguments)]
async fn more(
    self_: u8,
    ttl: u64,
    writer: &str,
    result: char,
    result_: bool,
    body: i8,
    condition: bool,
    probe: u8,
    handle: u8,
    hashed: u8,
    closure: u8,
    name: u8,
    message: u8,
    key: u8,
    slug: u8,
    fit: u8,
    site: u8,
    info: u8,
    run: u8,
    call: u8,
    function: u8,
    module: u8,
    file: u8,
    line: u8,
    template: u8,
    core: u8,
    std: u8,
    cache_runtime: u8,
    cached: u8,
    __value: u8,
    __lookup: u8,
) -> usize {
    let _ = (
        result, result_, condition, writer, probe, handle, hashed, closure, name, message,
    );
    let _ = (
        key, slug, fit, site, info, run, call, function, module, file, line, template,
    );
    usize::from(self_ + core + std + cache_runtime + cached + __value + __lookup)
        + ttl as usize
        + body as usize
}

#[cacheable(key = "raw:<<r#match>>:<<r#struct.len()>>", skip(r#fn))]
async fn r#async(r#match: u8, r#struct: &str, r#fn: u8, r#loop: u8) -> u8 {
    r#match + r#struct.len() as u8 + r#fn + r#loop
}

async fn check() {
    for _ in 0..2 {
        assert_eq!(locals(1, 1, 1, 1, 1, 1, 1, 1, 1).await, 9);
        assert_eq!(hashed(1, 1, 1, 1, "a", 1, 1), 7);
        assert_eq!((raw(3), result(4)), (3, 4));
        let sum = more(
            1, 2, "w", 'r', true, 3, true, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
            1, 1, 1, 1, 1,
        );
        assert_eq!(sum.await, 12);
        assert_eq!(r#async(1, "ab", 3, 4).await, 10);
    }
    assert!(async_cache_key(1, "ab", 3, 4).contains("raw:1:2#"));
    assert_eq!(write(1, 2, 3).await, Some(6));
    assert_eq!(argument_called_result(7), 7);
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let cache = Cache::builder().build().expect("a cache");
    cache.scope(check()).await;
    assert_eq!(cache.stats().hits, 6);
}
