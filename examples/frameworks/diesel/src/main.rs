//! Notes in SQLite through Diesel. Its queries block, so the cached functions aren't async.
//!
//! ```sh
//! cargo run -p with-diesel
//! ```

#[cfg(test)]
mod tests;

use cache_runtime::{cacheable, invalidate};
use diesel::prelude::*;
use diesel::result::Error;
use serde::{Deserialize, Serialize};

diesel::table! {
    notes (id) {
        id -> Integer,
        owner -> Text,
        text -> Text,
    }
}

/// A row of the table: the same type for Diesel and for the cache.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable, Serialize, Deserialize)]
#[diesel(table_name = notes)]
struct Note {
    id: i32,
    owner: String,
    text: String,
}

/// Find a note. A note that doesn't exist isn't cached, and neither is an error. The connection
/// isn't part of the key. `tx = none`: the connection is never in a transaction here, where a row
/// that isn't committed could be read.
#[cacheable(key = "notes:<<id>>", ttl = "10m", skip(connection), tx = none)]
fn note(connection: &mut SqliteConnection, id: i32) -> QueryResult<Option<Note>> {
    notes::table.find(id).first(connection).optional()
}

/// List the notes of a user that contain a text, which is hashed into the key.
#[cacheable(key = "notes:of:<<owner>>", ttl = "1m", skip(connection), tx = none)]
fn notes_of(connection: &mut SqliteConnection, owner: &str, text: &str) -> QueryResult<Vec<Note>> {
    notes::table
        .filter(
            notes::owner
                .eq(owner)
                .and(notes::text.like(format!("%{text}%"))),
        )
        .order(notes::id)
        .load(connection)
}

/// Change a note, and remove it and all lists of its owner from the cache. `tx = none`: the
/// statement has committed when the function returns.
#[invalidate(patterns = ["notes:<<id>>", "notes:of:<<result.owner>>"], tx = none)]
fn edit(connection: &mut SqliteConnection, id: i32, text: &str) -> QueryResult<Option<Note>> {
    diesel::update(notes::table.find(id))
        .set(notes::text.eq(text))
        .get_result(connection)
        .optional()
}

/// Give all notes of a user to another one, in one transaction. The attribute is on the function
/// that commits: the invalidation comes after the commit. After a rollback, which is an error,
/// there is none.
#[invalidate(patterns = ["notes:*"], tx = none)]
fn hand_over(connection: &mut SqliteConnection, from: &str, to: &str) -> QueryResult<usize> {
    connection.transaction(|connection| {
        let moved = diesel::update(notes::table.filter(notes::owner.eq(from)))
            .set(notes::owner.eq(to))
            .execute(connection)?;
        if moved == 0 {
            Err(Error::NotFound)
        } else {
            Ok(moved)
        }
    })
}

/// Open a database in memory, with three notes: two of ada and one of grace.
fn open() -> Result<SqliteConnection, Box<dyn std::error::Error>> {
    let mut connection = SqliteConnection::establish(":memory:")?;
    diesel::sql_query(
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, owner TEXT NOT NULL, text TEXT NOT NULL)",
    )
    .execute(&mut connection)?;
    let rows = [
        (1, "ada", "Weave algebra."),
        (2, "ada", "Buy punch cards."),
        (3, "grace", "Look for moths."),
    ];
    let rows = rows.map(|(id, owner, text)| Note {
        id,
        owner: owner.to_owned(),
        text: text.to_owned(),
    });
    diesel::insert_into(notes::table)
        .values(rows.as_slice())
        .execute(&mut connection)?;
    Ok(connection)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let cache = support::cache("with-diesel")?;
    cache.install()?;
    let connection = &mut open()?;
    for _ in 0..2 {
        println!("{:?}", note(connection, 1)?);
        println!("{:?}", notes_of(connection, "ada", "cards")?);
    }
    edit(connection, 2, "Order punch cards.")?;
    println!("{:?}", notes_of(connection, "ada", "cards")?);
    println!(
        "{} notes handed over",
        hand_over(connection, "ada", "grace")?
    );
    println!("{:?}", note(connection, 1)?);
    let stats = cache.stats();
    println!("{} hits, {} misses", stats.hits, stats.misses);
    Ok(())
}
