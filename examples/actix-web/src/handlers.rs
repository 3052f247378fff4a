//! The handlers. A handler is an ordinary function, and its extractors are its arguments: each is in
//! the key or skipped. The attribute of the cache comes after that of the route.
//!
//! | path | content | removed by |
//! |---|---|---|
//! | `notes:<<id>>` | a note | its changes |
//! | `notes:of:<<session.user>>` | notes of a user, one variant for each filter | changes of one of them |

use actix_web::web::{Data, Json, Path, Query, ServiceConfig};
use actix_web::{Result, get, put};
use cache_runtime::{cacheable, invalidate};
use serde::{Deserialize, Serialize};

use crate::database::{Database, Note};
use crate::session::Session;

/// The query string of the list. All of it is hashed into the key, so it derives `Serialize`.
#[derive(Debug, Deserialize, Serialize)]
struct Filter {
    #[serde(default)]
    text: String,
}

/// Return the routes of an application on this database.
pub fn routes(database: Data<Database>) -> impl FnOnce(&mut ServiceConfig) {
    |app| {
        app.app_data(database);
        app.service((get_note, get_notes, put_note));
    }
}

/// Find a note, which is the same for every user. One that doesn't exist isn't cached, and neither
/// is an error.
#[get("/notes/{id}")]
#[cacheable(key = "notes:<<id>>", ttl = "10m", skip(database))]
async fn get_note(database: Data<Database>, id: Path<u64>) -> Result<Option<Json<Note>>> {
    Ok(database.note(*id).await?.map(Json))
}

/// List the notes of the user. The placeholder uses a part of the session, so each user has entries
/// of their own.
#[get("/notes")]
#[cacheable(key = "notes:of:<<session.user>>", ttl = "1m", skip(database))]
async fn get_notes(
    database: Data<Database>,
    session: Session,
    Query(filter): Query<Filter>,
) -> Result<Json<Vec<Note>>> {
    let notes = database.notes_of(&session.user, &filter.text).await?;
    Ok(Json(notes))
}

/// Change a note, and remove it and all lists of its owner from the cache.
#[put("/notes/{id}")]
#[invalidate(patterns = ["notes:<<id>>", "notes:of:<<result.owner>>"])]
async fn put_note(
    database: Data<Database>,
    id: Path<u64>,
    text: String,
) -> Result<Option<Json<Note>>> {
    Ok(database.edit(*id, text).await?.map(Json))
}
