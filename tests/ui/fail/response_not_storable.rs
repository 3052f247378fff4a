use cache_runtime::cacheable;

struct Parts(u32);

struct Response(Parts);

#[cacheable(key = "a:<<id>>", value = |response| response.0, response = Response)]
fn a(id: u32) -> Result<Response, String> {
    Ok(Response(Parts(id)))
}

#[cacheable(key = "b:<<id>>", value = |response| response.0.0, response = |number: &u32| Response(Parts(*number)))]
fn b(id: u32) -> Response {
    Response(Parts(id))
}

fn main() {
    let _ = (a(1), b(1));
}
