//! Profiles of users.

use cache_runtime::{cacheable, invalidate};
use cache_sql::rusqlite::Transaction;
use rusqlite::{Connection, OptionalExtension};

use super::Repo;
use crate::error::ApiError;
use crate::models::{Profile, ProfileChange};

impl Repo {
    /// Find a user. A missing user (`None`) is not cached, so a user who signs up is found at once.
    #[cacheable(key = "profiles:<<id>>", ttl = 600, skip(self))]
    pub async fn profile(&self, id: i64) -> Result<Option<Profile>, ApiError> {
        self.db.read(move |db| Ok(find_profile(db, id)?)).await
    }

    pub async fn update_profile(
        &self,
        id: i64,
        change: ProfileChange,
    ) -> Result<Option<Profile>, ApiError> {
        self.db.write(move |tx| update(tx, id, &change)).await
    }
}

/// Change a profile. Attributes can be stacked: posts, comments and likes show the name, so a change
/// of the name, which is rare, removes them all. A change of the bio doesn't.
#[invalidate(patterns = ["profiles:<<id>>"], tx = tx)]
#[invalidate(
    patterns = ["posts:*", "comments:*", "likes:*"],
    condition = change.full_name.is_some(),
    tx = tx,
)]
fn update(
    tx: &Transaction<'_>,
    id: i64,
    change: &ProfileChange,
) -> Result<Option<Profile>, ApiError> {
    const SQL: &str = "UPDATE users SET full_name = coalesce(?2, full_name),
        bio = coalesce(?3, bio) WHERE id = ?1";
    tx.execute(SQL, (id, &change.full_name, &change.bio))?;
    Ok(find_profile(tx, id)?)
}

fn find_profile(db: &Connection, id: i64) -> rusqlite::Result<Option<Profile>> {
    const SQL: &str = "SELECT id, full_name, email, avatar_url, bio FROM users WHERE id = ?1";
    db.query_row(SQL, [id], |row| {
        Ok(Profile {
            id: row.get(0)?,
            full_name: row.get(1)?,
            email: row.get(2)?,
            avatar_url: row.get(3)?,
            bio: row.get(4)?,
        })
    })
    .optional()
}
