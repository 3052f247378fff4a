#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use cache_runtime::Cache;
use juniper::{Value, Variables, graphql_value};
use support::{Database, hits_and_misses};

use super::{Context, Query, Schema, schema};

/// A schema with a cache of its own.
struct Api {
    database: Arc<Database>,
    schema: Schema,
    cache: Cache,
}

impl Api {
    fn new(prefix: &str) -> Self {
        Self {
            database: Arc::new(Database::open()),
            schema: schema(),
            cache: support::cache(prefix).unwrap(),
        }
    }

    fn context(&self, user: &'static str) -> Context {
        let database = Arc::clone(&self.database);
        Context { user, database }
    }

    /// Execute a request of a user, and return its data and the number of its errors.
    async fn execute(&self, user: &'static str, request: &str) -> (Value, usize) {
        let context = self.context(user);
        let variables = Variables::new();
        let execution = juniper::execute(request, None, &self.schema, &variables, &context);
        let (data, errors) = self.cache.scope(execution).await.unwrap();
        (data, errors.len())
    }
}

#[tokio::test]
async fn the_second_read_is_a_hit() {
    let api = Api::new("juniper-a");
    let expected = graphql_value!({ "note": { "id": 1, "text": "Weave algebra." } });
    for user in ["ada", "grace"] {
        let request = "{ note(id: 1) { id text } }";
        assert_eq!(api.execute(user, request).await, (expected.clone(), 0));
    }
    assert_eq!(hits_and_misses(&api.cache, "note"), (1, 1));
    assert_eq!(api.database.queries(), 1);
}

#[tokio::test]
async fn a_key_depends_on_the_user_only_where_the_value_does() {
    let api = Api::new("juniper-b");
    let (ada, grace) = (api.context("ada"), api.context("grace"));
    assert_eq!(
        Query::note_cache_path(&ada, 1),
        Query::note_cache_path(&grace, 1)
    );
    let list = |context: &Context| Query::notes_cache_path(context, "e".to_owned());
    assert!(list(&ada).starts_with("notes:of:ada#"), "{}", list(&ada));
    assert!(
        list(&grace).starts_with("notes:of:grace#"),
        "{}",
        list(&grace)
    );
}

#[tokio::test]
async fn each_user_and_each_text_has_a_list() {
    let api = Api::new("juniper-c");
    for _ in 0..2 {
        for (user, text, expected) in [
            ("ada", "algebra", graphql_value!({ "notes": [{ "id": 1 }] })),
            ("ada", "punch", graphql_value!({ "notes": [{ "id": 2 }] })),
            ("grace", "algebra", graphql_value!({ "notes": [] })),
            ("grace", "moth", graphql_value!({ "notes": [{ "id": 3 }] })),
        ] {
            let request = format!("{{ notes(text: \"{text}\") {{ id }} }}");
            assert_eq!(api.execute(user, &request).await, (expected, 0));
        }
    }
    assert_eq!(hits_and_misses(&api.cache, "notes"), (4, 4));
}

#[tokio::test]
async fn a_mutation_removes_what_it_changes_and_nothing_else() {
    let api = Api::new("juniper-d");
    let read = "{ one: note(id: 1) { text } two: note(id: 2) { text } notes(text: \"\") { text } }";
    assert_eq!(api.execute("ada", read).await.1, 0);
    let edit = "mutation { edit(id: 1, text: \"Weave flowers.\") { id } }";
    let expected = graphql_value!({ "edit": { "id": 1 } });
    assert_eq!(api.execute("ada", edit).await, (expected, 0));
    let expected = graphql_value!({
        "one": { "text": "Weave flowers." },
        "two": { "text": "Buy punch cards." },
        "notes": [{ "text": "Weave flowers." }, { "text": "Buy punch cards." }],
    });
    assert_eq!(api.execute("ada", read).await, (expected, 0));
    assert_eq!(hits_and_misses(&api.cache, "note"), (1, 3));
    assert_eq!(hits_and_misses(&api.cache, "notes"), (0, 2));
}

#[tokio::test]
async fn neither_an_error_nor_a_missing_note_is_cached() {
    let api = Api::new("juniper-e");
    let read = "{ note(id: 1) { id } }";
    api.database.set_down(true);
    assert_eq!(
        api.execute("ada", read).await,
        (graphql_value!({ "note": null }), 1)
    );
    api.database.set_down(false);
    let expected = graphql_value!({ "note": { "id": 1 } });
    assert_eq!(api.execute("ada", read).await, (expected, 0));
    for _ in 0..2 {
        let missing = "{ note(id: 99) { id } }";
        assert_eq!(
            api.execute("ada", missing).await,
            (graphql_value!({ "note": null }), 0)
        );
    }
    assert_eq!(hits_and_misses(&api.cache, "note"), (0, 4));
}
