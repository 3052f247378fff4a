//! The attributes leave no trace in the schema.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::{
    Context, EmptyMutation, EmptySubscription, ID, MaybeUndefined, Object, Schema, value,
};
use cache_runtime::{Cache, cacheable};
use graphql_example::{Db, schema};
use serde_json::Value;

use crate::harness::Service;

#[tokio::test(flavor = "multi_thread")]
async fn introspection_shows_the_resolvers_only() {
    let service = Service::start(&Cache::builder().build().unwrap()).await;
    let types = "{ __schema { queryType { fields { name args { name } } }
                              mutationType { fields { name } } } }";
    let data = service.data("ada", types).await;
    let names = |fields: &Value| -> Vec<String> {
        let fields = fields.as_array().unwrap().iter();
        fields
            .map(|field| field["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let queries = &data["__schema"]["queryType"]["fields"];
    assert_eq!(names(queries), ["errands", "errand", "myEscrows", "banks"]);
    assert_eq!(names(&queries[0]["args"]), ["status", "first"]);
    let mutations = &data["__schema"]["mutationType"]["fields"];
    let expected = [
        "createErrand",
        "fundEscrow",
        "completeErrand",
        "releaseEscrow",
        "rename",
    ];
    assert_eq!(names(mutations), expected);
}

#[test]
fn no_type_shows_what_only_keys_need() {
    let sdl = schema(Arc::new(Db::open(Duration::ZERO))).sdl();
    for hidden in ["payerId", "posterId", "cache", "invalidate", "refresh"] {
        assert!(!sdl.contains(hidden), "{hidden}: {sdl}");
    }
    assert!(sdl.contains("type Escrow"), "{sdl}");
}

/// Resolvers that ask for companions, which are associated functions of the same type.
struct Squares;

#[Object]
impl Squares {
    /// The square of a number.
    #[cacheable(key = "square:<<number>>", ttl = 60, skip(ctx), companions)]
    async fn square(&self, ctx: &Context<'_>, number: i32) -> i32 {
        let _ = ctx.data_opt::<()>();
        number * number
    }
}

#[tokio::test]
async fn companions_are_no_fields() {
    let schema = Schema::new(Squares, EmptyMutation, EmptySubscription);
    let cache = cache_runtime::testing::cache();
    let response = cache.scope(schema.execute("{ square(number: 12) }")).await;
    assert_eq!(response.data, value!({ "square": 144 }));
    let fields = schema.execute("{ __type(name: \"Squares\") { fields { name } } }");
    let expected = value!({ "__type": { "fields": [{ "name": "square" }] } });
    assert_eq!(fields.await.data, expected);
}

/// Resolvers whose arguments are types of async-graphql.
struct Arguments;

#[Object]
impl Arguments {
    #[cacheable(key = "by_id:<<id.as_str()>>", ttl = 60)]
    async fn by_id(&self, id: ID) -> String {
        id.0
    }

    #[cacheable(key = "renamed:<<name.is_undefined()>>:<<name.value()>>", ttl = 60)]
    async fn renamed(&self, name: MaybeUndefined<String>) -> String {
        match name {
            MaybeUndefined::Undefined => "keep".to_owned(),
            MaybeUndefined::Null => "remove".to_owned(),
            MaybeUndefined::Value(name) => name,
        }
    }
}

#[tokio::test]
async fn an_undefined_argument_and_null_have_entries_of_their_own() {
    let schema = Schema::new(Arguments, EmptyMutation, EmptySubscription);
    let cache = cache_runtime::testing::cache();
    cache
        .scope(async {
            let all = "{ byId(id: \"a:b\") keep: renamed remove: renamed(name: null)
                         null: renamed(name: \"null\") empty: renamed(name: \"\") }";
            let expected = value!({
                "byId": "a:b", "keep": "keep", "remove": "remove", "null": "null", "empty": "",
            });
            for _ in 0..2 {
                assert_eq!(schema.execute(all).await.data, expected);
            }
        })
        .await;
    assert_eq!((cache.stats().hits, cache.stats().misses), (5, 5));
}
