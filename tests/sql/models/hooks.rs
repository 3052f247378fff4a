//! Hooks of SeaORM add a model's patterns to the transaction.

use cache_runtime::{Cache, Transactional as _};
use cache_sql::sea_orm::Db;
use sea_orm::{
    ActiveModelTrait as _, ConnectOptions, ConnectionTrait as _, Database, EntityTrait as _,
    IntoActiveModel as _, ModelTrait as _, Set, TransactionTrait as _,
};

mod post {
    use cache_runtime::CacheModel;
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, CacheModel)]
    #[sea_orm(table_name = "posts")]
    #[cache(patterns = ["posts:<<slug>>:*", "posts:list:*"])]
    pub(crate) struct Model {
        #[sea_orm(primary_key)]
        pub(crate) id: i32,
        #[sea_orm(column_name = "post_slug")]
        pub(crate) slug: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    #[async_trait::async_trait]
    impl ActiveModelBehavior for ActiveModel {
        async fn after_save<C: ConnectionTrait>(
            model: Model,
            db: &C,
            _: bool,
        ) -> Result<Model, DbErr> {
            cache_sql::sea_orm::after_save(&model, db).await;
            Ok(model)
        }

        async fn after_delete<C: ConnectionTrait>(self, db: &C) -> Result<Self, DbErr> {
            cache_sql::sea_orm::after_delete(&self, db).await;
            Ok(self)
        }
    }
}

fn post(slug: &str) -> post::ActiveModel {
    post::ActiveModel {
        slug: Set(slug.to_owned()),
        ..Default::default()
    }
}

async fn database() -> Db {
    let cache = Cache::builder().build().expect("a cache in memory");
    let mut options = ConnectOptions::new("sqlite::memory:");
    options.max_connections(1);
    let connection = Database::connect(options).await.expect("SQLite");
    let db = Db::new(&cache, connection);
    let create = "CREATE TABLE posts (id INTEGER PRIMARY KEY, post_slug TEXT)";
    db.connection()
        .execute_unprepared(create)
        .await
        .expect("a table");
    db
}

#[tokio::test]
async fn saves_and_deletes_add_their_patterns_to_the_transaction() {
    let db = database().await;
    let tx = db.begin().await.expect("begun");
    let added = || tx.invalidations().patterns();
    let saved = post("a:b").insert(&tx).await.expect("inserted");
    assert_eq!(added(), ["posts:a%3Ab:*", "posts:list:*"]);
    let mut changed = saved.into_active_model();
    changed.slug = Set("c".to_owned());
    let changed = changed.update(&tx).await.expect("updated");
    assert_eq!(added(), ["posts:a%3Ab:*", "posts:list:*", "posts:c:*"]);
    tx.invalidations().rollback();
    changed.delete(&tx).await.expect("deleted");
    assert_eq!(added(), ["posts:c:*", "posts:list:*"]);
}

#[tokio::test]
async fn a_savepoint_takes_the_patterns_of_its_hooks_back() {
    let db = database().await;
    let mut tx = db.begin().await.expect("begun");
    let savepoint = tx.savepoint().await.expect("a savepoint");
    post("a").insert(&savepoint).await.expect("inserted");
    savepoint.rollback().await.expect("rolled back");
    assert!(tx.invalidations().is_empty());
}

#[tokio::test]
async fn patterns_wait_for_the_commit() {
    let db = database().await;
    let cache = db.cache().clone();
    cache.set("posts:a", &1, 60).await.expect("stored");
    let tx = db.begin().await.expect("begun");
    // The current cache of a hook isn't asked.
    post("a").insert(&tx).await.expect("inserted");
    assert!(cache.exists("posts:a").await.expect("known"));
    tx.commit().await.expect("committed");
    assert!(!cache.exists("posts:a").await.expect("known"));
}

#[tokio::test]
async fn a_delete_of_unknown_values_writes_stars() {
    let db = database().await;
    let saved = post("a").insert(db.connection()).await.expect("inserted");
    let tx = db.begin().await.expect("begun");
    let by_id = post::ActiveModel {
        id: Set(saved.id),
        ..Default::default()
    };
    by_id.delete(&tx).await.expect("deleted");
    assert_eq!(tx.invalidations().patterns(), ["posts:*:*", "posts:list:*"]);
}

#[tokio::test]
async fn a_save_without_a_transaction_invalidates_at_once() {
    let db = database().await;
    let cache = db.cache().clone();
    cache.set("posts:a", &1, 60).await.expect("stored");
    let save = async { post("a").insert(db.connection()).await.expect("inserted") };
    cache.scope(save).await;
    assert!(!cache.exists("posts:a").await.expect("known"));
}

#[tokio::test]
async fn a_transaction_of_sea_orm_itself_invalidates_at_once() {
    let db = database().await;
    let cache = db.cache().clone();
    cache.set("posts:a", &1, 60).await.expect("stored");
    let tx = db.connection().begin().await.expect("begun");
    let save = async { post("a").insert(&tx).await.expect("inserted") };
    cache.scope(save).await;
    assert!(!cache.exists("posts:a").await.expect("known"));
    tx.commit().await.expect("committed");
}

/// The gap that the documentation names.
#[tokio::test]
async fn writes_of_many_rows_call_no_hook() {
    let db = database().await;
    let tx = db.begin().await.expect("begun");
    post::Entity::insert_many([post("a"), post("b")])
        .exec(&tx)
        .await
        .expect("inserted");
    post::Entity::delete_many()
        .exec(&tx)
        .await
        .expect("deleted");
    assert!(tx.invalidations().is_empty());
}
