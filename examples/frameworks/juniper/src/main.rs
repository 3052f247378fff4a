//! Notes in GraphQL, with juniper: cached resolvers, and a mutation that invalidates.
//!
//! ```sh
//! cargo run -p with-juniper
//! ```

#[cfg(test)]
mod tests;

use std::sync::Arc;

use cache_runtime::{cacheable, invalidate};
use juniper::{EmptySubscription, FieldResult, GraphQLObject, RootNode, Variables, graphql_object};
use serde::{Deserialize, Serialize};
use support::{Database, Note};

/// State that the resolvers of a request share.
struct Context {
    user: &'static str,
    database: Arc<Database>,
}

impl juniper::Context for Context {}

struct Query;

// The attributes of juniper and of the cache go together in one `impl`: resolvers are ordinary
// functions. Companions, such as `Query::note_cache_key`, aren't fields of the schema.
#[graphql_object(context = Context)]
impl Query {
    /// A note, which is the same for every user. A note that doesn't exist isn't cached, and
    /// neither is an error. The context isn't part of the key.
    #[cacheable(key = "notes:<<id>>", ttl = "10m", skip(context))]
    async fn note(context: &Context, id: i32) -> FieldResult<Option<NoteNode>> {
        let note = context.database.note(id.try_into()?).await?;
        note.map(NoteNode::try_from).transpose()
    }

    /// The notes of the user that contain a text. The context decides whose notes these are, so it
    /// isn't skipped: the placeholder takes the user from it.
    #[cacheable(key = "notes:of:<<context.user>>", ttl = "1m")]
    async fn notes(context: &Context, text: String) -> FieldResult<Vec<NoteNode>> {
        let notes = context.database.notes_of(context.user, &text).await?;
        notes.into_iter().map(NoteNode::try_from).collect()
    }
}

struct Mutation;

#[graphql_object(context = Context)]
impl Mutation {
    /// Changes a note, and removes it and all lists of its owner from the cache.
    #[invalidate(patterns = ["notes:<<id>>", "notes:of:<<result.owner>>"])]
    async fn edit(context: &Context, id: i32, text: String) -> FieldResult<Option<NoteNode>> {
        let note = context.database.edit(id.try_into()?, text).await?;
        note.map(NoteNode::try_from).transpose()
    }
}

/// A note; the GraphQL type has integers of 32 bits only.
#[derive(Clone, Debug, GraphQLObject, Serialize, Deserialize)]
#[graphql(name = "Note")]
struct NoteNode {
    id: i32,
    text: String,
    owner: String,
}

impl TryFrom<Note> for NoteNode {
    type Error = juniper::FieldError;

    fn try_from(note: Note) -> FieldResult<Self> {
        let Note { id, owner, text } = note;
        let id = id.try_into()?;
        Ok(Self { id, text, owner })
    }
}

type Schema = RootNode<Query, Mutation, EmptySubscription<Context>>;

fn schema() -> Schema {
    Schema::new(Query, Mutation, EmptySubscription::new())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let cache = support::cache("with-juniper")?;
    cache.install()?;
    let (schema, database) = (schema(), Arc::new(Database::open()));
    let context = Context {
        user: "ada",
        database,
    };
    for _ in 0..2 {
        let request = "{ notes(text: \"\") { id text } }";
        let (data, _) =
            juniper::execute(request, None, &schema, &Variables::new(), &context).await?;
        println!("{data}");
    }
    let stats = cache.stats();
    println!("{} hits, {} misses", stats.hits, stats.misses);
    Ok(())
}
