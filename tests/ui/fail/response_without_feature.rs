use cache_runtime::{Wrapper, cacheable};

/// As in a framework whose feature is off.
mod framework {
    pub struct Json<T>(pub T);
    pub struct Html<T>(pub T);
    pub struct StatusCode(pub u16);
}

use framework::{Html, Json, StatusCode};

#[cacheable(key = "posts:<<slug>>")]
fn get_post(slug: &str) -> Result<Json<String>, String> {
    Ok(Json(slug.to_owned()))
}

#[cacheable(key = "pages:<<slug>>")]
async fn get_page(slug: &str) -> Option<Html<String>> {
    Some(Html(slug.to_owned()))
}

#[cacheable(key = "made:<<slug>>", unless = |made| made.1.0.is_empty())]
async fn make(slug: &str) -> (StatusCode, Json<String>) {
    (StatusCode(201), Json(slug.to_owned()))
}

/// A type that is known, around one that can't be stored.
struct Form<T>(T);

impl<T> Wrapper for Form<T> {
    type Value = T;
    fn into_value(self) -> T {
        self.0
    }
    fn from_value(value: T) -> Self {
        Self(value)
    }
}

struct Draft;

#[cacheable(key = "drafts")]
fn draft() -> Form<Draft> {
    Form(Draft)
}

fn main() {
    let _ = (get_post("a"), get_page("a"), make("a"), draft());
}
