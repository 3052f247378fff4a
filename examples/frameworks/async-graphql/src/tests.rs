#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_graphql::dataloader::DataLoader;
use async_graphql::{Request, Value, value};
use cache_runtime::Cache;
use support::{Database, hits_and_misses};

use super::{Names, Notes, User, loader, schema};

/// A schema with a cache of its own.
struct Api {
    database: Arc<Database>,
    schema: Notes,
    cache: Cache,
}

impl Api {
    fn new(prefix: &str) -> Self {
        Self::with_names(prefix, loader(Arc::default()))
    }

    fn with_names(prefix: &str, names: DataLoader<Names>) -> Self {
        let database = Arc::new(Database::open());
        Self {
            schema: schema(Arc::clone(&database), names),
            cache: support::cache(prefix).unwrap(),
            database,
        }
    }

    /// Execute a request of a user, and return its data and the number of its errors.
    async fn execute(&self, user: &'static str, request: &str) -> (Value, usize) {
        let request = Request::new(request).data(User(user));
        let response = self.cache.scope(self.schema.execute(request)).await;
        (response.data, response.errors.len())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_read_is_a_hit() {
    let api = Api::new("async-graphql-a");
    let expected = value!({ "note": { "id": 1, "text": "Weave algebra.", "author": "Ada Byron" } });
    for _ in 0..2 {
        let request = "{ note(id: 1) { id text author } }";
        assert_eq!(api.execute("grace", request).await, (expected.clone(), 0));
    }
    assert_eq!(hits_and_misses(&api.cache, "note"), (1, 1));
    assert_eq!(hits_and_misses(&api.cache, "full_name"), (1, 1));
    assert_eq!(api.database.queries(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_user_and_each_text_has_a_list() {
    let api = Api::new("async-graphql-b");
    for _ in 0..2 {
        for (user, text, expected) in [
            ("ada", "e", "Weave algebra."),
            ("ada", "punch", "Buy punch cards."),
            ("grace", "e", ""),
            ("grace", "moth", "Look for moths."),
        ] {
            let request = format!("{{ notes(text: \"{text}\") {{ text }} }}");
            let found = api.execute(user, &request).await.0.to_string();
            assert!(found.contains(expected), "{user} {text}: {found}");
            assert!(user == "ada" || !found.contains("algebra"), "{found}");
        }
    }
    // The empty list is a value like any other.
    assert_eq!(hits_and_misses(&api.cache, "notes"), (4, 4));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_misses_of_a_request_are_one_batch_of_the_loader() {
    let queries: Arc<AtomicU64> = Arc::default();
    // Load when two names are wanted, however long the two calls take.
    let names = loader(Arc::clone(&queries)).max_batch_size(2);
    let api = Api::with_names("async-graphql-c", names.delay(Duration::from_secs(60)));
    let both = "{ a: note(id: 1) { author } b: note(id: 2) { author } c: note(id: 3) { author } }";
    let expected = value!({
        "a": { "author": "Ada Byron" },
        "b": { "author": "Ada Byron" },
        "c": { "author": "Grace Hopper" },
    });
    for _ in 0..3 {
        assert_eq!(api.execute("ada", both).await, (expected.clone(), 0));
    }
    assert_eq!(queries.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mutation_removes_what_it_changes_and_nothing_else() {
    let api = Api::new("async-graphql-d");
    let read = "{ one: note(id: 1) { text } two: note(id: 2) { text } notes(text: \"\") { text } }";
    let before = api.execute("ada", read).await;
    assert_eq!(before.1, 0);
    let edit = "mutation { edit(id: 1, text: \"Weave flowers.\") { author } }";
    let expected = value!({ "edit": { "author": "Ada Byron" } });
    assert_eq!(api.execute("ada", edit).await, (expected, 0));
    let expected = value!({
        "one": { "text": "Weave flowers." },
        "two": { "text": "Buy punch cards." },
        "notes": [{ "text": "Weave flowers." }, { "text": "Buy punch cards." }],
    });
    assert_eq!(api.execute("ada", read).await, (expected, 0));
    assert_eq!(hits_and_misses(&api.cache, "note"), (1, 3));
    assert_eq!(hits_and_misses(&api.cache, "notes"), (0, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_an_error_nor_a_missing_note_is_cached() {
    let api = Api::new("async-graphql-e");
    api.database.set_down(true);
    let (data, errors) = api.execute("ada", "{ note(id: 1) { text } }").await;
    assert_eq!((data, errors), (Value::Null, 1));
    api.database.set_down(false);
    let (data, errors) = api.execute("ada", "{ note(id: 1) { text } }").await;
    assert_eq!(
        (data, errors),
        (value!({ "note": { "text": "Weave algebra." } }), 0)
    );
    for _ in 0..2 {
        let (data, errors) = api.execute("ada", "{ note(id: 99) { text } }").await;
        assert_eq!((data, errors), (value!({ "note": null }), 0));
    }
    assert_eq!(hits_and_misses(&api.cache, "note"), (0, 4));
}
