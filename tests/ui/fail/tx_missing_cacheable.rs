#![allow(unused_variables)]
use cache_runtime::cacheable;

struct Transaction;
struct MySqlConnection;

#[cacheable(key = "posts:<<slug>>")]
async fn get_post(tx: &mut Transaction, slug: &str) -> String {
    slug.to_owned()
}

// `skip` says that the key doesn't need it, and nothing of the commit.
#[cacheable(key = "posts:<<slug>>", skip(conn))]
fn get_post_on(conn: &mut MySqlConnection, slug: &str) -> String {
    slug.to_owned()
}

#[cacheable(key = "posts:<<slug>>", skip(conn))]
fn get_post_of((conn, slug): (&MySqlConnection, &str)) -> String {
    slug.to_owned()
}

fn main() {
    let _ = get_post(&mut Transaction, "a");
    let _ = get_post_no_cache(&mut Transaction, "a");
}
