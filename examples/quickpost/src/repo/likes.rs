//! Likes and dislikes of a post.

use cache_runtime::{cacheable, invalidate, ttl};
use cache_sql::rusqlite::Transaction;
use rusqlite::OptionalExtension;

use super::{Repo, post_id};
use crate::error::ApiError;
use crate::models::{Like, Liked};

impl Repo {
    #[cacheable(key = "likes:post:<<slug>>:<<dislike>>", ttl = ttl::SHORT, skip(self))]
    pub async fn likes(&self, slug: &str, dislike: bool) -> Result<Vec<Like>, ApiError> {
        const SQL: &str = "SELECT u.id, u.full_name FROM likes l JOIN users u ON u.id = l.user_id
            WHERE l.post_id = ?1 AND l.dislike = ?2 ORDER BY u.id";
        let slug = slug.to_owned();
        self.db
            .read(move |db| {
                let likes = db
                    .prepare(SQL)?
                    .query_map((post_id(db, &slug)?, dislike), |row| {
                        Ok(Like {
                            user_id: row.get(0)?,
                            author: row.get(1)?,
                        })
                    })?
                    .collect::<Result<_, _>>()?;
                Ok(likes)
            })
            .await
    }

    pub async fn toggle_like(
        &self,
        slug: &str,
        user: i64,
        dislike: bool,
    ) -> Result<Liked, ApiError> {
        let slug = slug.to_owned();
        self.db
            .write(move |tx| toggle(tx, &slug, user, dislike))
            .await
    }
}

/// Toggle a like: the first call likes (or dislikes) the post, and the second call undoes that. A
/// like replaces a dislike, so both lists are invalidated: `likes:post:<<slug>>:*`.
#[invalidate(
    patterns = ["likes:post:<<slug>>:*", "posts:<<slug>>:*", "posts:list:*"],
    tx = tx,
)]
fn toggle(tx: &Transaction<'_>, slug: &str, user: i64, dislike: bool) -> Result<Liked, ApiError> {
    const FIND: &str = "SELECT dislike FROM likes WHERE post_id = ?1 AND user_id = ?2";
    const ADD: &str = "INSERT OR REPLACE INTO likes VALUES (?1, ?2, ?3)";
    const REMOVE: &str = "DELETE FROM likes WHERE post_id = ?1 AND user_id = ?2";
    let post = post_id(tx, slug)?;
    let before: Option<bool> = tx
        .query_row(FIND, (post, user), |row| row.get(0))
        .optional()?;
    let liked = before != Some(dislike);
    if liked {
        tx.execute(ADD, (post, user, dislike))?;
    } else {
        tx.execute(REMOVE, (post, user))?;
    }
    Ok(Liked { liked })
}
