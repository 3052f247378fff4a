//! Notes on rocket.
//!
//! ```sh
//! cargo run -p with-rocket
//! curl -i http://127.0.0.1:8000/notes/1
//! curl -i -H 'x-user: ada' 'http://127.0.0.1:8000/notes?text=cards'
//! curl -i -X PUT http://127.0.0.1:8000/notes/1 -d 'Weave flowers.'
//! ```
//!
//! The cache is part of the managed state, next to the database, and the attributes name it. There
//! is no global cache.

#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::sync::Arc;

use cache_runtime::{Cache, cacheable, invalidate};
use rocket::http::Status;
use rocket::request::{FromRequest, Outcome, Request};
use rocket::serde::json::Json;
use rocket::{Build, Rocket, State, get, put, routes};
use support::{Database, Down, Note};

/// State of the application.
struct Notes {
    database: Arc<Database>,
    cache: Cache,
}

impl Notes {
    /// Find a note, which is the same for every user. A note that doesn't exist isn't cached, and
    /// neither is an error.
    #[cacheable(key = "notes:<<id>>", ttl = "10m", cache = self.cache, skip(self))]
    async fn find(&self, id: u64) -> Result<Option<Note>, Down> {
        self.database.note(id).await
    }

    /// List the notes of a user that contain a text, which is hashed into the key.
    #[cacheable(key = "notes:of:<<owner>>", ttl = "1m", cache = self.cache, skip(self))]
    async fn list(&self, owner: &str, text: &str) -> Result<Vec<Note>, Down> {
        self.database.notes_of(owner, text).await
    }

    /// Change a note, and remove it and all lists of its owner from the cache.
    #[invalidate(patterns = ["notes:<<id>>", "notes:of:<<result.owner>>"], cache = self.cache)]
    async fn edit(&self, id: u64, text: String) -> Result<Option<Note>, Down> {
        self.database.edit(id, text).await
    }
}

/// Rocket answers `None` with 404.
type Answer<T> = Result<Option<Json<T>>, Status>;

#[get("/notes/<id>")]
async fn get_note(notes: &State<Notes>, id: u64) -> Answer<Note> {
    answer(notes.find(id).await)
}

#[get("/notes?<text>")]
async fn get_notes(notes: &State<Notes>, user: User<'_>, text: Option<&str>) -> Answer<Vec<Note>> {
    answer(notes.list(user.0, text.unwrap_or("")).await.map(Some))
}

#[put("/notes/<id>", data = "<text>")]
async fn put_note(notes: &State<Notes>, id: u64, text: String) -> Answer<Note> {
    answer(notes.edit(id, text).await)
}

fn answer<T>(found: Result<Option<T>, Down>) -> Answer<T> {
    let found = found.map_err(|Down| Status::ServiceUnavailable);
    Ok(found?.map(Json))
}

/// The name in the header `x-user`. (A real service would check a session here.)
struct User<'r>(&'r str);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for User<'r> {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Infallible> {
        let user = request.headers().get_one("x-user");
        Outcome::Success(Self(user.unwrap_or("anon")))
    }
}

fn application(notes: Notes) -> Rocket<Build> {
    rocket::build()
        .manage(notes)
        .mount("/", routes![get_note, get_notes, put_note])
}

#[rocket::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let notes = Notes {
        database: Arc::new(Database::open()),
        cache: support::cache("with-rocket")?,
    };
    application(notes).launch().await?;
    Ok(())
}
