//! The futures are `Send` where the body is, so that servers can spawn them.
use cache_runtime::{Cache, cacheable, invalidate};

struct Users {
    cache: Cache,
}

impl Users {
    #[cacheable(key = "users:<<id>>", cache = self.cache, ttl = |name: &String| name.len() as u64)]
    async fn user(&self, id: String) -> Result<String, String> {
        Ok(id)
    }
}

#[cacheable(key = "posts:<<slug>>", unless = |text| text.is_empty())]
async fn get(slug: String) -> Option<String> {
    std::future::ready(()).await;
    Some(slug)
}

#[cacheable(key = "posts:<<slug>>:both")]
#[invalidate(patterns = ["posts:<<slug>>", "lists:<<result>>"])]
async fn both(slug: String) -> String {
    std::future::ready(()).await;
    slug
}

#[invalidate(patterns = ["posts:<<slug>>", "posts:<<result>>"])]
async fn write(slug: String) -> String {
    std::future::ready(()).await;
    slug
}

fn assert_send<T: Send>(_: T) {}

async fn check(users: &Users) {
    assert_send(users.user("a".to_owned()));
    assert_send(get("a".to_owned()));
    assert_send(get_refresh("a".to_owned()));
    assert_send(get_invalidate("a".to_owned()));
    assert_send(both("a".to_owned()));
    assert_send(write("a".to_owned()));
}

fn main() {
    let _ = check;
}
