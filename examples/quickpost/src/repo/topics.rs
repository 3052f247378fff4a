//! Topics of posts.

use cache_runtime::cacheable;

use crate::db::Db;
use crate::error::ApiError;
use crate::models::Topic;

/// List the topics, which `warm.rs` warms. For a free function, the attribute also generates
/// `topics_no_cache`, `topics_cache_key`, `topics_cache_path`, `topics_invalidate` and
/// `topics_refresh`.
///
/// The TTL is a named one: `CACHE_TIMEOUT_TOPICS=60` changes it without a rebuild.
#[cacheable(key = "topics", ttl = preset("topics"), skip(db))]
pub async fn topics(db: &Db) -> Result<Vec<Topic>, ApiError> {
    const SQL: &str = "SELECT topic, COUNT(*) FROM posts GROUP BY topic ORDER BY topic";
    db.read(|db| {
        let topics = db
            .prepare(SQL)?
            .query_map([], |row| {
                Ok(Topic {
                    name: row.get(0)?,
                    posts: row.get(1)?,
                })
            })?
            .collect::<Result<_, _>>()?;
        Ok(topics)
    })
    .await
}
