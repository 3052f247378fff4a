#![deny(warnings, clippy::all, clippy::pedantic)]
#![allow(clippy::needless_pass_by_value, clippy::unused_async, clippy::implicit_hasher)]

use cache_runtime::{cacheable, invalidate};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Id {
    tenant: u32,
    number: u64,
}

#[cacheable(key = "a:<<id.tenant>>:<<id.number>>", each = ids)]
async fn of_struct(ids: &[Id]) -> Result<HashMap<Id, Arc<String>>, std::fmt::Error> {
    let name = |id: &Id| (id.clone(), Arc::new(id.number.to_string()));
    Ok(ids.iter().map(name).collect())
}

#[cacheable(key = "b:<<name>>", each = names, ttl = "1m", cache_none)]
async fn of_texts<'a>(names: &'a [&'a str]) -> Vec<Option<usize>> {
    names.iter().map(|name| name.find('a')).collect()
}

#[cacheable(key = "c:<<id>>:<<language>>", each = ids)]
fn blocking(mut ids: Vec<u32>, language: &str) -> Result<BTreeMap<u32, String>, String> {
    if language.is_empty() {
        return Err("no language".to_owned());
    }
    ids.sort_unstable();
    Ok(ids.into_iter().map(|id| (id, language.to_owned())).collect())
}

#[cacheable(key = "d:<<id>>", each = ids)]
#[invalidate(patterns = ["e:<<ids..>>"])]
async fn stacked(ids: &Vec<u32>) -> Vec<u32> {
    ids.clone()
}

#[cacheable(key = "f:<<id>>", each = ids)]
#[invalidate(patterns = ["g:*"])]
fn stacked_blocking(ids: &[u32]) -> Vec<u32> {
    ids.to_vec()
}

fn is_send<T: Send>(_: &T) {}

fn main() {
    let id = Id { tenant: 1, number: 2 };
    is_send(&of_struct(std::slice::from_ref(&id)));
    is_send(&of_texts(&["a"]));
    is_send(&stacked(&vec![1]));
    drop(of_struct_no_cache(&[id]));
    assert_eq!(blocking(vec![2, 1], "de").map(|texts| texts.len()), Ok(2));
    assert_eq!(stacked_blocking(&[1]), [1]);
}
