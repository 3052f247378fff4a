//! Random requests to all routes of quickpost.

use crate::client::{Request, Response};
use crate::random::Random;

/// Slugs as people write them, and some that would do harm in a key or in a pattern.
const SLUGS: [&str; 16] = [
    "my-post",
    "my-post",
    "my-post-2",
    "hello-rust",
    "debugging",
    "fast-queries",
    "soon",
    "list",
    "my-post:comments",
    "*",
    "my-*",
    "[a-z]y-post",
    "my-post#1",
    "100% new",
    "{soon}",
    "\u{fc}ber",
];
const TOPICS: [&str; 4] = ["rust", "life", "history", "a:b *"];
const TEXTS: [&str; 6] = ["", "post", "first", "%", "*", "Edited"];

/// A generator of requests.
#[derive(Debug)]
pub(crate) struct Requests {
    pub(crate) random: Random,
    /// The id of the newest comment.
    newest_comment: usize,
}

impl Requests {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            random: Random::new(seed),
            newest_comment: 4,
        }
    }

    /// A read of anything.
    pub(crate) fn read(&mut self) -> Request {
        let slug = self.random.pick(&SLUGS);
        match self.random.below(12) {
            0..3 => self.list(),
            3 => self.get("/topics".to_owned()),
            4 => {
                let id = self.random.pick(&["1", "2", "3", "4", "x"]);
                self.get(format!("/profiles/{id}"))
            }
            _ => self.read_of(slug),
        }
    }

    /// A read of what a write may have changed.
    pub(crate) fn read_after(&mut self, write: &Request) -> Request {
        let mut segments = write.path.split(['/', '?']).skip(1);
        match (segments.next(), segments.next()) {
            (Some("posts"), Some(slug)) if self.random.chance(70) => {
                let slug = slug.to_owned();
                self.read_of_encoded(&slug)
            }
            (Some("profiles"), Some(_)) if self.random.chance(50) => self.get(write.path.clone()),
            _ => self.read(),
        }
    }

    fn read_of(&mut self, slug: &str) -> Request {
        self.read_of_encoded(&encode(slug))
    }

    fn read_of_encoded(&mut self, slug: &str) -> Request {
        let path = match self.random.below(6) {
            0..3 => format!("/posts/{slug}"),
            3 => {
                let sort = self
                    .random
                    .pick(&["", "?sort=asc", "?sort=desc", "?sort=up"]);
                format!("/posts/{slug}/comments{sort}")
            }
            _ => {
                let dislike = self.random.pick(&["", "?dislike=false", "?dislike=true"]);
                format!("/posts/{slug}/likes{dislike}")
            }
        };
        self.get(path)
    }

    fn list(&mut self) -> Request {
        let mut filters = Vec::new();
        if self.random.chance(30) {
            filters.push(format!("author={}", self.random.below(4)));
        }
        if self.random.chance(40) {
            filters.push(format!("topic={}", encode(self.random.pick(&TOPICS))));
        }
        if self.random.chance(20) {
            filters.push(format!("search={}", encode(self.random.pick(&TEXTS))));
        }
        if self.random.chance(20) {
            filters.push(format!(
                "limit={}",
                self.random.pick(&["0", "2", "50", "-1"])
            ));
        }
        self.get(format!("/posts?{}", filters.join("&")))
    }

    fn get(&mut self, path: String) -> Request {
        self.request("GET", path, String::new())
    }

    fn request(&mut self, method: &'static str, path: String, body: String) -> Request {
        let user = self
            .random
            .pick(&[None, Some(1), Some(1), Some(2), Some(3)]);
        Request {
            method,
            path,
            user,
            body,
        }
    }

    /// A write of anything. Some fail: for example, nobody may change another one's post.
    pub(crate) fn write(&mut self) -> Request {
        let slug = self.random.pick(&SLUGS);
        let encoded = encode(slug);
        let number = self.random.below(1_000);
        let topic = self.random.pick(&TOPICS);
        match self.random.below(9) {
            0 => {
                let title = format!("Title {number}");
                let body = format!(
                    r#"{{"slug": "{slug}", "title": "{title}", "body": "b", "topic": "{topic}"}}"#
                );
                self.request("POST", "/posts".to_owned(), body)
            }
            1..3 => {
                let body = match self.random.below(3) {
                    0 => format!(r#"{{"title": "Edited {number}"}}"#),
                    1 => format!(r#"{{"topic": "{topic}"}}"#),
                    _ => format!(r#"{{"body": "Edited {number}", "topic": "{topic}"}}"#),
                };
                self.request("PUT", format!("/posts/{encoded}"), body)
            }
            3..5 => {
                let body = format!(r#"{{"text": "Comment {number}"}}"#);
                self.request("POST", format!("/posts/{encoded}/comments"), body)
            }
            5 => {
                let back = self.random.below(8);
                let id = self.newest_comment.saturating_sub(back);
                self.request("DELETE", format!("/comments/{id}"), String::new())
            }
            6..8 => {
                let dislike = self.random.pick(&["", "?dislike=true"]);
                let path = format!("/posts/{encoded}/like{dislike}");
                self.request("POST", path, String::new())
            }
            _ => {
                let body = match self.random.below(3) {
                    0 => format!(r#"{{"full_name": "Name {number}"}}"#),
                    _ => format!(r#"{{"bio": "Bio {number}"}}"#),
                };
                let id = 1 + self.random.below(3);
                let mut request = self.request("PUT", format!("/profiles/{id}"), body);
                request.user = Some(id);
                request
            }
        }
    }

    /// Learn the id of a new comment.
    pub(crate) fn learn(&mut self, request: &Request, response: &Response) {
        if request.path.ends_with("/comments") && response.status == 201 {
            let id = response.body.split("\"id\":").nth(1);
            let id = id.and_then(|rest| rest.split(',').next()?.parse().ok());
            self.newest_comment = id.expect("a comment has an id");
        }
    }
}

/// Percent-encode what isn't a letter, a digit or `-`.
fn encode(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'-' => "-".to_owned(),
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}
