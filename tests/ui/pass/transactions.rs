//! `tx` in every form, on every kind of function.
use cache_runtime::{Cache, CacheError, Invalidations, Transactional, cacheable, invalidate};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

struct Postgres;

struct Transaction<'c, DB> {
    written: &'c mut Vec<DB>,
    invalidations: Invalidations,
}

impl<DB> Transactional for Transaction<'_, DB> {
    fn invalidations(&self) -> &Invalidations {
        &self.invalidations
    }
}

#[invalidate(patterns = ["posts:<<slug>>:*"], tx = tx)]
async fn by_mutable_reference(tx: &mut Transaction<'_, Postgres>, slug: &str) {
    let _ = slug;
    tx.written.push(Postgres);
}

#[invalidate(patterns = ["posts:<<slug>>:*"], tx = &mut *tx)]
fn reborrowed(tx: &mut Transaction<'_, Postgres>, slug: &str) -> Result<(), CacheError> {
    let _ = slug;
    tx.written.push(Postgres);
    Ok(())
}

#[invalidate(patterns = ["posts:<<slug>>:*"], tx = *tx)]
async fn dereferenced(tx: &mut Transaction<'_, Postgres>, slug: String) -> String {
    tx.written.push(Postgres);
    slug
}

#[invalidate(patterns = ["posts:*"], tx = &tx)]
async fn owned(tx: Transaction<'_, Postgres>) {
    drop(tx);
}

#[invalidate(patterns = ["posts:*"], tx = tx)]
async fn generic<T: Transactional + ?Sized>(tx: &T) {
    let _ = tx;
}

#[invalidate(patterns = ["posts:*"], tx = tx)]
fn dynamic(tx: &mut dyn Transactional) {
    let _ = tx;
}

#[invalidate(patterns = ["posts:*"], tx = tx)]
fn hidden<T: Transactional>(tx: &mut T) -> impl Sized + use<T> {
    let _ = tx;
}

#[invalidate(patterns = ["posts:*"], tx = *tx.borrow())]
fn shared(tx: Rc<RefCell<Transaction<'_, Postgres>>>) {
    let _ = tx;
}

#[invalidate(patterns = ["posts:*"], tx = tx)]
async fn optional(tx: Option<&mut Transaction<'_, Postgres>>) {
    if let Some(tx) = tx {
        tx.written.push(Postgres);
    }
}

#[invalidate(patterns = ["posts:*"], tx = tx)]
async fn destructured((tx, id): (&mut Transaction<'_, Postgres>, u32)) {
    let _ = (tx, id);
}

#[invalidate(patterns = ["posts:*"], tx = none)]
async fn commits_by_itself(tx: Transaction<'_, Postgres>) {
    drop(tx);
}

#[cacheable(key = "posts:<<slug>>", tx = tx)]
async fn get_post(tx: &mut Transaction<'_, Postgres>, slug: &str) -> Result<Option<String>, u8> {
    tx.written.push(Postgres);
    Ok(Some(slug.to_owned()))
}

#[cacheable(tx = tx)]
fn without_a_key(tx: &Transaction<'_, Postgres>, slug: &str) -> Arc<String> {
    let _ = tx;
    Arc::new(slug.to_owned())
}

#[cacheable(key = "posts:<<slug>>", skip(tx), tx = tx)]
fn skipped_as_well(tx: &Transaction<'_, Postgres>, slug: &str) -> String {
    let _ = tx;
    slug.to_owned()
}

#[cacheable(key = "posts:<<slug>>", skip(tx), tx = none)]
fn reads_committed(tx: &Transaction<'_, Postgres>, slug: &str) -> String {
    let _ = tx;
    slug.to_owned()
}

#[cacheable(key = "posts:<<id>>", each = ids, tx = tx)]
async fn each(tx: &mut Transaction<'_, Postgres>, ids: &[u32]) -> BTreeMap<u32, u32> {
    tx.written.push(Postgres);
    ids.iter().map(|id| (*id, *id)).collect()
}

struct Service<'c> {
    tx: Transaction<'c, Postgres>,
    none: u32,
}

impl Service<'_> {
    #[cacheable(key = "posts:<<self.none>>", tx = self.tx)]
    fn none(&self) -> u32 {
        self.none
    }

    #[invalidate(patterns = ["posts:<<self.none>>"], tx = self.tx)]
    async fn write(&mut self) {
        self.tx.written.push(Postgres);
    }
}

impl Transactional for Service<'_> {
    fn invalidations(&self) -> &Invalidations {
        &self.tx.invalidations
    }
}

struct Receiver(Invalidations);

impl Transactional for Receiver {
    fn invalidations(&self) -> &Invalidations {
        &self.0
    }
}

impl Receiver {
    // The transaction is no part of the key, also as the receiver.
    #[cacheable(key = "posts:<<id>>", tx = self)]
    async fn get(&self, id: u32) -> u32 {
        self.0.patterns();
        id
    }
}

/// A domain's type, which no attribute takes for a transaction of a database.
mod bank {
    use cache_runtime::cacheable;

    #[derive(serde::Serialize)]
    pub(super) struct Transaction {
        pub(super) amount: u32,
    }

    #[cacheable(key = "fees:<<transaction.amount>>", tx = none)]
    pub(super) fn fee(transaction: &Transaction) -> u32 {
        transaction.amount / 100
    }

    #[cacheable(key = "amounts:<<amount>>")]
    pub(super) fn amount(Transaction { amount }: Transaction) -> u32 {
        amount
    }
}

fn is_send<T: Send>(_: &T) {}

async fn check(cache: &Cache) -> Result<(), CacheError> {
    let mut written = Vec::new();
    let invalidations = cache.invalidations();
    let mut tx = Transaction { written: &mut written, invalidations: invalidations.clone() };
    let future = by_mutable_reference(&mut tx, "a");
    is_send(&future);
    future.await;
    reborrowed(&mut tx, "b")?;
    dereferenced(&mut tx, "c".to_owned()).await;
    assert_eq!(invalidations.patterns(), ["posts:a:*", "posts:b:*", "posts:c:*"]);
    generic(&tx).await;
    dynamic(&mut tx);
    let _ = hidden(&mut tx);
    optional(Some(&mut tx)).await;
    optional(None).await;
    destructured((&mut tx, 1)).await;
    let future = get_post(&mut tx, "a");
    is_send(&future);
    assert_eq!(future.await, Ok(Some("a".to_owned())));
    assert_eq!(*without_a_key(&tx, "a"), "a");
    assert_eq!(skipped_as_well(&tx, "a"), "a");
    assert_eq!(each(&mut tx, &[1, 2]).await.len(), 2);
    assert_eq!(cache.stats().entries, 0);
    assert_eq!(reads_committed(&tx, "a"), "a");
    assert_eq!(cache.stats().entries, 1);
    let mut service = Service { tx, none: 7 };
    service.write().await;
    assert_eq!(service.none(), 7);
    assert_eq!(generic(&service).await, ());
    owned(service.tx).await;
    let tx = Transaction { written: &mut Vec::new(), invalidations: cache.invalidations() };
    shared(Rc::new(RefCell::new(tx)));
    let tx = Transaction { written: &mut Vec::new(), invalidations: cache.invalidations() };
    commits_by_itself(tx).await;
    assert_eq!(Receiver(cache.invalidations()).get(1).await, 1);
    assert_eq!(bank::fee(&bank::Transaction { amount: 100 }), 1);
    assert_eq!(bank::amount(bank::Transaction { amount: 2 }), 2);
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), CacheError> {
    let cache = Cache::builder().build()?;
    cache.scope(check(&cache)).await
}
