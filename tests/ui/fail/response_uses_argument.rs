use cache_runtime::cacheable;

struct Response(u32, String);

struct Service;

impl Service {
    #[cacheable(
        key = "a:<<id>>",
        skip(self, name),
        value = |response| response.0,
        response = |number| Response(number, name.to_owned()),
    )]
    fn a(&self, id: u32, name: &str) -> Response {
        Response(id, name.to_owned())
    }

    #[cacheable(
        key = "b:<<id>>",
        skip(self),
        value = |response| self.number(response),
        response = |number| Response(number, String::new()),
    )]
    fn b(&self, id: u32) -> Response {
        Response(id, String::new())
    }

    fn number(&self, response: Response) -> u32 {
        response.0
    }
}

fn main() {
    let _ = (Service.a(1, "a"), Service.b(1));
}
