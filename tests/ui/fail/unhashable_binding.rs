use cache_runtime::cacheable;

struct Db;

struct State<T>(T);

#[cacheable]
fn get_post(State(db): State<Db>, slug: &str) -> String {
    drop(db);
    slug.to_owned()
}

fn main() {
    let _ = get_post(State(Db), "a");
}
