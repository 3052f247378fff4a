//! Notes in SQLite through SeaORM.
//!
//! ```sh
//! cargo run -p with-sea-orm
//! ```
//!
//! A cached read takes a `&DatabaseConnection`, not any `ConnectionTrait`: inside of a transaction
//! it would cache rows that may be rolled back. There, run the query itself.

#[cfg(test)]
mod tests;

use cache_runtime::{cacheable, invalidate};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue, Database, QueryOrder, Schema, TransactionTrait, entity::prelude::*};

/// The table, and its row: the same type for SeaORM and for the cache.
mod note {
    use sea_orm::entity::prelude::*;
    use serde::{Deserialize, Serialize};

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Serialize, Deserialize)]
    #[sea_orm(table_name = "notes")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        pub owner: String,
        pub text: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Find a note. A note that doesn't exist isn't cached, and neither is an error. The connection
/// isn't part of the key.
#[cacheable(key = "notes:<<id>>", ttl = "10m", skip(db))]
async fn note(db: &DatabaseConnection, id: i32) -> Result<Option<note::Model>, DbErr> {
    note::Entity::find_by_id(id).one(db).await
}

/// List the notes of a user that contain a text, which is hashed into the key.
#[cacheable(key = "notes:of:<<owner>>", ttl = "1m", skip(db))]
async fn notes_of(
    db: &DatabaseConnection,
    owner: &str,
    text: &str,
) -> Result<Vec<note::Model>, DbErr> {
    note::Entity::find()
        .filter(note::Column::Owner.eq(owner))
        .filter(note::Column::Text.contains(text))
        .order_by_asc(note::Column::Id)
        .all(db)
        .await
}

/// Change a note, and remove it and all lists of its owner from the cache.
#[invalidate(patterns = ["notes:<<id>>", "notes:of:<<result.owner>>"])]
async fn edit(db: &DatabaseConnection, id: i32, text: String) -> Result<note::Model, DbErr> {
    let change = note::ActiveModel {
        id: ActiveValue::Unchanged(id),
        text: ActiveValue::Set(text),
        ..Default::default()
    };
    change.update(db).await
}

/// Give all notes of a user to another one, in one transaction. The attribute is on the function
/// that commits: the invalidation comes after the commit. After a rollback, which is an error,
/// there is none.
#[invalidate(patterns = ["notes:*"])]
async fn hand_over(db: &DatabaseConnection, from: &str, to: &str) -> Result<u64, DbErr> {
    let transaction = db.begin().await?;
    let moved = note::Entity::update_many()
        .col_expr(note::Column::Owner, Expr::value(to))
        .filter(note::Column::Owner.eq(from))
        .exec(&transaction)
        .await?;
    if moved.rows_affected == 0 {
        // Dropping the transaction rolls it back.
        return Err(DbErr::RecordNotFound(from.to_owned()));
    }
    transaction.commit().await?;
    Ok(moved.rows_affected)
}

/// Open a database in memory, with three notes: two of ada and one of grace.
async fn open() -> Result<DatabaseConnection, DbErr> {
    let db = Database::connect("sqlite::memory:").await?;
    let schema = Schema::new(db.get_database_backend());
    db.execute(&schema.create_table_from_entity(note::Entity))
        .await?;
    let rows = [
        (1, "ada", "Weave algebra."),
        (2, "ada", "Buy punch cards."),
        (3, "grace", "Look for moths."),
    ];
    let rows = rows.map(|(id, owner, text)| note::ActiveModel {
        id: ActiveValue::Set(id),
        owner: ActiveValue::Set(owner.to_owned()),
        text: ActiveValue::Set(text.to_owned()),
    });
    note::Entity::insert_many(rows).exec(&db).await?;
    Ok(db)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let cache = support::cache("with-sea-orm")?;
    cache.install()?;
    let db = open().await?;
    for _ in 0..2 {
        println!("{:?}", note(&db, 1).await?);
        println!("{:?}", notes_of(&db, "ada", "cards").await?);
    }
    edit(&db, 2, "Order punch cards.".to_owned()).await?;
    println!("{:?}", notes_of(&db, "ada", "cards").await?);
    println!(
        "{} notes handed over",
        hand_over(&db, "ada", "grace").await?
    );
    println!("{:?}", note(&db, 1).await?);
    let stats = cache.stats();
    println!("{} hits, {} misses", stats.hits, stats.misses);
    Ok(())
}
