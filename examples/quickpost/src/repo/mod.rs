//! The queries, one file for each resource. Writes have `#[invalidate]` here, next to the SQL that
//! changes the rows, so that no caller can forget it. They run in a transaction, `tx = tx`: its
//! commit invalidates.
//!
//! | path | content | invalidated by changes of |
//! |---|---|---|
//! | `posts:list` | page with a list of posts, one variant for each query | posts, comments, likes, names |
//! | `posts:<<slug>>` | a post with its counts | the post, its comments and likes, names |
//! | `comments:post:<<slug>>:<<user_id>>` | comments of a post, as a user sees them | comments, names |
//! | `likes:post:<<slug>>:<<dislike>>` | likes or dislikes of a post | likes, names |
//! | `profiles:<<id>>` | a user | the profile |
//! | `topics` | topics with their number of posts | posts |

mod comments;
mod likes;
mod posts;
mod profiles;
mod topics;

use rusqlite::{Connection, Row};

pub use topics::topics;
#[cfg(test)]
pub use topics::topics_cache_key;

use crate::db::Db;

/// The database operations that handlers need.
#[derive(Clone)]
pub struct Repo {
    pub db: Db,
}

fn post_id(db: &Connection, slug: &str) -> rusqlite::Result<i64> {
    db.query_row("SELECT id FROM posts WHERE slug = ?1", [slug], first)
}

fn first(row: &Row<'_>) -> rusqlite::Result<i64> {
    row.get(0)
}
