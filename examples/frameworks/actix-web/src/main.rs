//! Notes on actix-web.
//!
//! ```sh
//! cargo run -p with-actix-web
//! curl -i http://127.0.0.1:8080/notes/1
//! curl -i -H 'x-user: ada' 'http://127.0.0.1:8080/notes?text=cards'
//! curl -i -X PUT http://127.0.0.1:8080/notes/1 -d 'Weave flowers.'
//! ```
//!
//! A worker of actix-web is one thread, so what a request holds need not be `Send`. Neither need
//! the arguments, the body and the error of a cached function. The workers share the cache.

#[cfg(test)]
mod tests;

use std::future::{Ready, ready};
use std::net::TcpListener;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::dev::{Payload, Server};
use actix_web::error::ErrorServiceUnavailable;
use actix_web::{App, FromRequest, HttpRequest, HttpServer, Result, get, put, web};
use cache_runtime::{cacheable, invalidate};
use serde::{Deserialize, Serialize};
use support::{Database, Note};

/// The user of a request, and the database.
#[derive(Clone)]
struct Session {
    user: Rc<str>,
    database: web::Data<Database>,
}

/// The query string of the list. All of it is hashed into the key.
#[derive(Deserialize, Serialize)]
struct Filter {
    #[serde(default)]
    text: String,
}

/// Find a note, which is the same for every user. A note that doesn't exist isn't cached, and
/// neither is an error.
#[cacheable(key = "notes:<<id>>", ttl = "10m", skip(session))]
async fn note(session: Session, id: u64) -> Result<Option<Note>> {
    let note = session.database.note(id).await;
    note.map_err(ErrorServiceUnavailable)
}

/// List the notes of the user: the placeholder uses a part of the session, and each user has
/// entries of their own.
#[cacheable(key = "notes:of:<<session.user>>", ttl = "1m")]
async fn my_notes(session: &Session, filter: Filter) -> Result<Vec<Note>> {
    let notes = session.database.notes_of(&session.user, &filter.text);
    notes.await.map_err(ErrorServiceUnavailable)
}

/// Change a note, and remove it and all lists of its owner from the cache.
#[invalidate(patterns = ["notes:<<id>>", "notes:of:<<result.owner>>"])]
async fn edit(session: &Session, id: u64, text: String) -> Result<Option<Note>> {
    let note = session.database.edit(id, text).await;
    note.map_err(ErrorServiceUnavailable)
}

#[get("/notes/{id}")]
async fn get_note(session: Session, id: web::Path<u64>) -> Result<Option<web::Json<Note>>> {
    Ok(note(session, *id).await?.map(web::Json))
}

#[get("/notes")]
async fn get_notes(
    session: Session,
    web::Query(filter): web::Query<Filter>,
) -> Result<web::Json<Vec<Note>>> {
    my_notes(&session, filter).await.map(web::Json)
}

#[put("/notes/{id}")]
async fn put_note(
    session: Session,
    id: web::Path<u64>,
    text: String,
) -> Result<Option<web::Json<Note>>> {
    Ok(edit(&session, *id, text).await?.map(web::Json))
}

impl FromRequest for Session {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self>>;

    /// Trust the header `x-user`. (A real service would check a session here.)
    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let user = request.headers().get("x-user");
        let user = user.and_then(|user| user.to_str().ok()).unwrap_or("anon");
        let database = web::Data::from_request(request, payload).into_inner();
        ready(database.map(|database| Self {
            user: user.into(),
            database,
        }))
    }
}

/// Serve with two workers.
fn serve(listener: TcpListener, database: Arc<Database>) -> std::io::Result<Server> {
    let database = web::Data::from(database);
    let app = move || {
        App::new()
            .app_data(database.clone())
            .service((get_note, get_notes, put_note))
    };
    Ok(HttpServer::new(app).workers(2).listen(listener)?.run())
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    support::cache("with-actix-web")?.install()?;
    let listener = TcpListener::bind("127.0.0.1:8080")?;
    Ok(serve(listener, Arc::new(Database::open()))?.await?)
}
