//! `each = ids`: a function that reads many items, each with an entry of its own.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use cache_runtime::{Cache, cacheable, invalidate};
use tests::{Gate, Runs, begin, on_both_stores, soon};

use crate::common::Post;

/// The items that the bodies of a test were called with.
#[derive(Clone, Debug, Default)]
struct Asked(Arc<Mutex<Vec<Vec<u32>>>>);

impl Asked {
    fn note(&self, ids: &[u32]) {
        self.0.lock().unwrap().push(ids.to_vec());
    }

    fn all(&self) -> Vec<Vec<u32>> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

fn post(id: u32) -> Post {
    Post::new(id, &format!("post {id}"))
}

/// Posts have even numbers.
#[cacheable(key = "each:<<id>>", ttl = 60, each = ids, skip(asked))]
async fn posts(asked: &Asked, ids: &[u32]) -> Result<HashMap<u32, Post>, String> {
    asked.note(ids);
    if ids.contains(&13) {
        return Err("unlucky".to_owned());
    }
    let even = ids.iter().filter(|id| **id % 2 == 0);
    Ok(even.map(|id| (*id, post(*id))).collect())
}

#[cacheable(key = "each:<<id>>", ttl = 60, skip(runs))]
async fn single_post(runs: &Runs, id: u32) -> Option<Post> {
    runs.next();
    id.is_multiple_of(2).then(|| Post::new(id, "single"))
}

#[tokio::test]
async fn the_body_runs_once_with_the_missing_items() {
    on_both_stores(|cache| async move {
        let asked = Asked::default();
        let found = posts(&asked, &[2, 3, 4, 2]).await.unwrap();
        assert_eq!(found, HashMap::from([(2, post(2)), (4, post(4))]));
        assert_eq!(asked.all(), [[2, 3, 4]]);
        let found = posts(&asked, &[4, 6, 2]).await.unwrap();
        assert_eq!(found.len(), 3);
        assert_eq!(asked.all(), [[6]]);
        posts(&asked, &[4, 6, 2]).await.unwrap();
        posts(&asked, &[]).await.unwrap();
        assert_eq!(asked.all(), [[0; 0]; 0], "all are cached");
        posts(&asked, &[2, 8, 13]).await.unwrap_err();
        assert!(
            !cache.exists("each:8").await.unwrap(),
            "an error stores nothing"
        );
        assert_eq!(asked.all(), [[8, 13]]);
    })
    .await;
}

#[tokio::test]
async fn entries_are_those_of_a_single_item_function() {
    on_both_stores(|_| async move {
        let (asked, runs) = (Asked::default(), Runs::default());
        posts(&asked, &[2, 3]).await.unwrap();
        assert_eq!(single_post(&runs, 2).await, Some(post(2)));
        assert_eq!(runs.count(), 0);
        assert_eq!(single_post(&runs, 4).await.unwrap().slug, "single");
        assert_eq!(posts(&asked, &[4, 2]).await.unwrap()[&4].slug, "single");
        assert_eq!(asked.all(), [[2, 3]]);
        assert_eq!(single_post_cache_path(&runs, 4), "each:4");
        assert!(single_post_invalidate(&runs, 4).await.unwrap());
        assert_eq!(posts(&asked, &[4, 2]).await.unwrap()[&4], post(4));
        assert_eq!(asked.all(), [[4]]);
    })
    .await;
}

#[cacheable(key = "each:held:<<id>>", each = ids, skip(gate, asked))]
async fn held(gate: &Gate, asked: &Asked, ids: &[u32]) -> HashMap<u32, u32> {
    asked.note(ids);
    let number = gate.pass().await;
    ids.iter().map(|id| (*id, number)).collect()
}

#[cacheable(key = "each:held:<<id>>", skip(gate))]
async fn held_single(gate: &Gate, id: u32) -> u32 {
    gate.pass().await
}

#[tokio::test]
async fn flights_are_shared_with_other_callers() {
    on_both_stores(|cache| async move {
        let (gate, asked) = (Gate::new(), Asked::default());
        let single = begin(&cache, {
            let gate = gate.clone();
            async move { held_single(&gate, 1).await }
        })
        .await;
        let many = |ids: &'static [u32]| {
            let (gate, asked) = (gate.clone(), asked.clone());
            begin(&cache, async move { held(&gate, &asked, ids).await })
        };
        let (one, two) = (many(&[1, 2]).await, many(&[3, 2, 1]).await);
        let waiting = begin(&cache, {
            let gate = gate.clone();
            async move { held_single(&gate, 3).await }
        })
        .await;
        gate.open();
        assert_eq!(soon(single).await.unwrap(), 1);
        assert_eq!(soon(one).await.unwrap(), HashMap::from([(1, 1), (2, 2)]));
        assert_eq!(
            soon(two).await.unwrap(),
            HashMap::from([(1, 1), (2, 2), (3, 3)])
        );
        assert_eq!(soon(waiting).await.unwrap(), 3);
        assert_eq!(asked.all(), [[2], [3]]);
    })
    .await;
}

#[invalidate(patterns = ["each:<<ids..>>:*"])]
async fn write(ids: &[u32]) -> usize {
    ids.len()
}

#[tokio::test]
async fn items_are_invalidated_one_by_one() {
    on_both_stores(|cache| async move {
        let asked = Asked::default();
        posts(&asked, &[2, 4, 6]).await.unwrap();
        write(&[4, 5]).await;
        posts(&asked, &[2, 4, 6]).await.unwrap();
        assert_eq!(asked.all(), [&[2, 4, 6][..], &[4]]);

        let (gate, asked) = (Gate::new(), Asked::default());
        let reading = begin(&cache, {
            let (gate, asked) = (gate.clone(), asked.clone());
            async move { held(&gate, &asked, &[1, 2]).await }
        })
        .await;
        cache.delete("each:held:1").await.unwrap();
        gate.open();
        assert_eq!(soon(reading).await.unwrap().len(), 2);
        assert!(!cache.exists("each:held:1").await.unwrap(), "no stale fill");
        assert!(cache.exists("each:held:2").await.unwrap());
    })
    .await;
}

#[cacheable(key = "each:vec:<<name>>", each = names, skip(asked))]
async fn lengths(asked: &Mutex<Vec<usize>>, names: Vec<String>) -> Vec<usize> {
    asked.lock().unwrap().push(names.len());
    let names = names.into_iter();
    // One that isn't aligned.
    names
        .filter(|name| name != "gone")
        .map(|name| name.len())
        .collect()
}

#[tokio::test]
async fn a_vec_is_in_the_order_of_the_items() {
    on_both_stores(|cache| async move {
        let asked = Mutex::default();
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(lengths(&asked, names(&["a", "bbb", "a"])).await, [1, 3, 1]);
        assert_eq!(
            lengths(&asked, names(&["cc", "a", "bbb", "cc", "a"])).await,
            [2, 1, 3, 2, 1]
        );
        assert_eq!(*asked.lock().unwrap(), [2, 1]);
        // Of another length: returned as the body returns it, and not stored.
        assert_eq!(lengths(&asked, names(&["dddd", "gone"])).await, [4]);
        assert_eq!(lengths(&asked, names(&["bbb", "gone", "a"])).await, [3, 1]);
        assert_eq!(*asked.lock().unwrap(), [2, 1, 2, 1, 3]);
        assert!(!cache.exists("each:vec:dddd").await.unwrap());
    })
    .await;
}

#[cacheable(key = "each:none:<<id>>", each = ids, cache_none, skip(asked))]
async fn perhaps(asked: &Asked, ids: &[u32]) -> Vec<Option<Post>> {
    asked.note(ids);
    ids.iter().map(|id| (*id > 1).then(|| post(*id))).collect()
}

#[cacheable(key = "each:none:<<id>>", each = ids, cache_none, skip(asked))]
async fn in_a_tree(asked: &Asked, ids: &[u32]) -> Result<BTreeMap<u32, Post>, std::io::Error> {
    asked.note(ids);
    Ok(ids
        .iter()
        .filter(|id| **id > 1)
        .map(|id| (*id, post(*id)))
        .collect())
}

#[tokio::test]
async fn an_absent_value_is_remembered_with_cache_none() {
    on_both_stores(|_| async move {
        let asked = Asked::default();
        for _ in 0..2 {
            assert_eq!(perhaps(&asked, &[1, 2]).await, [None, Some(post(2))]);
        }
        assert_eq!(asked.all(), [[1, 2]]);
        for _ in 0..2 {
            let found = in_a_tree(&asked, &[0, 1, 2, 3]).await.unwrap();
            assert_eq!(found, BTreeMap::from([(2, post(2)), (3, post(3))]));
        }
        assert_eq!(asked.all(), [[0, 3]]);
        assert_eq!(perhaps(&asked, &[0, 3]).await, [None, Some(post(3))]);
        assert_eq!(asked.all(), [[0; 0]; 0]);
    })
    .await;
}

#[cacheable(key = "each:<<tenant>>:sync:<<id>>", each = ids, skip(asked), ttl = ttl, condition = tenant != "none")]
fn blocking(
    asked: &Asked,
    tenant: &str,
    ids: &[u32],
    language: &str,
    ttl: u64,
) -> Vec<Arc<String>> {
    asked.note(ids);
    let text = |id: &u32| Arc::new(format!("{tenant} {id} {language}"));
    ids.iter().map(text).collect()
}

#[tokio::test]
async fn a_blocking_function_with_other_arguments() {
    on_both_stores(|cache| async move {
        let work = move || {
            cache.scope_sync(|| {
                let asked = Asked::default();
                let texts = |tenant: &str, language: &str, ids: &[u32]| {
                    let texts = blocking(&asked, tenant, ids, language, 60);
                    assert!(texts.iter().all(|text| text.ends_with(language)));
                    asked.all()
                };
                assert_eq!(texts("a", "de", &[1, 2]), [[1, 2]]);
                assert_eq!(texts("a", "de", &[2, 3]), [[3]]);
                assert_eq!(texts("a", "en", &[2, 3]), [[2, 3]], "a variant of its own");
                assert_eq!(texts("b", "de", &[3]), [[3]]);
                assert_eq!(texts("none", "de", &[3]), [[3]]);
                assert_eq!(texts("none", "de", &[3]), [[3]], "the condition is false");
                blocking_no_cache(&asked, "a", &[1, 2], "de", 60);
                assert_eq!(asked.all(), [[1, 2]]);
            });
        };
        tokio::task::spawn_blocking(work).await.unwrap();
    })
    .await;
}

struct Repository {
    cache: Cache,
    asked: Asked,
}

impl Repository {
    #[cacheable(key = "each:method:<<id>>", each = ids, cache = self.cache, skip(self))]
    async fn load<T: Send + Sync + Copy + Into<u32> + serde::Serialize>(
        &self,
        factor: T,
        mut ids: Vec<u32>,
    ) -> HashMap<u32, u32> {
        self.asked.note(&ids);
        ids.sort_unstable();
        ids.into_iter().map(|id| (id, id * factor.into())).collect()
    }
}

#[tokio::test]
async fn a_method() {
    on_both_stores(|cache| async move {
        let asked = Asked::default();
        let repository = Repository { cache, asked };
        let loaded = Cache::builder().build().unwrap().scope(async {
            let first = repository.load(2u32, vec![3, 1]).await;
            (first, repository.load(2u32, vec![1, 2, 3]).await)
        });
        let (first, second) = loaded.await;
        assert_eq!(first, HashMap::from([(1, 2), (3, 6)]));
        assert_eq!(second, HashMap::from([(1, 2), (2, 4), (3, 6)]));
        assert_eq!(repository.asked.all(), [&[3, 1][..], &[2]]);
        assert_eq!(repository.cache.stats().hits, 2);
    })
    .await;
}

/// `Rc` isn't `Send`.
#[cacheable(key = "each:error:<<id>>", each = ids)]
async fn with_local_error(ids: &[u32]) -> Result<Vec<u32>, std::rc::Rc<str>> {
    Ok(ids.to_vec())
}

#[tokio::test]
async fn the_future_is_send() {
    let cache = Cache::builder().build().unwrap();
    let task = tokio::spawn(cache.scope(async {
        let asked = Asked::default();
        let found = posts(&asked, &[2]).await.unwrap();
        let same = with_local_error(&[1, 2]).await.unwrap_or_default();
        (found.len(), same)
    }));
    assert_eq!(task.await.unwrap(), (1, vec![1, 2]));
}
