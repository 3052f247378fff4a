//! Notes on poem.
//!
//! ```sh
//! cargo run -p with-poem
//! curl -i http://127.0.0.1:8080/notes/1
//! curl -i -H 'x-user: ada' 'http://127.0.0.1:8080/notes?text=cards'
//! curl -i -X PUT http://127.0.0.1:8080/notes/1 -d 'Weave flowers.'
//! ```
//!
//! A middleware makes the application's cache the current one of each request, so two applications
//! in one process, such as those of two tests, have nothing in common.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use cache_runtime::{Cache, cacheable, invalidate};
use poem::error::{NotFoundError, ServiceUnavailable};
use poem::listener::TcpListener;
use poem::web::{Data, Json, Path, Query};
use poem::{Endpoint, EndpointExt, FromRequest, Request, RequestBody, Route, Server};
use serde::{Deserialize, Serialize};
use support::{Database, Down, Note};

/// The name in the header `x-user`. (A real service would check a session here.)
struct User(String);

/// The query string of the list. All of it is hashed into the key.
#[derive(Deserialize, Serialize)]
struct Filter {
    #[serde(default)]
    text: String,
}

/// Find a note, which is the same for every user. A note that doesn't exist isn't cached, and
/// neither is an error.
#[cacheable(key = "notes:<<id>>", ttl = "10m", skip(database))]
async fn note(database: &Database, id: u64) -> Result<Option<Note>, Down> {
    database.note(id).await
}

/// List the notes of a user. An extractor can be an argument: what its pattern binds is in the key.
#[cacheable(key = "notes:of:<<user>>", ttl = "1m", skip(database))]
async fn notes_of(
    Data(database): Data<&Arc<Database>>,
    User(user): User,
    Query(filter): Query<Filter>,
) -> Result<Vec<Note>, Down> {
    database.notes_of(&user, &filter.text).await
}

/// Change a note, and remove it and all lists of its owner from the cache.
#[invalidate(patterns = ["notes:<<id>>", "notes:of:<<result.owner>>"])]
async fn edit(database: &Database, id: u64, text: String) -> Result<Option<Note>, Down> {
    database.edit(id, text).await
}

#[poem::handler]
async fn get_note(
    Data(database): Data<&Arc<Database>>,
    Path(id): Path<u64>,
) -> poem::Result<Json<Note>> {
    let note = note(database, id).await.map_err(ServiceUnavailable)?;
    Ok(Json(note.ok_or(NotFoundError)?))
}

#[poem::handler]
async fn get_notes(
    database: Data<&Arc<Database>>,
    user: User,
    filter: Query<Filter>,
) -> poem::Result<Json<Vec<Note>>> {
    let notes = notes_of(database, user, filter).await;
    notes.map(Json).map_err(ServiceUnavailable)
}

#[poem::handler]
async fn put_note(
    Data(database): Data<&Arc<Database>>,
    Path(id): Path<u64>,
    text: String,
) -> poem::Result<Json<Note>> {
    let note = edit(database, id, text).await.map_err(ServiceUnavailable)?;
    Ok(Json(note.ok_or(NotFoundError)?))
}

impl<'a> FromRequest<'a> for User {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        Ok(Self(request.header("x-user").unwrap_or("anon").to_owned()))
    }
}

/// Build the application. All that its requests do uses `cache`.
fn application(database: Arc<Database>, cache: Cache) -> impl Endpoint {
    Route::new()
        .at("/notes", poem::get(get_notes))
        .at("/notes/:id", poem::get(get_note).put(put_note))
        .data(database)
        .around(move |next, request| {
            let cache = cache.clone();
            async move { cache.scope(next.call(request)).await }
        })
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let cache = support::cache("with-poem")?;
    let application = application(Arc::new(Database::open()), cache);
    let listener = TcpListener::bind("127.0.0.1:8080");
    Ok(Server::new(listener).run(application).await?)
}
