#![deny(warnings, clippy::all, clippy::pedantic)]
#![allow(clippy::needless_pass_by_value)]

use cache_runtime::invalidate;
use std::collections::HashMap;

struct Post {
    id: u32,
}

struct Posts {
    ids: Vec<u32>,
}

impl Posts {
    #[invalidate(patterns = ["posts:<<self.ids..>>:*", "item:<<_item..>>"])]
    fn write(&self, item: u32, _item: Option<u32>) -> u32 {
        item
    }
}

#[invalidate(patterns = ["posts:<<posts.iter().map(|post| post.id)..>>", "{{by_name.keys()..}}:*"])]
async fn update(posts: Vec<Post>, by_name: HashMap<String, u32>) -> usize {
    posts.len() + by_name.len()
}

#[invalidate(patterns = ["posts:<<result.iter()..>>:by:<<author>>"])]
async fn replace<const N: usize>(author: &str, ids: [u32; N]) -> Result<[u32; N], &'static str> {
    if author.is_empty() { Err("no author") } else { Ok(ids) }
}

fn main() {
    let posts = Posts { ids: vec![1] };
    assert_eq!(posts.write(2, Some(3)), 2);
    drop(update(vec![Post { id: 1 }], HashMap::new()));
    drop(replace("a", [1, 2]));
}
