use cache_runtime::CacheModel;

#[derive(CacheModel)]
#[cache(table = "posts", patterns = [
    "posts:<<slgu>>:*",
    "posts:<<slug.to_lowercase()>>",
    "posts:<<self.slug>>",
    "posts:<<ids..>>",
    "posts:{slug}",
    "posts:<<slug",
])]
struct Placeholders {
    slug: String,
    ids: Vec<i64>,
}

#[derive(CacheModel)]
struct WithoutOptions {
    id: i64,
}

#[derive(CacheModel)]
#[cache(table = "posts")]
struct WithoutPatterns {
    id: i64,
}

#[derive(CacheModel)]
#[cache(table = "a.\"posts\"", patterns = [], prefix = "blog", colunm = "a", table = "posts")]
struct Options {
    #[cache(column = "", table = "posts", column)]
    id: i64,
    #[cache]
    slug: String,
}

#[derive(CacheModel)]
#[cache(table = "posts", patterns = ["posts:*"])]
struct Tuple(i64);

#[derive(CacheModel)]
#[cache(table = "posts", patterns = ["posts:*"])]
enum Kind {
    Post,
}

fn main() {}
