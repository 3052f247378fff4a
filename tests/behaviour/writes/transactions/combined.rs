//! `tx` together with the other options of `#[cacheable]`.

use std::collections::HashMap;

use cache_runtime::{Invalidations, cacheable, invalidate};
use tests::on_both_stores;

use crate::common::Runs;

#[cacheable(key = "stale", ttl = 60, stale = 60, skip(runs), tx = tx)]
async fn stale(tx: &Invalidations, runs: &Runs) -> u32 {
    runs.next()
}

#[cacheable(key = "background", ttl = 60, stale = 60, early, refresh = "background", skip(runs), tx = tx)]
async fn background(tx: Invalidations, runs: Runs) -> u32 {
    runs.next()
}

#[cacheable(key = "expired", ttl = 60, stale_if_error = 60, skip(runs), tx = tx)]
async fn expired(tx: &Invalidations, runs: &Runs) -> Result<u32, String> {
    Ok(runs.next())
}

#[cacheable(key = "early", ttl = 60, early, skip(runs), tx = tx)]
fn early(tx: &Invalidations, runs: &Runs) -> u32 {
    runs.next()
}

#[cacheable(key = "detached", detached, skip(runs), tx = tx)]
async fn detached(tx: Invalidations, runs: Runs) -> u32 {
    runs.next()
}

#[cacheable(key = "detached_stale", detached, stale = 60, skip(runs), tx = tx)]
async fn detached_stale(tx: Invalidations, runs: Runs) -> u32 {
    runs.next()
}

#[cacheable(key = "failed", cache_err = |_| true, err_ttl = 60, skip(runs), tx = tx)]
async fn failed(tx: &Invalidations, runs: &Runs) -> Result<u32, u32> {
    Err(runs.next())
}

#[cacheable(key = "failed_blocking", cache_err = |_| true, err_ttl = 60, skip(runs), tx = tx)]
fn failed_blocking(tx: &Invalidations, runs: &Runs) -> Result<u32, u32> {
    Err(runs.next())
}

#[cacheable(key = "unless", unless = |run| *run > 100, ttl = |run| u64::from(*run) + 60, skip(runs), tx = tx)]
async fn unless(tx: &Invalidations, runs: &Runs) -> u32 {
    runs.next()
}

#[cacheable(key = "condition", condition = runs.count() < 100, cache_none, skip(runs), tx = tx)]
async fn condition(tx: &Invalidations, runs: &Runs) -> Option<u32> {
    Some(runs.next())
}

/// A response of another crate.
#[derive(Debug)]
struct Page(u32);

#[cacheable(key = "page", value = |page: Page| page.0, response = Page, skip(runs), tx = tx)]
async fn page(tx: &Invalidations, runs: &Runs) -> Page {
    Page(runs.next())
}

#[cacheable(key = "page_blocking", value = |page: Page| page.0, response = Page, skip(runs), tx = tx)]
fn page_blocking(tx: &Invalidations, runs: &Runs) -> Result<Page, String> {
    Ok(Page(runs.next()))
}

#[cacheable(key = "each:<<id>>", each = ids, skip(runs), tx = tx)]
async fn each(tx: &Invalidations, ids: &[u32], runs: &Runs) -> HashMap<u32, u32> {
    let run = runs.next();
    ids.iter().map(|id| (*id, run)).collect()
}

#[cacheable(key = "each:<<id>>", each = ids, skip(runs), tx = tx)]
fn each_blocking(tx: &Invalidations, ids: Vec<u32>, runs: &Runs) -> Result<Vec<u32>, String> {
    let run = runs.next();
    Ok(ids.iter().map(|_| run).collect())
}

#[cacheable(key = "both", skip(runs), tx = tx)]
#[invalidate(patterns = ["written:<<result>>"], tx = tx)]
async fn both(tx: &Invalidations, runs: &Runs) -> u32 {
    runs.next()
}

struct Service {
    tx: Invalidations,
    runs: Runs,
}

#[async_trait::async_trait]
trait Reads {
    async fn boxed(&self) -> u32;
}

#[async_trait::async_trait]
impl Reads for Service {
    #[cacheable(key = "boxed", skip(self), tx = self.tx)]
    async fn boxed(&self) -> u32 {
        self.runs.next()
    }
}

impl Service {
    #[cacheable(key = "method", skip(self), tx = self.tx)]
    fn method(&self) -> u32 {
        self.runs.next()
    }
}

/// Call every function once, and return the number of the run that each value is from.
async fn call_all(tx: &Invalidations, runs: &[Runs]) -> Vec<u32> {
    let mut left = runs.iter();
    let mut next = || left.next().unwrap();
    let service = |runs: &Runs| Service {
        tx: tx.clone(),
        runs: runs.clone(),
    };
    vec![
        stale(tx, next()).await,
        background(tx.clone(), next().clone()).await,
        expired(tx, next()).await.unwrap(),
        early(tx, next()),
        detached(tx.clone(), next().clone()).await,
        detached_stale(tx.clone(), next().clone()).await,
        failed(tx, next()).await.unwrap_err(),
        failed_blocking(tx, next()).unwrap_err(),
        unless(tx, next()).await,
        condition(tx, next()).await.unwrap(),
        page(tx, next()).await.0,
        page_blocking(tx, next()).unwrap().0,
        each(tx, &[1, 2], next()).await[&2],
        each_blocking(tx, vec![3, 4], next()).unwrap()[1],
        service(next()).boxed().await,
        service(next()).method(),
        // The last one: it opens a transaction that is closed.
        both(tx, next()).await,
    ]
}

const FUNCTIONS: usize = 17;

#[tokio::test]
async fn with_every_option_an_open_transaction_comes_first() {
    on_both_stores(|cache| async move {
        let runs: Vec<Runs> = (0..FUNCTIONS).map(|_| Runs::default()).collect();
        let closed = cache.invalidations();
        closed.rollback();
        // Values that a read in a transaction must not see.
        assert_eq!(call_all(&closed, &runs).await, vec![1; FUNCTIONS]);
        let tx = cache.invalidations();
        assert_eq!(call_all(&tx, &runs).await, vec![2; FUNCTIONS]);
        assert_eq!(call_all(&tx, &runs).await, vec![3; FUNCTIONS]);
        assert_eq!(tx.patterns(), ["written:2", "written:3"]);
        // Nor does it store what it has read.
        closed.rollback();
        assert_eq!(call_all(&closed, &runs).await, vec![1; FUNCTIONS]);
        cache.delete_pattern("*").await.unwrap();
        assert_eq!(call_all(&tx, &runs).await, vec![4; FUNCTIONS]);
        closed.rollback();
        assert_eq!(call_all(&closed, &runs).await, vec![5; FUNCTIONS]);
    })
    .await;
}
