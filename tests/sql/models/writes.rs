//! Every kind of write.

use crate::database::{Database, on_each_database};
use crate::model::{Post, patterns};

on_each_database!(
    an_insert_writes_the_new_row,
    an_update_writes_the_row_before_and_after_it,
    two_updates_of_a_row_are_two_rows,
    a_delete_writes_the_old_row,
    null_is_written_like_none,
    a_rollback_takes_its_patterns_back,
    a_write_of_no_row_writes_nothing,
    installing_again_replaces_the_triggers,
    dropped_triggers_write_nothing,
    an_unknown_column_fails_when_triggers_are_installed,
    a_missing_outbox_fails_when_triggers_are_installed,
    prefixes_have_triggers_of_their_own,
);

async fn an_insert_writes_the_new_row<D: Database>() {
    let mut database = D::with_posts().await;
    let post = Post::new(1, "hello");
    database.insert(&post).await;
    assert_eq!(database.patterns().await, [patterns([&post])]);
}

async fn an_update_writes_the_row_before_and_after_it<D: Database>() {
    let mut database = D::with_posts().await;
    let old = Post::new(1, "old");
    database.insert(&old).await;
    database.patterns().await;
    database
        .run("UPDATE posts SET post_slug = 'new', author = 7")
        .await;
    let new = Post {
        slug: "new".to_owned(),
        author: Some(7),
        ..old.clone()
    };
    assert_eq!(database.patterns().await, [patterns([&old, &new])]);
}

async fn two_updates_of_a_row_are_two_rows<D: Database>() {
    let mut database = D::with_posts().await;
    let post = Post::new(1, "hello");
    database.insert(&post).await;
    database.patterns().await;
    database.run("UPDATE posts SET id = id + 1").await;
    database.run("UPDATE posts SET id = id + 1").await;
    assert_eq!(database.patterns().await, vec![patterns([&post]); 2]);
}

async fn a_delete_writes_the_old_row<D: Database>() {
    let mut database = D::with_posts().await;
    let post = Post::new(1, "hello");
    database.insert(&post).await;
    database.patterns().await;
    database.run("DELETE FROM posts").await;
    assert_eq!(database.patterns().await, [patterns([&post])]);
}

async fn null_is_written_like_none<D: Database>() {
    let mut database = D::with_posts().await;
    let post = Post {
        author: None,
        ..Post::new(1, "hello")
    };
    database.insert(&post).await;
    assert_eq!(database.patterns().await, [patterns([&post])]);
    // No `Post` can hold this row, but another function may have read it.
    database.run("UPDATE posts SET post_slug = NULL").await;
    let all = database.patterns().await.concat();
    assert!(all.contains(&"posts:%none:*".to_owned()), "{all:?}");
}

async fn a_rollback_takes_its_patterns_back<D: Database>() {
    let mut database = D::with_posts().await;
    database.run("BEGIN").await;
    database.insert(&Post::new(1, "hello")).await;
    database.run("ROLLBACK").await;
    assert!(database.patterns().await.is_empty());
}

async fn a_write_of_no_row_writes_nothing<D: Database>() {
    let mut database = D::with_posts().await;
    database.run("UPDATE posts SET post_slug = 'x'").await;
    database.run("DELETE FROM posts").await;
    assert!(database.patterns().await.is_empty());
}

async fn installing_again_replaces_the_triggers<D: Database>() {
    let mut database = D::with_posts().await;
    database.install::<Post>().await;
    database.insert(&Post::new(1, "hello")).await;
    assert_eq!(database.patterns().await.len(), 1);
}

async fn dropped_triggers_write_nothing<D: Database>() {
    let mut database = D::with_posts().await;
    for _ in 0..2 {
        for statement in cache_sql::drop_triggers::<Post>(D::DIALECT, crate::database::PREFIX) {
            database.run(&statement).await;
        }
    }
    database.run("DROP TABLE cache_outbox").await;
    database.insert(&Post::new(1, "hello")).await;
}

async fn an_unknown_column_fails_when_triggers_are_installed<D: Database>() {
    let mut database = D::with_outbox().await;
    database.run("CREATE TABLE posts (id BIGINT)").await;
    let first = &cache_sql::triggers::<Post>(D::DIALECT, "blog")[0];
    let error = database.execute(first).await.expect_err("no such column");
    assert!(error.to_string().contains("post_slug"), "{error}");
}

async fn a_missing_outbox_fails_when_triggers_are_installed<D: Database>() {
    let mut database = D::connect().await;
    let columns = D::COLUMNS;
    database
        .run(&format!("CREATE TABLE posts ({columns})"))
        .await;
    let first = &cache_sql::triggers::<Post>(D::DIALECT, "blog")[0];
    let error = database.execute(first).await.expect_err("no outbox");
    assert!(error.to_string().contains("cache_outbox"), "{error}");
}

async fn prefixes_have_triggers_of_their_own<D: Database>() {
    let mut database = D::with_posts().await;
    for statement in cache_sql::triggers::<Post>(D::DIALECT, "it's.another") {
        database.run(&statement).await;
    }
    let post = Post::new(1, "hello");
    database.insert(&post).await;
    let mut rows = database.take().await;
    rows.sort_unstable();
    let expected = ["blog", "it's.another"].map(|prefix| (prefix.to_owned(), patterns([&post])));
    assert_eq!(rows, expected);
}
