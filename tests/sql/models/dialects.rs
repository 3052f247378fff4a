//! Features that only one of the databases has.

use cache_runtime::CacheModel;
use sqlx::{MySqlConnection, PgConnection, SqliteConnection};
use uuid::Uuid;

use crate::database::Database;
use crate::model::{Post, patterns};

#[derive(CacheModel)]
#[cache(table = "words", patterns = ["words:<<word>>"])]
struct Word {
    word: String,
}

#[derive(CacheModel)]
#[cache(table = "tokens", patterns = ["tokens:<<token>>"])]
struct Token {
    token: Uuid,
}

#[derive(CacheModel)]
#[cache(table = "numbers", patterns = ["numbers:<<small>>:<<large>>"])]
struct Numbers {
    small: u8,
    large: u64,
}

#[tokio::test]
async fn truncate_writes_a_star_for_each_value_in_postgres() {
    let mut database = PgConnection::with_posts().await;
    database.run("TRUNCATE posts").await;
    let mut expected = ["posts:*:*", "posts:list:*", r"it's\**-*", "*:*?"];
    expected.sort_unstable();
    assert_eq!(database.patterns().await, [expected]);
}

#[tokio::test]
async fn a_statement_of_postgres_writes_distinct_patterns_in_rows_of_five_hundred() {
    let mut database = PgConnection::with_outbox().await;
    database.run("CREATE TABLE words (word TEXT)").await;
    database.install::<Word>().await;
    database
        .run("INSERT INTO words SELECT n % 1200 FROM generate_series(1, 5000) AS n")
        .await;
    let rows = database.patterns().await;
    let lengths: Vec<usize> = rows.iter().map(Vec::len).collect();
    assert_eq!(lengths, [500, 500, 200]);
    let mut all = rows.concat();
    all.sort_unstable();
    let mut expected: Vec<String> = (0..1200).map(|n| format!("words:{n}")).collect();
    expected.sort_unstable();
    assert_eq!(all, expected);
}

#[tokio::test]
async fn a_collation_of_postgres_does_not_merge_texts() {
    let mut database = PgConnection::with_outbox().await;
    database
        .run(
            "CREATE COLLATION folded (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
             CREATE TABLE words (word TEXT COLLATE folded)",
        )
        .await;
    database.install::<Word>().await;
    database
        .run("INSERT INTO words VALUES ('a'), ('A'), ('a b')")
        .await;
    assert_eq!(
        database.patterns().await,
        [["words:A", "words:a", "words:a%20b"]]
    );
}

#[tokio::test]
async fn the_padding_of_char_in_postgres_is_part_of_the_text() {
    let mut database = PgConnection::with_outbox().await;
    database.run("CREATE TABLE words (word CHAR(4))").await;
    database.install::<Word>().await;
    database.run("INSERT INTO words VALUES ('ab')").await;
    let word: String = sqlx::query_scalar("SELECT word FROM words")
        .fetch_one(&mut database)
        .await
        .expect("a word");
    assert_eq!(database.patterns().await, [Word { word }.cache_patterns()]);
}

#[tokio::test]
async fn a_writer_of_postgres_with_another_search_path_finds_the_outbox() {
    let mut database = PgConnection::with_posts().await;
    database
        .run("CREATE SCHEMA elsewhere; SET search_path = elsewhere")
        .await;
    database
        .run("INSERT INTO public.posts (post_slug) VALUES ('a:b')")
        .await;
    database.run("SET search_path = public").await;
    let all = database.patterns().await.concat();
    assert!(all.contains(&"posts:a%3Ab:*".to_owned()), "{all:?}");
}

#[tokio::test]
async fn a_table_of_another_schema_has_triggers_in_postgres() {
    #[derive(CacheModel)]
    #[cache(table = "app.Words", patterns = ["words:<<tg_op>>"])]
    struct Word {
        /// A name that plpgsql's variables have too.
        tg_op: String,
    }

    let mut database = PgConnection::with_outbox().await;
    database
        .run(r#"CREATE SCHEMA app; CREATE TABLE app."Words" (tg_op TEXT)"#)
        .await;
    database.install::<Word>().await;
    database
        .run(r#"INSERT INTO app."Words" VALUES ('x')"#)
        .await;
    let expected = Word {
        tg_op: "x".to_owned(),
    }
    .cache_patterns();
    assert_eq!(database.patterns().await, [expected]);
}

#[tokio::test]
async fn a_pattern_may_contain_the_dollar_quote_of_postgres() {
    #[derive(CacheModel)]
    #[cache(table = "words", patterns = ["$cache$:<<word>>"])]
    struct Word {
        word: String,
    }

    let mut database = PgConnection::with_outbox().await;
    database.run("CREATE TABLE words (word TEXT)").await;
    database.install::<Word>().await;
    database.run("INSERT INTO words VALUES ('x')").await;
    let word = "x".to_owned();
    assert_eq!(database.patterns().await, [Word { word }.cache_patterns()]);
}

#[tokio::test]
async fn an_upsert_of_postgres_writes_both_rows() {
    let mut database = PgConnection::with_outbox().await;
    database
        .run("CREATE TABLE words (id INT PRIMARY KEY, word TEXT)")
        .await;
    database.install::<Word>().await;
    database.run("INSERT INTO words VALUES (1, 'old')").await;
    database.patterns().await;
    database
        .run("INSERT INTO words VALUES (1, 'new') ON CONFLICT (id) DO UPDATE SET word = 'new'")
        .await;
    assert_eq!(database.patterns().await, [["words:new", "words:old"]]);
}

#[tokio::test]
async fn each_form_of_a_uuid_has_one_text() {
    let token = Uuid::from_u128(0xABCD_EF01_2345_6789_ABCD_EF01_2345_6789);
    let expected = [Token { token }.cache_patterns()];
    let hex = token.simple().to_string().to_uppercase();
    let text = token.hyphenated().to_string().to_uppercase();

    let mut sqlite = SqliteConnection::with_outbox().await;
    sqlite.run("CREATE TABLE tokens (token)").await;
    sqlite.install::<Token>().await;
    for value in [format!("x'{hex}'"), format!("'{hex}'"), format!("'{text}'")] {
        sqlite
            .run(&format!("INSERT INTO tokens VALUES ({value})"))
            .await;
        assert_eq!(sqlite.patterns().await, expected, "{value}");
    }

    for (column, value) in [
        ("BINARY(16)", format!("x'{hex}'")),
        ("CHAR(36)", format!("'{text}'")),
        ("UUID", format!("'{text}'")),
    ] {
        let mut mariadb = MySqlConnection::with_outbox().await;
        mariadb
            .run(&format!("CREATE TABLE tokens (token {column})"))
            .await;
        mariadb.install::<Token>().await;
        mariadb
            .run(&format!("INSERT INTO tokens VALUES ({value})"))
            .await;
        assert_eq!(mariadb.patterns().await, expected, "{column}");
    }
}

#[tokio::test]
async fn numbers_of_mariadb_have_no_leading_zeros() {
    let mut database = MySqlConnection::with_outbox().await;
    database
        .run("CREATE TABLE numbers (small TINYINT UNSIGNED ZEROFILL, large BIGINT UNSIGNED)")
        .await;
    database.install::<Numbers>().await;
    database
        .run("INSERT INTO numbers VALUES (7, 18446744073709551615)")
        .await;
    let numbers = Numbers {
        small: 7,
        large: u64::MAX,
    };
    assert_eq!(database.patterns().await, [numbers.cache_patterns()]);
}

#[tokio::test]
async fn a_column_of_mariadb_may_have_another_character_set() {
    let mut database = MySqlConnection::with_outbox().await;
    database
        .run("CREATE TABLE words (word VARCHAR(20) CHARACTER SET latin1)")
        .await;
    database.install::<Word>().await;
    database
        .run("INSERT INTO words VALUES ('é b'), ('E'), ('e')")
        .await;
    let expected = ["words:é%20b", "words:E", "words:e"].map(|pattern| [pattern]);
    assert_eq!(database.patterns().await, expected);
}

#[tokio::test]
async fn replace_of_mariadb_removes_the_old_row_too() {
    let mut database = MySqlConnection::with_outbox().await;
    database
        .run("CREATE TABLE words (id INT PRIMARY KEY, word TEXT)")
        .await;
    database.install::<Word>().await;
    database.run("INSERT INTO words VALUES (1, 'old')").await;
    database.run("REPLACE INTO words VALUES (1, 'new')").await;
    let mut all = database.patterns().await.concat();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all, ["words:new", "words:old"]);
}

#[tokio::test]
async fn the_last_insert_id_is_that_of_the_written_table() {
    let mut database = MySqlConnection::with_outbox().await;
    database
        .run("CREATE TABLE words (id INT AUTO_INCREMENT PRIMARY KEY, word TEXT)")
        .await;
    database.install::<Word>().await;
    database
        .run("INSERT INTO words (id, word) VALUES (100, 'a')")
        .await;
    let done = sqlx::query("INSERT INTO words (word) VALUES ('b')")
        .execute(&mut database)
        .await
        .expect("inserted");
    assert_eq!(done.last_insert_id(), 101);
}

#[tokio::test]
async fn an_upsert_of_sqlite_writes_both_rows() {
    let mut database = SqliteConnection::with_outbox().await;
    database
        .run("CREATE TABLE words (id INTEGER PRIMARY KEY, word TEXT)")
        .await;
    database.install::<Word>().await;
    database.run("INSERT INTO words VALUES (1, 'old')").await;
    database.patterns().await;
    database
        .run("INSERT INTO words VALUES (1, 'new') ON CONFLICT (id) DO UPDATE SET word = 'new'")
        .await;
    assert_eq!(database.patterns().await, [["words:new", "words:old"]]);
    database.run("PRAGMA recursive_triggers = ON").await;
    database
        .run("INSERT OR REPLACE INTO words VALUES (1, 'newest')")
        .await;
    let mut all = database.patterns().await.concat();
    all.sort_unstable();
    assert_eq!(all, ["words:new", "words:newest"]);
}

#[tokio::test]
async fn delete_without_a_condition_writes_each_row_in_sqlite() {
    let mut database = SqliteConnection::with_posts().await;
    let posts = [Post::new(1, "a"), Post::new(2, "b")];
    for post in &posts {
        database.insert(post).await;
    }
    database.patterns().await;
    database.run("DELETE FROM posts").await;
    assert_eq!(
        database.patterns().await,
        posts.each_ref().map(|post| patterns([post]))
    );
}
