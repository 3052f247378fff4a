//! The kinds of functions that can have the attributes.

use std::fmt::Display;

use async_trait::async_trait;
use cache_runtime::{cacheable, invalidate};
use serde::Serialize;
use tests::on_both_stores;

use crate::common::{Post, Runs};

/// A free function.
#[cacheable(key = "free:<<slug>>", skip(runs))]
#[tracing::instrument(skip_all)]
async fn free(slug: &str, runs: &Runs) -> u32 {
    tokio::task::yield_now().await;
    runs.next()
}

#[tracing::instrument(skip_all)]
#[cacheable(key = "free-sync:<<slug>>", skip(runs))]
#[must_use]
fn free_sync(slug: &str, runs: &Runs) -> u32 {
    runs.next()
}

struct Repo {
    tenant: String,
    runs: Runs,
}

impl Repo {
    #[cacheable(key = "method:<<self.tenant>>:<<id>>")]
    async fn method(&self, id: u32) -> u32 {
        self.runs.next() + id
    }

    #[cacheable(key = "method-mut:<<self.tenant>>:<<id>>")]
    fn method_mut(&mut self, id: u32) -> u32 {
        self.runs.next() + id
    }

    #[cacheable(key = "by-value:<<self.tenant>>")]
    async fn by_value(self) -> u32 {
        self.runs.next()
    }

    #[cacheable(key = "associated:<<id>>", skip(runs))]
    async fn associated(id: u32, runs: &Runs) -> u32 {
        runs.next()
    }
}

fn repo(tenant: &str, runs: &Runs) -> Repo {
    Repo {
        tenant: tenant.to_owned(),
        runs: runs.clone(),
    }
}

#[tokio::test]
async fn free_functions_methods_and_associated_functions_are_cached() {
    on_both_stores(|_| async {
        let runs = Runs::default();
        for _ in 0..2 {
            assert_eq!(free("a", &runs).await, 1);
            assert_eq!(free_sync("a", &runs), 2);
            assert_eq!(repo("t", &runs).method(10).await, 13);
            assert_eq!(repo("u", &runs).method(10).await, 14);
            assert_eq!(repo("t", &runs).method_mut(10), 15);
            assert_eq!(repo("t", &runs).by_value().await, 6);
            assert_eq!(Repo::associated(1, &runs).await, 7);
        }
    })
    .await;
}

#[async_trait]
trait Store {
    async fn load(&self, id: u32) -> Result<Post, String>;
    async fn rename(&mut self, id: u32, slug: String) -> Result<Post, String>;
    fn size(&self, of: &str) -> usize;
}

#[async_trait]
impl Store for Repo {
    #[cacheable(key = "store:<<self.tenant>>:<<id>>")]
    async fn load(&self, id: u32) -> Result<Post, String> {
        if id == 0 {
            return Err("no such post".to_owned());
        }
        tokio::task::yield_now().await;
        Ok(Post::new(self.runs.next(), &self.tenant))
    }

    #[invalidate(patterns = ["store:<<self.tenant>>:<<id>>", "slugs:<<result.slug>>", "slugs:<<slug>>"])]
    async fn rename(&mut self, id: u32, slug: String) -> Result<Post, String> {
        let slug = slug + "!";
        if id == 0 {
            return Err(slug);
        }
        Ok(Post::new(id, &slug))
    }

    #[cacheable(key = "size:<<of>>", skip(self))]
    fn size(&self, of: &str) -> usize {
        of.len() + self.runs.next() as usize
    }
}

#[tokio::test]
async fn methods_of_traits_and_of_async_trait_are_cached_and_invalidate() {
    on_both_stores(|cache| async move {
        let runs = Runs::default();
        let mut repo = repo("t", &runs);
        for _ in 0..2 {
            let store: &dyn Store = &repo;
            assert_eq!(store.load(1).await.unwrap().id, 1);
            assert!(cache.exists("store:t:1").await.unwrap(), "no variant");
            assert_eq!(store.size("abc"), 5);
            assert!(store.load(0).await.is_err());
        }
        for slug in ["slugs:x", "slugs:x!"] {
            cache.set(slug, &1, 60).await.unwrap();
        }
        repo.rename(0, "x".to_owned()).await.unwrap_err();
        assert_eq!(repo.load(1).await.unwrap().id, 1);
        repo.rename(1, "x".to_owned()).await.unwrap();
        assert_eq!(cache.delete_pattern("slugs:*").await.unwrap(), 0);
        assert_eq!(repo.load(1).await.unwrap().id, 3);
    })
    .await;
}

#[cacheable(key = "generic:<<key>>", skip(runs))]
async fn generic<'a, K, const N: usize>(key: &'a K, list: [u8; N], runs: &'a Runs) -> Vec<u8>
where
    K: Display + Sync + ?Sized,
    [u8; N]: Serialize,
{
    runs.next();
    list.to_vec()
}

#[cacheable(key = "opaque:<<key>>", skip(runs))]
fn opaque(key: impl Display, values: &(impl Serialize + ?Sized), runs: &Runs) -> String {
    runs.next();
    key.to_string()
}

#[tokio::test]
async fn functions_with_generics_lifetimes_and_impl_trait_arguments_have_distinct_keys() {
    on_both_stores(|_| async {
        let runs = Runs::default();
        for _ in 0..2 {
            assert_eq!(generic("a", [1, 2], &runs).await, [1, 2]);
            assert_eq!(generic("a", [1, 3], &runs).await, [1, 3]);
            assert_eq!(generic("a", [1], &runs).await, [1]);
            assert_eq!(generic(&'a', [1], &runs).await, [1]);
            assert_eq!(opaque("k", &[1u8][..], &runs), "k");
            assert_eq!(opaque("k", "text", &runs), "k");
        }
        assert_eq!(runs.count(), 6);
    })
    .await;
}

/// Native async functions of a trait.
trait Native {
    async fn fetch(&self, id: u32) -> Option<Post>;
    async fn store(&mut self, post: Post) -> Result<Post, String>;
}

impl Native for Repo {
    #[cacheable(key = "native:<<self.tenant>>:<<id>>")]
    async fn fetch(&self, id: u32) -> Option<Post> {
        tokio::task::yield_now().await;
        Some(Post::new(self.runs.next(), "a"))
    }

    #[invalidate(patterns = ["native:<<self.tenant>>:<<result.id>>"])]
    async fn store(&mut self, post: Post) -> Result<Post, String> {
        Ok(post)
    }
}

#[tokio::test]
async fn async_functions_of_traits_are_cached_and_invalidate() {
    on_both_stores(|cache| async move {
        let mut repo = repo("t", &Runs::default());
        for _ in 0..2 {
            assert_eq!(repo.fetch(7).await.unwrap().id, 1);
        }
        assert!(cache.exists("native:t:7").await.unwrap());
        repo.store(Post::new(8, "a")).await.unwrap();
        assert_eq!(repo.fetch(7).await.unwrap().id, 1);
        repo.store(Post::new(7, "a")).await.unwrap();
        assert_eq!(repo.fetch(7).await.unwrap().id, 2);
    })
    .await;
}

struct Path<T>(T);

#[cacheable(key = "pattern:<<slug>>", skip(runs))]
async fn destructured(
    Path((mut slug, page)): Path<(String, u32)>,
    mut seen: Vec<u32>,
    runs: &Runs,
) -> (String, Vec<u32>) {
    runs.next();
    slug.push('!');
    seen.push(page);
    (slug, seen)
}

#[invalidate(patterns = ["pattern:<<slug>>"])]
fn forget(Path((slug, _)): Path<(String, u32)>) -> usize {
    slug.into_bytes().len()
}

#[tokio::test]
async fn keys_use_destructured_and_mut_arguments_as_they_were_passed() {
    on_both_stores(|_| async {
        let runs = Runs::default();
        let call =
            |page, seen: &[u32]| destructured(Path(("a".to_owned(), page)), seen.to_vec(), &runs);
        for _ in 0..2 {
            assert_eq!(call(1, &[]).await, ("a!".to_owned(), vec![1]));
            assert_eq!(call(2, &[]).await, ("a!".to_owned(), vec![2]));
            assert_eq!(call(1, &[7]).await, ("a!".to_owned(), vec![7, 1]));
        }
        assert_eq!(runs.count(), 3);
        forget(Path(("a".to_owned(), 0)));
        call(1, &[]).await;
        assert_eq!(runs.count(), 4);
    })
    .await;
}

#[cacheable(key = "early:<<id>>", skip(runs))]
fn early(id: u32, runs: &Runs) -> Result<Option<u32>, std::num::ParseIntError> {
    runs.next();
    if id == 0 {
        return Ok(Some(0));
    }
    let text = if id == 1 { "1" } else { "none" };
    let parsed: u32 = text.parse()?;
    Ok(Some(parsed))
}

#[invalidate(patterns = ["early:<<id>>"])]
async fn write_early(id: u32, ok: bool) -> Result<(), std::num::ParseIntError> {
    if ok {
        return Ok(());
    }
    "none".parse::<u32>()?;
    unreachable!("the text is a number")
}

#[tokio::test]
async fn early_returns_and_question_marks_end_only_the_body() {
    on_both_stores(|_| async {
        let runs = Runs::default();
        for _ in 0..2 {
            assert_eq!(early(0, &runs).unwrap(), Some(0));
            assert_eq!(early(1, &runs).unwrap(), Some(1));
        }
        assert_eq!(runs.count(), 2);
        assert!(early(2, &runs).is_err() && early(2, &runs).is_err());
        assert_eq!(runs.count(), 4);
        write_early(0, false).await.unwrap_err();
        early(0, &runs).unwrap();
        assert_eq!(runs.count(), 4);
        write_early(0, true).await.unwrap();
        early(0, &runs).unwrap();
        assert_eq!(runs.count(), 5);
    })
    .await;
}
