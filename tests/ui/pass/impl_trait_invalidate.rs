//! `#[invalidate]` on functions that return an `impl Trait`, under strict lints.
#![deny(warnings, clippy::all, clippy::pedantic)]
#![allow(missing_docs)]

use std::fmt::Display;

use cache_runtime::invalidate;

struct Posts;

impl Posts {
    #[invalidate(patterns = ["posts:<<slug>>:*"])]
    #[invalidate(patterns = ["lists:*"], when = "always")]
    async fn update(&self, slug: &str) -> Result<impl Display + use<>, std::num::ParseIntError> {
        let number: u32 = slug.parse()?;
        if number == 0 {
            return Ok(String::new());
        }
        Ok(number.to_string())
    }

    #[invalidate(patterns = ["posts:<<slug>>:*"])]
    fn rename<'a>(&'a self, slug: &'a str) -> impl Iterator<Item = char> + 'a {
        slug.chars()
    }
}

#[invalidate(patterns = ["posts:*"], when = "before")]
async fn generic<T: Display>(value: T) -> impl Display {
    value
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        assert_eq!(Posts.update("3").await.unwrap().to_string(), "3");
        assert!(Posts.update("x").await.is_err());
        assert_eq!(generic(3).await.to_string(), "3");
    });
    assert_eq!(Posts.rename("abc").count(), 3);
}
