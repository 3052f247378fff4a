use cache_runtime::cacheable;

struct ListQuery;

struct Query<T>(T);

struct HeaderMap;

struct Request;

#[cacheable(key = "posts")]
fn list_posts(query: Query<ListQuery>) -> String {
    let Query(_) = query;
    String::new()
}

#[cacheable(key = "greeting")]
fn greeting(headers: &HeaderMap) -> String {
    let _ = headers;
    String::new()
}

#[cacheable(key = "page")]
fn page(request: Request) -> String {
    let Request = request;
    String::new()
}

fn main() {
    let _ = list_posts(Query(ListQuery));
    let _ = greeting(&HeaderMap);
    let _ = page(Request);
}
