//! The value of `namespace`, and what it needs.

use cache_runtime::{ANY, Cache, cacheable, invalidate};

#[cacheable(namespace = "a:b", key = "x:<<id>>")]
fn colon(id: u32) -> u32 {
    id
}

#[cacheable(namespace = "<<id>>", key = "x:<<id>>")]
fn placeholder(id: u32) -> u32 {
    id
}

#[cacheable(namespace = "chat")]
fn without_key(id: u32) -> u32 {
    id
}

#[invalidate(namespace = "chat:2", patterns = ["x:*"])]
fn version(id: u32) {
    let _ = id;
}

#[cacheable(key = "x:<<id>>", ttl = preset("reports<<id>>"))]
fn preset_without_family(id: u32) -> u32 {
    id
}

fn parts(cache: &Cache) {
    let chat = cache.namespace("chat");
    chat.key(("conversation", ANY));
    chat.key(("conversation", Some(1)));
    chat.key(("conversation", vec![1]));
    chat.pattern(("conversation", Some(1)));
}

fn main() {}
