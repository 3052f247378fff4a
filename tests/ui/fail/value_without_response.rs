use cache_runtime::cacheable;

struct Response(u32);

#[cacheable(key = "a:<<id>>", value = |response| response.0)]
fn a(id: u32) -> Response {
    Response(id)
}

#[cacheable(key = "b:<<id>>", response = Response)]
fn b(id: u32) -> Response {
    Response(id)
}

#[cacheable(value = "c:<<id>>")]
fn c(id: u32) -> u32 {
    id
}

fn main() {
    let _ = (a(1), b(1), c(1));
}
