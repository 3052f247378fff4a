//! Posts. Their reads are cached one level up, in `routes.rs`, to show attributes on handlers.

use cache_runtime::invalidate;
use cache_sql::rusqlite::Transaction;
use rusqlite::{Connection, Row, named_params};

use super::{Repo, first};
use crate::error::ApiError;
use crate::models::{NewPost, Post, PostChange, PostFilters, PostSummary};

impl Repo {
    /// List posts, newest first.
    pub async fn posts(&self, filters: PostFilters) -> Result<Vec<PostSummary>, ApiError> {
        const SQL: &str = "SELECT slug, title, author, comments, likes FROM post_view
            WHERE (:author IS NULL OR author_id = :author)
              AND (:topic IS NULL OR topic = :topic)
              AND (:search IS NULL OR instr(lower(title || ' ' || body), lower(:search)) > 0)
            ORDER BY id DESC LIMIT :limit";
        self.db
            .read(move |db| {
                let params = named_params! {
                    ":author": filters.author,
                    ":topic": filters.topic,
                    ":search": filters.search,
                    ":limit": filters.limit.unwrap_or(20),
                };
                let posts = db
                    .prepare(SQL)?
                    .query_map(params, summary)?
                    .collect::<Result<_, _>>()?;
                Ok(posts)
            })
            .await
    }

    pub async fn post(&self, slug: &str) -> Result<Post, ApiError> {
        let slug = slug.to_owned();
        self.db.read(move |db| Ok(find_post(db, &slug)?)).await
    }

    pub async fn create_post(&self, author: i64, new: NewPost) -> Result<Post, ApiError> {
        self.db.write(move |tx| create(tx, author, &new)).await
    }

    pub async fn update_post(
        &self,
        slug: &str,
        editor: i64,
        change: PostChange,
    ) -> Result<Post, ApiError> {
        let slug = slug.to_owned();
        self.db
            .write(move |tx| update(tx, &slug, editor, &change))
            .await
    }
}

/// Create a post. No cached post changes: "there is no such post" is an error, and errors are not
/// cached.
#[invalidate(patterns = ["posts:list:*", "topics"], tx = tx)]
fn create(tx: &Transaction<'_>, author: i64, new: &NewPost) -> Result<Post, ApiError> {
    const SQL: &str = "INSERT INTO posts (slug, title, body, topic, author_id)
        VALUES (?1, ?2, ?3, ?4, ?5)";
    tx.execute(SQL, (&new.slug, &new.title, &new.body, &new.topic, author))?;
    Ok(find_post(tx, &new.slug)?)
}

/// Change a post. `posts:my-post:*` matches `posts:my-post` and everything below it, and never
/// `posts:my-post-2`.
#[invalidate(patterns = ["posts:<<slug>>:*", "posts:list:*", "topics"], tx = tx, debug = true)]
fn update(
    tx: &Transaction<'_>,
    slug: &str,
    editor: i64,
    change: &PostChange,
) -> Result<Post, ApiError> {
    const AUTHOR: &str = "SELECT author_id FROM posts WHERE slug = ?1";
    const UPDATE: &str = "UPDATE posts SET title = coalesce(?2, title),
        body = coalesce(?3, body), topic = coalesce(?4, topic) WHERE slug = ?1";
    if tx.query_row(AUTHOR, [slug], first)? != editor {
        return Err(ApiError::Forbidden);
    }
    tx.execute(UPDATE, (slug, &change.title, &change.body, &change.topic))?;
    Ok(find_post(tx, slug)?)
}

fn find_post(db: &Connection, slug: &str) -> rusqlite::Result<Post> {
    const SQL: &str = "SELECT slug, title, body, topic, author, comments, likes, dislikes
        FROM post_view WHERE slug = ?1";
    db.query_row(SQL, [slug], |row| {
        Ok(Post {
            slug: row.get(0)?,
            title: row.get(1)?,
            body: row.get(2)?,
            topic: row.get(3)?,
            author: row.get(4)?,
            comments: row.get(5)?,
            likes: row.get(6)?,
            dislikes: row.get(7)?,
        })
    })
}

fn summary(row: &Row<'_>) -> rusqlite::Result<PostSummary> {
    Ok(PostSummary {
        slug: row.get(0)?,
        title: row.get(1)?,
        author: row.get(2)?,
        comments: row.get(3)?,
        likes: row.get(4)?,
    })
}
