//! A table in memory, in place of a database.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tests::Runs;

/// Rows by their key, and the number of queries. A clone is the same table.
#[derive(Debug)]
pub(crate) struct Table<K, R> {
    rows: Arc<Mutex<BTreeMap<K, R>>>,
    queries: Runs,
}

impl<K, R> Clone for Table<K, R> {
    fn clone(&self) -> Self {
        Self {
            rows: Arc::clone(&self.rows),
            queries: self.queries.clone(),
        }
    }
}

impl<K, R> Default for Table<K, R> {
    fn default() -> Self {
        Self {
            rows: Arc::default(),
            queries: Runs::default(),
        }
    }
}

impl<K: Ord + Clone, R: Clone> Table<K, R> {
    /// Create a table with these rows.
    pub(crate) fn with(rows: impl IntoIterator<Item = (K, R)>) -> Self {
        let table = Self::default();
        table.rows.lock().unwrap().extend(rows);
        table
    }

    /// Return one row. Counts as a query.
    pub(crate) async fn find(&self, key: &K) -> Option<R> {
        self.query().await;
        self.rows.lock().unwrap().get(key).cloned()
    }

    /// Return the rows that match, in the order of their keys. Counts as a query.
    pub(crate) async fn select(&self, matches: impl Fn(&R) -> bool) -> Vec<R> {
        self.query().await;
        let rows = self.rows.lock().unwrap();
        rows.values().filter(|row| matches(row)).cloned().collect()
    }

    /// Insert or replace a row.
    pub(crate) async fn save(&self, key: K, row: R) {
        tokio::task::yield_now().await;
        self.rows.lock().unwrap().insert(key, row);
    }

    /// Delete a row, and return it.
    pub(crate) async fn delete(&self, key: &K) -> Option<R> {
        tokio::task::yield_now().await;
        self.rows.lock().unwrap().remove(key)
    }

    /// Return the number of queries so far.
    pub(crate) fn queries(&self) -> u32 {
        self.queries.count()
    }

    async fn query(&self) {
        self.queries.next();
        tokio::task::yield_now().await;
    }
}
