//! Notes in GraphQL, with async-graphql: cached resolvers, a cached data loader, and a mutation
//! that invalidates.
//!
//! ```sh
//! cargo run -p with-async-graphql
//! ```

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_graphql::dataloader::{DataLoader, Loader};
use async_graphql::{
    ComplexObject, Context, EmptySubscription, Object, Result, Schema, SimpleObject,
};
use cache_runtime::{Cache, cacheable, invalidate};
use serde::{Deserialize, Serialize};
use support::{Database, Note};

/// The user who sends a request; part of the request's data.
#[derive(Clone, Copy)]
struct User(&'static str);

fn user<'a>(context: &Context<'a>) -> &'a str {
    context.data_opt::<User>().map_or("anon", |user| user.0)
}

struct Query;

// The attributes of async-graphql and of the cache go together in one `impl`: resolvers are
// ordinary methods.
#[Object]
impl Query {
    /// A note, which is the same for every user. A note that doesn't exist isn't cached, and
    /// neither is an error. The context isn't part of the key.
    #[cacheable(key = "notes:<<id>>", ttl = "10m", skip(context))]
    async fn note(&self, context: &Context<'_>, id: u64) -> Result<Option<NoteNode>> {
        let note = context.data::<Arc<Database>>()?.note(id).await?;
        Ok(note.map(NoteNode::from))
    }

    /// The notes of the user that contain a text. The context decides whose notes these are, so it
    /// isn't skipped: the placeholder takes the user from it.
    #[cacheable(key = "notes:of:<<user(context)>>", ttl = "1m")]
    async fn notes(&self, context: &Context<'_>, text: String) -> Result<Vec<NoteNode>> {
        let database = context.data::<Arc<Database>>()?;
        let notes = database.notes_of(user(context), &text).await?;
        Ok(notes.into_iter().map(NoteNode::from).collect())
    }
}

struct Mutation;

#[Object]
impl Mutation {
    /// Changes a note, and removes it and all lists of its owner from the cache.
    #[invalidate(patterns = ["notes:<<id>>", "notes:of:<<result.owner>>"])]
    async fn edit(&self, context: &Context<'_>, id: u64, text: String) -> Result<Option<NoteNode>> {
        let note = context.data::<Arc<Database>>()?.edit(id, text).await?;
        Ok(note.map(NoteNode::from))
    }
}

/// A note. What its own resolvers return is not part of the cached value.
#[derive(Clone, Debug, SimpleObject, Serialize, Deserialize)]
#[graphql(complex, name = "Note")]
struct NoteNode {
    id: u64,
    text: String,
    #[graphql(skip)]
    owner: String,
}

#[ComplexObject]
impl NoteNode {
    async fn author(&self, context: &Context<'_>) -> Result<Option<String>> {
        Ok(full_name(context.data()?, &self.owner).await?)
    }
}

impl From<Note> for NoteNode {
    fn from(note: Note) -> Self {
        let Note { id, owner, text } = note;
        Self { id, text, owner }
    }
}

/// Find a user's full name. A hit needs no query, and all misses of one request become one query,
/// since the loader collects them.
#[cacheable(key = "names:<<user>>", ttl = "1h", skip(loader))]
async fn full_name(loader: &DataLoader<Names>, user: &str) -> Result<Option<String>, Infallible> {
    loader.load_one(user.to_owned()).await
}

/// Loads full names, and counts its queries.
struct Names {
    rows: BTreeMap<&'static str, &'static str>,
    queries: Arc<AtomicU64>,
}

impl Loader<String> for Names {
    type Value = String;
    type Error = Infallible;

    async fn load(&self, users: &[String]) -> Result<HashMap<String, String>, Infallible> {
        self.queries.fetch_add(1, Ordering::SeqCst);
        let name = |user: &String| Some((user.clone(), (*self.rows.get(&**user)?).to_owned()));
        Ok(users.iter().filter_map(name).collect())
    }
}

type Notes = Schema<Query, Mutation, EmptySubscription>;

fn schema(database: Arc<Database>, names: DataLoader<Names>) -> Notes {
    Schema::build(Query, Mutation, EmptySubscription)
        .data(database)
        .data(names)
        .finish()
}

fn loader(queries: Arc<AtomicU64>) -> DataLoader<Names> {
    let rows = [("ada", "Ada Byron"), ("grace", "Grace Hopper")].into();
    let names = Names { rows, queries };
    // The loader spawns a task for each batch, which doesn't inherit the scope of a cache.
    DataLoader::new(names, |batch| tokio::spawn(Cache::current().scope(batch)))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let cache = support::cache("with-async-graphql")?;
    cache.install()?;
    let schema = schema(Arc::new(Database::open()), loader(Arc::default()));
    for _ in 0..2 {
        let request = async_graphql::Request::new("{ notes(text: \"\") { id text author } }");
        let response = schema.execute(request.data(User("ada"))).await;
        println!("{}", response.data);
    }
    let stats = cache.stats();
    println!("{} hits, {} misses", stats.hits, stats.misses);
    Ok(())
}
