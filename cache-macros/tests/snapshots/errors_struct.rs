#[cacheable(key = "posts")]
#[derive(Clone)]
pub struct Post {
    slug: String,
}
