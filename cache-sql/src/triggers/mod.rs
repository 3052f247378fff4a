//! Triggers that write the patterns of changed rows into the outbox.

mod mysql;
mod names;
mod pattern;
mod postgres;
mod quote;
mod sqlite;

use cache_runtime::CacheModel;

use crate::dialect::Dialect;
use names::Names;
#[cfg(feature = "sea-orm")]
pub(crate) use pattern::of_all_rows;

/// Return the statements that create the triggers of a model's table.
///
/// A trigger invalidates for a write that doesn't pass through this program: another service, a
/// migration, an administrator with a shell. It writes the patterns of each changed row into the
/// table `cache_outbox`, in the transaction of the write, and a relay invalidates them once that has
/// committed. A rollback takes them back. INSERT, DELETE and UPDATE are covered, UPDATE with the
/// values from before and after it, so that a changed key removes the entries of both; on Postgres
/// TRUNCATE too, with `*` for every value.
///
/// `prefix` is that of the cache, [`Cache::prefix`](cache_runtime::Cache::prefix). Caches of several
/// prefixes can each have triggers on one table.
///
/// ```
/// use cache_runtime::CacheModel;
/// use cache_sql::Dialect;
///
/// #[derive(CacheModel)]
/// #[cache(table = "posts", patterns = ["posts:<<slug>>:*", "posts:list:*"])]
/// struct Post {
///     slug: String,
/// }
///
/// // The path of a migration, or `sqlx::raw_sql` for each of them.
/// let migration = cache_sql::triggers::<Post>(Dialect::Postgres, "blog").join(";\n");
/// assert!(migration.contains("AFTER UPDATE ON \"posts\""));
/// ```
///
/// # Installing them
///
/// Create the outbox first, with [`schema`](crate::schema). Then execute the statements one by one,
/// in order, as text: `sqlx::raw_sql(&statement)`, since a prepared statement can't create a trigger
/// in MySQL. The first statement changes nothing. It fails if the table, one of its columns or the
/// outbox doesn't exist; a trigger would otherwise fail with the first write. The others can be
/// executed again, which replaces triggers of an older version. On Postgres and SQLite execute them
/// in one transaction. MySQL has no transactions for them: a write between `DROP TRIGGER` and
/// `CREATE TRIGGER` is missed, so stop writing meanwhile.
///
/// They need Postgres 14, SQLite 3.8.3, MySQL 8.0.29 or MariaDB 10.6, or a later version. A SQLite
/// database must have the encoding UTF-8, the default. The role that writes into the table needs the
/// right to insert into `cache_outbox` on Postgres; on MySQL the trigger has the rights of its
/// creator.
///
/// With a table in another schema, `table = "app.posts"`, the outbox is looked up in the
/// `search_path` that was set when the triggers were created (Postgres), or in that schema (SQLite,
/// MySQL).
///
/// [`drop_triggers`] removes them. Remove them before the outbox, and before a column that a pattern
/// names is removed or renamed: with a name that is unknown, each write into the table fails.
///
/// # What they don't see
///
/// * MySQL: TRUNCATE, and rows that change because of a foreign key's `ON DELETE CASCADE`.
/// * SQLite: the row that an `INSERT OR REPLACE` replaces, unless `PRAGMA recursive_triggers` is on.
/// * Postgres: writes with `session_replication_role = replica`, those that a subscription
///   applies, and those that name a partition of the table instead of the table.
///
/// # Cost
///
/// Postgres runs one statement for each statement that writes, and puts up to 500 distinct patterns
/// into a row of the outbox. SQLite and MySQL insert a row for each changed row.
pub fn triggers<M: CacheModel>(dialect: Dialect, prefix: &str) -> Vec<String> {
    let model = M::MODEL;
    let names = Names::new(&model, prefix);
    match dialect {
        Dialect::Postgres => postgres::create(&model, prefix, &names),
        Dialect::Sqlite => sqlite::create(&model, prefix, &names),
        Dialect::MySql => mysql::create(&model, prefix, &names),
    }
}

/// Return the statements that remove the triggers of [`triggers`]. Triggers that don't exist are
/// ignored.
///
/// ```
/// # use cache_runtime::CacheModel;
/// # use cache_sql::Dialect;
/// # #[derive(CacheModel)]
/// # #[cache(table = "posts", patterns = ["posts:<<slug>>:*"])]
/// # struct Post {
/// #     slug: String,
/// # }
/// for statement in cache_sql::drop_triggers::<Post>(Dialect::Sqlite, "blog") {
///     assert!(statement.starts_with("DROP TRIGGER IF EXISTS"));
/// }
/// ```
pub fn drop_triggers<M: CacheModel>(dialect: Dialect, prefix: &str) -> Vec<String> {
    let model = M::MODEL;
    let names = Names::new(&model, prefix);
    match dialect {
        Dialect::Postgres => postgres::drop(&model, &names),
        Dialect::Sqlite => sqlite::drop(&model, &names),
        Dialect::MySql => mysql::drop(&model, &names),
    }
}

/// A statement after which a trigger runs.
#[derive(Clone, Copy)]
enum Event {
    Insert,
    Update,
    Delete,
}

impl Event {
    const ALL: [Self; 3] = [Self::Insert, Self::Update, Self::Delete];

    /// The name in SQL.
    fn sql(self) -> &'static str {
        match self {
            Self::Insert => "INSERT",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
        }
    }

    /// The rows that a row trigger sees.
    fn rows(self) -> &'static [&'static str] {
        match self {
            Self::Insert => &["NEW"],
            Self::Update => &["OLD", "NEW"],
            Self::Delete => &["OLD"],
        }
    }
}
