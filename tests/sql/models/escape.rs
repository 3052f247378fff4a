//! The escaping in SQL equals that of `cache_runtime::escape`.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use cache_sql::Dialect;

use crate::database::{Database, on_each_database};
use crate::model::{Post, patterns};

on_each_database!(
    every_character_is_escaped_as_in_rust,
    random_texts_are_escaped_as_in_rust
);

/// The last character that is escaped is U+3000.
async fn every_character_is_escaped_as_in_rust<D: Database>() {
    let mut database = D::with_posts().await;
    let characters: Vec<char> = ('\0'..='\u{3100}').collect();
    for some in characters.chunks(100) {
        check(&mut database, &some.iter().collect::<String>()).await;
    }
}

async fn random_texts_are_escaped_as_in_rust<D: Database>() {
    let mut database = D::with_posts().await;
    let mut runner = TestRunner::default();
    for _ in 0..300 {
        let text = texts().new_tree(&mut runner).expect("a text").current();
        check(&mut database, &text).await;
    }
}

async fn check<D: Database>(database: &mut D, text: &str) {
    let text = match D::DIALECT {
        // The only character that a text of Postgres can't hold.
        Dialect::Postgres => text.replace('\0', ""),
        _ => text.to_owned(),
    };
    let post = Post::new(1, &text);
    database.insert(&post).await;
    assert_eq!(database.patterns().await, [patterns([&post])], "{text:?}");
}

/// Texts of plain, structural, control, white-space and any other characters.
fn texts() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        4 => proptest::char::range('a', 'z'),
        2 => proptest::char::range('\0', '\u{ff}'),
        2 => proptest::sample::select(":#*?[]\\{}%'\"`$ \u{2028}\u{3000}\u{feff}".chars().collect::<Vec<_>>()),
        2 => any::<char>(),
    ];
    vec(character, 0..40).prop_map(|characters| characters.into_iter().collect())
}
