//! Comments of a post.

use cache_runtime::{cacheable, invalidate};
use cache_sql::rusqlite::Transaction;
use rusqlite::{Connection, Row};

use super::{Repo, post_id};
use crate::error::ApiError;
use crate::models::{Comment, NewComment, Sort};
use crate::viewer::Viewer;

const COMMENT: &str = "SELECT c.id, p.slug, u.full_name, c.text, u.id FROM comments c
    JOIN posts p ON p.id = c.post_id JOIN users u ON u.id = c.author_id";

impl Repo {
    /// List the comments of a post, as the user of the request sees them. `slug` and the user are in
    /// the path; `sort` is not, so it is hashed into the key.
    #[cacheable(
        key = "comments:post:<<slug>>:<<user_id>>",
        ttl = "2m",
        context(user_id),
        skip(self)
    )]
    pub async fn comments(&self, slug: &str, sort: Sort) -> Result<Vec<Comment>, ApiError> {
        let viewer = Viewer::current();
        let slug = slug.to_owned();
        self.db
            .read(move |db| {
                let order = match sort {
                    Sort::Asc => "ASC",
                    Sort::Desc => "DESC",
                };
                let sql = format!("{COMMENT} WHERE p.id = ?1 ORDER BY c.id {order}");
                let comments = db
                    .prepare(&sql)?
                    .query_map([post_id(db, &slug)?], |row| comment(row, viewer))?
                    .collect::<Result<_, _>>()?;
                Ok(comments)
            })
            .await
    }

    pub async fn create_comment(
        &self,
        slug: &str,
        viewer: Viewer,
        new: NewComment,
    ) -> Result<Comment, ApiError> {
        let slug = slug.to_owned();
        self.db
            .write(move |tx| create(tx, &slug, viewer, &new))
            .await
    }

    pub async fn delete_comment(&self, id: i64, viewer: Viewer) -> Result<Comment, ApiError> {
        self.db.write(move |tx| delete(tx, id, viewer)).await
    }
}

/// Add a comment. The post and the lists show the number of comments, so they are invalidated too.
#[invalidate(
    patterns = ["comments:post:<<slug>>:*", "posts:<<slug>>:*", "posts:list:*"],
    tx = tx,
)]
fn create(
    tx: &Transaction<'_>,
    slug: &str,
    viewer: Viewer,
    new: &NewComment,
) -> Result<Comment, ApiError> {
    const SQL: &str = "INSERT INTO comments (post_id, author_id, text) VALUES (?1, ?2, ?3)";
    tx.execute(SQL, (post_id(tx, slug)?, viewer.user_id()?, &new.text))?;
    Ok(find_comment(tx, tx.last_insert_rowid(), viewer)?)
}

/// Delete a comment. The caller doesn't know its post, so the patterns take the post from `result`.
#[invalidate(
    patterns = [
        "comments:post:<<result.post>>:*",
        "posts:<<result.post>>:*",
        "posts:list:*",
    ],
    tx = tx,
)]
fn delete(tx: &Transaction<'_>, id: i64, viewer: Viewer) -> Result<Comment, ApiError> {
    let comment = find_comment(tx, id, viewer)?;
    if !comment.mine {
        return Err(ApiError::Forbidden);
    }
    tx.execute("DELETE FROM comments WHERE id = ?1", [id])?;
    Ok(comment)
}

fn find_comment(db: &Connection, id: i64, viewer: Viewer) -> rusqlite::Result<Comment> {
    db.query_row(&format!("{COMMENT} WHERE c.id = ?1"), [id], |row| {
        comment(row, viewer)
    })
}

fn comment(row: &Row<'_>, viewer: Viewer) -> rusqlite::Result<Comment> {
    Ok(Comment {
        id: row.get(0)?,
        post: row.get(1)?,
        author: row.get(2)?,
        text: row.get(3)?,
        mine: viewer.is(row.get(4)?),
    })
}
