//! The demo's requests: for each resource, read, read, update, read; and the other places where an
//! update shows.

use crate::client::Request;

/// Method, user, path, and an optional body.
const SCRIPT: &str = r#"
# A list, for one set of filters. It includes a new post.
GET     anon  /posts?topic=rust
GET     anon  /posts?topic=rust
POST    2     /posts  {"slug": "my-crate", "title": "My crate", "body": "v0.1", "topic": "rust"}
GET     anon  /posts?topic=rust

# A search that finds nothing is not cached (`unless`).
GET     anon  /posts?search=nothing
GET     anon  /posts?search=nothing

# A post. Its neighbour, whose slug begins with the same letters, stays in the cache.
GET     anon  /posts/my-post-2
GET     anon  /posts/my-post
GET     anon  /posts/my-post
PUT     1     /posts/my-post  {"title": "My first post, edited"}
GET     anon  /posts/my-post
GET     anon  /posts/my-post-2

# There is no post `*`, and the attempt to change it invalidates no other post.
PUT     1     /posts/*  {"title": "everything"}
GET     anon  /posts/my-post

# An error is not cached: the post is found as soon as it is written.
GET     anon  /posts/soon
POST    1     /posts  {"slug": "soon", "title": "Soon", "body": "Now.", "topic": "life"}
GET     anon  /posts/soon

# Comments, as two viewers see them. The post counts them.
GET     anon  /posts/my-post/comments?sort=desc
GET     3     /posts/my-post/comments?sort=desc
GET     3     /posts/my-post/comments?sort=desc
POST    3     /posts/my-post/comments  {"text": "And here is more."}
GET     3     /posts/my-post/comments?sort=desc
GET     anon  /posts/my-post/comments?sort=desc
GET     anon  /posts/my-post
DELETE  3     /comments/5
GET     3     /posts/my-post/comments?sort=desc
GET     anon  /posts/my-post

# Likes. A dislike replaces a like, so both lists change.
GET     anon  /posts/hello-rust/likes?dislike=true
GET     anon  /posts/hello-rust/likes
GET     anon  /posts/hello-rust/likes
POST    2     /posts/hello-rust/like?dislike=true
GET     anon  /posts/hello-rust/likes
GET     anon  /posts/hello-rust/likes?dislike=true
GET     anon  /posts?topic=rust

# A profile. Only the profile shows the bio; posts, comments and likes show the name too.
GET     anon  /profiles/2
GET     anon  /profiles/2
GET     anon  /posts/debugging
PUT     2     /profiles/2  {"bio": "Finds moths, and keeps them."}
GET     anon  /profiles/2
GET     anon  /posts/debugging
PUT     2     /profiles/2  {"full_name": "Grace M. Hopper"}
GET     anon  /profiles/2
GET     anon  /posts/debugging
GET     3     /posts/my-post/comments?sort=desc
GET     anon  /posts/hello-rust/likes?dislike=true
GET     anon  /posts?topic=rust

# Topics, counted over all posts.
GET     anon  /topics
GET     anon  /topics
PUT     2     /posts/debugging  {"topic": "hardware"}
GET     anon  /topics
"#;

pub fn requests() -> impl Iterator<Item = Request> {
    SCRIPT.lines().filter_map(request)
}

/// Parse a line; `None` for a comment or an empty line.
fn request(line: &'static str) -> Option<Request> {
    let (method, rest) = line.split_once(' ').filter(|(method, _)| *method != "#")?;
    let (user, rest) = rest.trim_start().split_once(' ')?;
    let (path, body) = rest
        .trim_start()
        .split_once(' ')
        .unwrap_or((rest.trim(), ""));
    Some(Request {
        method,
        path,
        user: user.parse().ok(),
        body: body.trim(),
    })
}
