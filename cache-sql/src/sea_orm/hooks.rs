//! Hooks of `ActiveModelBehavior` that invalidate the patterns of a model.

use std::any::type_name;
use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};

use ::sea_orm::{
    ActiveModelTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, TryIntoModel,
};
use cache_runtime::{Cache, CacheModel, Invalidations};

use crate::triggers::of_all_rows;

/// Invalidate the patterns of a row that `insert`, `update` or `save` has written: call it from
/// `after_save` of the entity's `ActiveModelBehavior`.
///
/// If `db` is a [`Transaction`](super::Transaction) of this crate, or a savepoint of it, the patterns
/// are added to that transaction, which invalidates them once it has committed. Otherwise the row is
/// committed already, and the patterns are invalidated in [`Cache::current`] before this returns.
///
/// ```
/// mod post {
///     use cache_runtime::CacheModel;
///     use sea_orm::entity::prelude::*;
///
///     #[derive(Clone, Debug, PartialEq, DeriveEntityModel, CacheModel)]
///     #[sea_orm(table_name = "posts")]
///     #[cache(patterns = ["posts:<<slug>>:*", "posts:list:*"])]
///     pub struct Model {
///         #[sea_orm(primary_key)]
///         pub id: i32,
///         pub slug: String,
///     }
///
///     #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
///     pub enum Relation {}
///
///     #[async_trait::async_trait]
///     impl ActiveModelBehavior for ActiveModel {
///         async fn after_save<C: ConnectionTrait>(
///             model: Model,
///             db: &C,
///             _insert: bool,
///         ) -> Result<Model, DbErr> {
///             cache_sql::sea_orm::after_save(&model, db).await;
///             Ok(model)
///         }
///
///         async fn after_delete<C: ConnectionTrait>(self, db: &C) -> Result<Self, DbErr> {
///             cache_sql::sea_orm::after_delete(&self, db).await;
///             Ok(self)
///         }
///     }
/// }
///
/// # use cache_runtime::{Cache, Transactional};
/// # use cache_sql::sea_orm::Db;
/// # use sea_orm::{ActiveModelTrait, ConnectionTrait, ModelTrait, Set};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let cache = Cache::builder().build()?;
/// # let mut options = sea_orm::ConnectOptions::new("sqlite::memory:");
/// # options.max_connections(1);
/// # let db = Db::new(&cache, sea_orm::Database::connect(options).await?);
/// # db.connection().execute_unprepared("CREATE TABLE posts (id INTEGER PRIMARY KEY, slug TEXT)").await?;
/// let tx = db.begin().await?;
/// let post = post::ActiveModel { slug: Set("hello".to_owned()), ..Default::default() };
/// post.insert(&tx).await?;
/// assert_eq!(tx.invalidations().patterns(), ["posts:hello:*", "posts:list:*"]);
/// tx.commit().await?; // and then both patterns
/// # Ok(())
/// # }
/// ```
///
/// # What hooks don't see
///
/// * SeaORM calls no hooks for `insert_many`, `update_many`, `delete_many` and raw SQL.
///   [`triggers`](crate::triggers()) see them.
/// * The row before an update: if a column changes that a pattern names, the patterns of the old
///   value are missing. Triggers write both.
/// * A transaction that SeaORM begins by itself or that was begun without this crate: the patterns
///   are invalidated at once, before its COMMIT, and a warning is logged. This is also the case for
///   the transaction in which a nested `ActiveModelEx` is saved.
///
/// # Cancel safety
///
/// The patterns are added when this is first polled. Where they are invalidated at once, the
/// invalidation finishes without its caller.
pub async fn after_save<M, C>(model: &M, db: &C)
where
    M: CacheModel,
    C: ConnectionTrait,
{
    invalidate(model.cache_patterns(), db).await;
}

/// Invalidate the patterns of a row that `delete` has removed: call it from `after_delete` of the
/// entity's `ActiveModelBehavior`. See [`after_save`], also for an example and for the limits.
///
/// A placeholder becomes `*` in all patterns if a column isn't set, as in
/// `ActiveModel { id: Set(1), ..Default::default() }.delete(&tx)`: the values that the row had are
/// unknown.
///
/// # Cancel safety
///
/// That of [`after_save`].
pub async fn after_delete<A, C>(active: &A, db: &C)
where
    A: ActiveModelTrait + TryIntoModel<ModelOf<A>>,
    ModelOf<A>: CacheModel,
    C: ConnectionTrait,
{
    let patterns = match active.clone().try_into_model() {
        Ok(model) => model.cache_patterns(),
        Err(_) => of_all_rows(&<ModelOf<A> as CacheModel>::MODEL),
    };
    invalidate(patterns, db).await;
}

/// The model of an active model.
type ModelOf<A> = <<A as ActiveModelTrait>::Entity as EntityTrait>::Model;

async fn invalidate<C: ConnectionTrait>(patterns: Vec<String>, db: &C) {
    let collector = collector_of(db);
    let invalidations = collector.clone().unwrap_or_else(|| {
        warn_of_foreign_transaction::<C>();
        Cache::current().invalidations()
    });
    for pattern in &patterns {
        invalidations.add(pattern);
    }
    if collector.is_none() {
        // A failure is logged and queued for replay by the runtime. The row is written, so it isn't
        // an error of the write.
        let _ = invalidations.commit().await;
    }
}

/// Warn once of a transaction that this crate doesn't know, whose COMMIT comes after the
/// invalidation.
fn warn_of_foreign_transaction<C: ?Sized>() {
    static WARNED: AtomicBool = AtomicBool::new(false);
    let is_transaction = type_name::<C>() == type_name::<DatabaseTransaction>();
    if is_transaction && !WARNED.swap(true, Ordering::Relaxed) {
        tracing::warn!(
            target: "cache",
            "[Cache] a hook ran in a transaction of SeaORM that doesn't collect invalidations, so \
             its entries are removed before COMMIT, and a reader may cache the old row again: begin \
             the transaction with `cache_sql::sea_orm::Db`"
        );
    }
}

thread_local! {
    /// The answer to the question of [`collector_of`], while it is asked.
    static ASKED: RefCell<Option<Option<Invalidations>>> = const { RefCell::new(None) };
}

/// Ask a connection for its collector.
///
/// A hook gets its connection as any type with `ConnectionTrait`, which has no method for this and
/// can't be downcast. But all connections answer which backend they have, at once and without I/O,
/// and those of this crate call [`answer`] there. A type of another crate that passes the question on
/// to one of ours is found as well.
fn collector_of<C: ConnectionTrait>(db: &C) -> Option<Invalidations> {
    ASKED.set(Some(None));
    let _ = db.get_database_backend();
    ASKED.take().flatten()
}

/// Answer the question of a hook, if one asks.
pub(super) fn answer(invalidations: &Invalidations) {
    ASKED.with_borrow_mut(|asked| {
        if let Some(answer) = asked {
            *answer = Some(invalidations.clone());
        }
    });
}
