//! QuickPost: `@cacheable`, `@invalidate_cache` and the manager, on a blog.

use std::time::Duration;

use cache_runtime::{
    Cache, assert_cached, assert_hit, assert_miss, assert_not_cached, cacheable, context,
    invalidate,
};
use serde::{Deserialize, Serialize};
use tests::{PATIENCE, RedisServer, Stores, events_of, on_both_stores};
use tracing::Level;
use uuid::Uuid;

use crate::common::{assert_about, fill, present};
use crate::table::Table;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Post {
    id: Uuid,
    slug: String,
    author: u64,
    title: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Comment {
    post: String,
    author: u64,
    text: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Like {
    post: Uuid,
    author: u64,
    is_dislike: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Profile {
    id: u64,
    full_name: String,
}

#[derive(Debug, PartialEq)]
struct NotFound;

#[derive(Clone, Default)]
struct Db {
    posts: Table<String, Post>,
    comments: Table<usize, Comment>,
    likes: Table<(Uuid, u64), Like>,
    profiles: Table<u64, Profile>,
}

impl Db {
    /// Two posts and two users.
    fn new() -> Self {
        let post = |slug: &str, author| Post {
            id: Uuid::from_u128(u128::from(author)),
            slug: slug.to_owned(),
            author,
            title: "draft".to_owned(),
        };
        let profile = |id| Profile {
            id,
            full_name: format!("user {id}"),
        };
        Self {
            posts: Table::with(
                [("my-post", 1), ("my-post-2", 2)]
                    .map(|(slug, author)| (slug.to_owned(), post(slug, author))),
            ),
            profiles: Table::with([1, 2].map(|id| (id, profile(id)))),
            ..Self::default()
        }
    }
}

/// The user of the request, whom the layer or the test has set.
fn user_id() -> u64 {
    let id = context::get("user_id").expect("the request has a user");
    id.parse().expect("it is a number")
}

/// A request of a user.
async fn as_user<F: Future>(id: u64, request: F) -> F::Output {
    context::scope([("user_id", id)], request).await
}

// Posts.

#[cacheable(key = "posts:<<slug>>", ttl = 600, debug, skip(db))]
async fn get_post(db: &Db, slug: &str) -> Result<Post, NotFound> {
    db.posts.find(&slug.to_owned()).await.ok_or(NotFound)
}

#[derive(Clone, Debug, Default, Serialize)]
struct PostFilter {
    author_id: Option<u64>,
    page: u32,
}

#[cacheable(key = "posts:list:<<user_id>>", ttl = 300, skip(db), context(user_id))]
async fn get_posts(db: &Db, filters: &PostFilter) -> Vec<Post> {
    let wanted = filters.author_id;
    let by_author = |post: &Post| wanted.is_none_or(|author| post.author == author);
    db.posts.select(by_author).await
}

#[invalidate(patterns = ["posts:list:*"])]
async fn create_post(db: &Db, slug: &str) -> Post {
    let post = Post {
        id: Uuid::new_v4(),
        slug: slug.to_owned(),
        author: user_id(),
        title: "new".to_owned(),
    };
    db.posts.save(slug.to_owned(), post.clone()).await;
    post
}

#[invalidate(patterns = ["posts:<<slug>>:*", "posts:list:*"], debug)]
async fn update_post(db: &Db, slug: &str, title: &str) -> Result<Post, NotFound> {
    let mut post = db.posts.find(&slug.to_owned()).await.ok_or(NotFound)?;
    post.title = title.to_owned();
    db.posts.save(slug.to_owned(), post.clone()).await;
    Ok(post)
}

// Comments.

#[cacheable(
    key = "comments:post:<<slug>>:<<user_id>>",
    ttl = 120,
    skip(db),
    context(user_id)
)]
async fn get_comments(db: &Db, slug: &str, sort: &str) -> Vec<Comment> {
    let mut comments = db.comments.select(|comment| comment.post == slug).await;
    if sort == "desc" {
        comments.reverse();
    }
    comments
}

#[invalidate(patterns = ["comments:post:<<slug>>:*", "posts:<<slug>>:*"])]
async fn create_comment(db: &Db, slug: &str, text: &str) -> Comment {
    let comment = Comment {
        post: slug.to_owned(),
        author: user_id(),
        text: text.to_owned(),
    };
    let id = db.comments.select(|_| true).await.len();
    db.comments.save(id, comment.clone()).await;
    comment
}

// Profiles.

#[cacheable(key = "profiles:<<user_id>>", ttl = 600, skip(db), context(user_id))]
async fn get_user_profile(db: &Db) -> Option<Profile> {
    db.profiles.find(&user_id()).await
}

#[invalidate(patterns = ["profiles:<<user_id>>"], context(user_id))]
async fn update_profile(db: &Db, full_name: &str) {
    let (id, full_name) = (user_id(), full_name.to_owned());
    db.profiles.save(id, Profile { id, full_name }).await;
}

// Likes.

#[cacheable(key = "likes:post:<<obj_id>>:<<is_dislike>>", ttl = 60, skip(db))]
async fn get_likes(db: &Db, obj_id: Uuid, is_dislike: bool) -> Vec<Like> {
    let of_post = |like: &Like| like.post == obj_id && like.is_dislike == is_dislike;
    db.likes.select(of_post).await
}

struct Toggled {
    liked: bool,
    /// The slug of the post: its page is cached by slug, and the caller knows the id only.
    slug: String,
}

#[invalidate(patterns = ["likes:post:<<obj_id>>:*", "posts:<<result.slug>>:*"])]
async fn toggle_like(db: &Db, obj_id: Uuid, is_dislike: bool) -> Result<Toggled, NotFound> {
    let posts = db.posts.select(|post| post.id == obj_id).await;
    let slug = posts.first().ok_or(NotFound)?.slug.clone();
    let author = user_id();
    let liked = db.likes.delete(&(obj_id, author)).await.is_none();
    if liked {
        let like = Like {
            post: obj_id,
            author,
            is_dislike,
        };
        db.likes.save((obj_id, author), like).await;
    }
    Ok(Toggled { liked, slug })
}

// Configuration.

#[tokio::test]
async fn the_settings_are_options_of_the_builder() {
    let server = RedisServer::start();
    let cache = Cache::builder()
        .redis(format!("{}/1", server.url().trim_end_matches('/')))
        .prefix("quickpost")
        .default_ttl(Duration::from_secs(300))
        .response_timeout(PATIENCE)
        .build()
        .unwrap();
    cache.set("posts:my-post", "text", None).await.unwrap();
    assert_about(cache.ttl("posts:my-post").await.unwrap(), 300);
    // The entry is one key of database 1.
    let mut redis = server.connect();
    for (database, entries) in [(0, 0), (1, 1)] {
        redis::cmd("SELECT").arg(database).exec(&mut redis).unwrap();
        let exists = redis::cmd("EXISTS")
            .arg("quickpost:posts:my-post")
            .query(&mut redis);
        assert_eq!(exists, Ok(entries), "database {database}");
    }
}

// Quick start.

#[tokio::test]
async fn a_post_is_cached_under_its_slug() {
    on_both_stores(|cache| async move {
        let db = Db::new();
        let first = get_post(&db, "my-post").await.unwrap();
        assert_eq!(get_post(&db, "my-post").await.unwrap(), first);
        assert_eq!(db.posts.queries(), 1);
        assert_eq!(
            get_post_cache_key(&db, "my-post"),
            "quickpost:posts:my-post"
        );
        assert_about(cache.ttl("posts:my-post").await.unwrap(), 600);
        // An error isn't cached.
        for _ in 0..2 {
            assert_eq!(get_post(&db, "missing").await, Err(NotFound));
        }
        assert_eq!(db.posts.queries(), 3);
    })
    .await;
}

#[tokio::test]
async fn the_user_of_the_request_is_in_the_key() {
    on_both_stores(|cache| async move {
        let db = Db::new();
        for _ in 0..2 {
            for id in [1, 2] {
                let profile = as_user(id, get_user_profile(&db)).await.unwrap();
                assert_eq!(profile.full_name, format!("user {id}"));
            }
        }
        assert_eq!(db.profiles.queries(), 2);
        let paths = ["profiles:1", "profiles:2"];
        assert_eq!(present(&cache, &paths).await, paths);
    })
    .await;
}

#[tokio::test]
async fn an_update_removes_the_post_and_its_lists() {
    on_both_stores(|cache| async move {
        let db = Db::new();
        get_post(&db, "my-post").await.unwrap();
        get_post(&db, "my-post-2").await.unwrap();
        as_user(1, get_posts(&db, &PostFilter::default())).await;
        update_post(&db, "my-post", "final").await.unwrap();
        assert_eq!(get_post(&db, "my-post").await.unwrap().title, "final");
        let posts = as_user(1, get_posts(&db, &PostFilter::default())).await;
        assert_eq!(posts[0].title, "final");
        assert_hit!(cache, get_post(&db, "my-post-2").await).unwrap();
        // A failed update removes nothing.
        assert_eq!(update_post(&db, "missing", "final").await, Err(NotFound));
        assert_hit!(cache, get_post(&db, "my-post").await).unwrap();
    })
    .await;
}

#[tokio::test]
async fn the_manager_is_the_handle() {
    on_both_stores(|cache| async move {
        let db = Db::new();
        let path = "posts:my-slug";
        assert_eq!(cache.get::<String>(path).await.unwrap(), None);
        cache.set(path, "text", 600).await.unwrap();
        assert_eq!(
            cache.get::<String>(path).await.unwrap().as_deref(),
            Some("text")
        );
        assert!(cache.delete(path).await.unwrap());
        assert!(!cache.exists(path).await.unwrap());
        fill(&cache, &["posts:my-slug", "posts:list:1", "profiles:1"]).await;
        assert_eq!(cache.delete_pattern("posts:*").await.unwrap(), 2);
        for _ in 0..2 {
            let fetch_post = || async { db.posts.find(&"my-post".to_owned()).await.unwrap() };
            let post: Post = cache.get_or_set(path, 600, fetch_post).await;
            assert_eq!(post.slug, "my-post");
        }
        assert_eq!(db.posts.queries(), 1);
    })
    .await;
}

// Examples.

#[tokio::test]
async fn each_filter_of_the_list_is_cached_and_a_new_post_removes_all() {
    on_both_stores(|_| async {
        let db = Db::new();
        let filters = [
            PostFilter::default(),
            PostFilter {
                author_id: Some(1),
                page: 0,
            },
            PostFilter {
                author_id: None,
                page: 1,
            },
        ];
        for _ in 0..2 {
            for user in [1, 2] {
                for filter in &filters {
                    as_user(user, get_posts(&db, filter)).await;
                }
            }
        }
        assert_eq!(db.posts.queries(), 6);
        as_user(1, create_post(&db, "new")).await;
        for user in [1, 2] {
            assert_eq!(as_user(user, get_posts(&db, &filters[0])).await.len(), 3);
            assert_eq!(as_user(user, get_posts(&db, &filters[1])).await.len(), 2);
        }
    })
    .await;
}

#[tokio::test]
async fn a_comment_removes_the_comments_of_its_post_and_the_post() {
    on_both_stores(|cache| async move {
        let db = Db::new();
        as_user(1, create_comment(&db, "my-post", "first")).await;
        as_user(1, create_comment(&db, "my-post", "second")).await;
        let texts = |comments: Vec<Comment>| {
            let texts = comments.into_iter().map(|comment| comment.text);
            texts.collect::<Vec<_>>().join(", ")
        };
        // The order is hashed into the key.
        for user in [1, 2] {
            let ascending = as_user(user, get_comments(&db, "my-post", "asc")).await;
            assert_eq!(texts(ascending), "first, second");
            let descending = as_user(user, get_comments(&db, "my-post", "desc")).await;
            assert_eq!(texts(descending), "second, first");
        }
        as_user(1, get_comments(&db, "my-post-2", "asc")).await;
        get_post(&db, "my-post").await.unwrap();
        get_post(&db, "my-post-2").await.unwrap();
        assert_about(cache.ttl("posts:my-post").await.unwrap(), 600);

        as_user(2, create_comment(&db, "my-post", "third")).await;
        for user in [1, 2] {
            let comments = as_user(user, get_comments(&db, "my-post", "desc")).await;
            assert_eq!(texts(comments), "third, second, first");
        }
        assert_not_cached!(cache, "posts:my-post");
        assert_cached!(cache, "posts:my-post-2");
        let other = as_user(1, get_comments(&db, "my-post-2", "asc"));
        assert!(assert_hit!(cache, other.await).is_empty());
    })
    .await;
}

#[tokio::test]
async fn an_updated_profile_is_seen_and_those_of_others_stay() {
    on_both_stores(|cache| async move {
        let db = Db::new();
        for id in [1, 2] {
            as_user(id, get_user_profile(&db)).await;
        }
        as_user(1, update_profile(&db, "Ada")).await;
        let profile = as_user(1, get_user_profile(&db)).await.unwrap();
        assert_eq!(profile.full_name, "Ada");
        assert_hit!(cache, as_user(2, get_user_profile(&db)).await).unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_like_removes_the_likes_of_its_post_and_the_post_itself() {
    on_both_stores(|cache| async move {
        let db = Db::new();
        let [post, other] = ["my-post", "my-post-2"];
        let id = get_post(&db, post).await.unwrap().id;
        let other_id = get_post(&db, other).await.unwrap().id;
        for id in [id, other_id] {
            for is_dislike in [false, true] {
                assert!(get_likes(&db, id, is_dislike).await.is_empty());
            }
        }
        assert!(as_user(2, toggle_like(&db, id, false)).await.unwrap().liked);
        assert_not_cached!(cache, "posts:my-post");
        assert_cached!(cache, "posts:my-post-2");
        assert_eq!(get_likes(&db, id, false).await.len(), 1);
        assert_hit!(cache, get_likes(&db, other_id, false).await);
        // Taken back.
        assert!(!as_user(2, toggle_like(&db, id, false)).await.unwrap().liked);
        assert!(get_likes(&db, id, false).await.is_empty());
    })
    .await;
}

// Keys and patterns.

#[tokio::test]
async fn each_pattern_removes_the_entries_that_its_author_meant() {
    const PATHS: [&str; 13] = [
        "posts:my-post",
        "posts:my-post:comments",
        "posts:my-post-2",
        "posts:list:1",
        "posts:list:2",
        "comments:post:my-post:1",
        "comments:post:my-post:2",
        "comments:post:my-post-2:1",
        "profiles:1",
        "profiles:12",
        "likes:post:5a0c-1:false",
        "likes:post:5a0c-1:true",
        "likes:post:5a0c-12:true",
    ];
    on_both_stores(|cache| async move {
        for (pattern, removed) in [
            ("posts:my-post:*", 0..2),
            ("posts:list:*", 3..5),
            ("comments:post:my-post:*", 5..7),
            ("profiles:1", 8..9),
            ("likes:post:5a0c-1:*", 10..12),
            ("posts:*", 0..5),
        ] {
            fill(&cache, &PATHS).await;
            let count = cache.delete_pattern(pattern).await.unwrap();
            assert_eq!(count, removed.len() as u64, "{pattern}");
            let mut left = PATHS.to_vec();
            left.drain(removed);
            assert_eq!(present(&cache, &PATHS).await, left, "{pattern}");
        }
    })
    .await;
}

#[cacheable(key = "post_<<slug>>")]
async fn flat(slug: &str) -> usize {
    slug.len()
}

#[cacheable(key = "profile", context(user_id), skip(db))]
async fn shared_key(db: &Db) -> Option<Profile> {
    db.profiles.find(&user_id()).await
}

#[tokio::test]
async fn a_key_without_the_user_still_has_an_entry_for_each() {
    on_both_stores(|cache| async move {
        let db = Db::new();
        for _ in 0..2 {
            for id in [1, 2] {
                let profile = as_user(id, shared_key(&db)).await.unwrap();
                assert_eq!(profile.id, id);
            }
        }
        assert_eq!(db.profiles.queries(), 2);
        assert_eq!(cache.delete_pattern("profile").await.unwrap(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_flat_key_is_out_of_reach_of_patterns_by_segment() {
    on_both_stores(|cache| async move {
        flat("a").await;
        get_post(&Db::new(), "my-post").await.unwrap();
        assert_eq!(cache.delete_pattern("posts:*").await.unwrap(), 1);
        assert_cached!(cache, "post_a");
    })
    .await;
}

// Debugging and monitoring.

#[test]
fn debug_logs_the_call_its_miss_and_what_was_set() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let stores = Stores::new();
    for (store, cache) in &stores.caches {
        let db = Db::new();
        let events = events_of(Level::INFO, || {
            runtime.block_on(cache.scope(async {
                get_post(&db, "my-post").await.unwrap();
                get_post(&db, "my-post").await.unwrap();
                update_post(&db, "my-post", "final").await.unwrap();
            }));
        });
        let messages: Vec<&str> = events.iter().map(|event| &*event.message).collect();
        let expected = [
            "[Cache] get_post | Args: {slug: my-post} | Key: quickpost:posts:my-post",
            "[Cache] MISS: quickpost:posts:my-post",
            "[Cache] SET: quickpost:posts:my-post (TTL: 600s)",
            "[Cache] get_post | Args: {slug: my-post} | Key: quickpost:posts:my-post",
            "[Cache] HIT: quickpost:posts:my-post",
            "[Cache] INVALIDATE: quickpost:posts:my-post:* (1 keys)",
            "[Cache] INVALIDATE: quickpost:posts:list:* (0 keys)",
        ];
        assert_eq!(messages, expected, "{store}");
    }
}

#[tokio::test]
async fn redis_cli_sees_one_readable_key_for_each_entry() {
    let server = RedisServer::start();
    let cache = Cache::builder()
        .redis(server.url())
        .prefix("quickpost")
        .response_timeout(PATIENCE)
        .build()
        .unwrap();
    let test = async {
        let db = Db::new();
        get_post(&db, "my-post").await.unwrap();
        let mut redis = server.connect();
        let key = "quickpost:posts:my-post";
        let keys = redis::cmd("KEYS")
            .arg("quickpost:posts:*")
            .query(&mut redis);
        assert_eq!(keys, Ok(vec![key.to_owned()]));
        let left: u64 = redis::cmd("TTL").arg(key).query(&mut redis).unwrap();
        assert!((540..=600).contains(&left), "{left} s");
        assert_about(cache.ttl(key).await.unwrap(), 600);
        // Deleting the key by hand is a miss.
        redis::cmd("DEL").arg(key).exec(&mut redis).unwrap();
        get_post(&db, "my-post").await.unwrap();
        assert_eq!(db.posts.queries(), 2);
    };
    cache.scope(test).await;
}

#[tokio::test]
async fn the_store_counts_its_entries_and_bytes() {
    on_both_stores(|cache| async move {
        let db = Db::new();
        get_post(&db, "my-post").await.unwrap();
        get_post(&db, "my-post-2").await.unwrap();
        let stats = cache.store_stats().await.unwrap();
        assert_eq!((stats.entries, stats.evictions), (2, 0));
        assert!(stats.bytes > 0);
    })
    .await;
}

#[tokio::test]
async fn a_test_asserts_a_miss_and_a_hit() {
    on_both_stores(|cache| async move {
        let db = Db::new();
        let first = assert_miss!(cache, get_post(&db, "my-post").await);
        let second = assert_hit!(cache, get_post(&db, "my-post").await);
        assert_eq!(first, second);
        assert_cached!(cache, "posts:my-post");
    })
    .await;
}
