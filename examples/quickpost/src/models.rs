//! The request and response types of the API.
//!
//! A cached type derives `Serialize`, `Deserialize` and `Clone`, and needs nothing else.

use serde::{Deserialize, Serialize};

/// A post with its counts. A comment or a like changes it too.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Post {
    pub slug: String,
    pub title: String,
    pub body: String,
    pub topic: String,
    pub author: String,
    pub comments: i64,
    pub likes: i64,
    pub dislikes: i64,
}

/// An item in the list of posts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PostSummary {
    pub slug: String,
    pub title: String,
    pub author: String,
    pub comments: i64,
    pub likes: i64,
}

/// The query string of the list. All of it is hashed into the key, so it derives `Serialize`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct PostFilters {
    pub author: Option<i64>,
    pub topic: Option<String>,
    pub search: Option<String>,
    pub limit: Option<u32>,
}

#[derive(Debug, Deserialize)]
pub struct NewPost {
    pub slug: String,
    pub title: String,
    pub body: String,
    pub topic: String,
}

/// A change of a post. Absent fields keep their values.
#[derive(Debug, Deserialize)]
pub struct PostChange {
    pub title: Option<String>,
    pub body: Option<String>,
    pub topic: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Comment {
    pub id: i64,
    /// The slug of the post it belongs to.
    pub post: String,
    pub author: String,
    pub text: String,
    /// Whether the viewer wrote it. This is why comments are cached per viewer.
    pub mine: bool,
}

#[derive(Debug, Deserialize)]
pub struct NewComment {
    pub text: String,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sort {
    #[default]
    Asc,
    Desc,
}

#[derive(Debug, Deserialize)]
pub struct CommentQuery {
    #[serde(default)]
    pub sort: Sort,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Like {
    pub user_id: i64,
    pub author: String,
}

#[derive(Debug, Deserialize)]
pub struct LikeQuery {
    #[serde(default)]
    pub dislike: bool,
}

#[derive(Debug, Serialize)]
pub struct Liked {
    pub liked: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Profile {
    pub id: i64,
    pub full_name: String,
    pub email: String,
    pub avatar_url: String,
    pub bio: String,
}

/// A change of a profile. Absent fields keep their values.
#[derive(Debug, Deserialize)]
pub struct ProfileChange {
    pub full_name: Option<String>,
    pub bio: Option<String>,
}

/// A topic with its number of posts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Topic {
    pub name: String,
    pub posts: i64,
}
