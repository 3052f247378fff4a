//! The dashboard's files, and the table without JavaScript. What a browser makes of them is tested in
//! `tests/browser`.

use std::io::Write as _;

use cache_http::admin;
use cache_runtime::{Cache, cacheable};
use flate2::Compression;
use flate2::write::GzEncoder;

use super::{ADMIN, Api, NONE, READ, by_header};
use crate::support::Answer;

/// Largest size of the page with all of its files, compressed with gzip.
const LIMIT: usize = 80_000;

#[cacheable(key = "shown-in-a-table:<<n>>", ttl = 60)]
async fn shown_in_a_table(n: u32) -> u32 {
    n
}

async fn api() -> Api {
    Api::of(&Cache::builder().prefix("shown").build().unwrap()).await
}

/// Return the paths that a file names, relative to the mount.
fn named(path: &str, file: &Answer) -> Vec<String> {
    let quoted = |quote: char| file.body.split(quote).skip(1).step_by(2);
    match path.rsplit_once('.') {
        None => {
            let paths = quoted('"').filter(|path| path.starts_with("static/"));
            paths.map(|path| format!("/{path}")).collect()
        }
        Some((_, "js")) if !path.contains("uPlot") => {
            let lines = file.body.lines().filter(|line| line.starts_with("import "));
            let names = lines.map(|line| line.split('\'').nth(1).unwrap().trim_start_matches("./"));
            names.map(|name| format!("/static/{name}")).collect()
        }
        Some(_) => Vec::new(),
    }
}

#[tokio::test]
async fn the_page_and_all_that_it_names_are_small() {
    let api = api().await;
    let (mut open, mut seen, mut compressed) = (vec!["/".to_owned()], Vec::new(), 0);
    while let Some(path) = open.pop() {
        if seen.contains(&path) {
            continue;
        }
        let file = api.ask("GET", &path, NONE, "").await;
        assert_eq!(file.status, 200, "{path}");
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(file.body.as_bytes()).unwrap();
        compressed += gzip.finish().unwrap().len();
        open.extend(named(&path, &file));
        seen.push(path);
    }
    assert!(seen.len() > 15, "{seen:?}");
    assert!((30_000..LIMIT).contains(&compressed), "{compressed} bytes");
}

#[tokio::test]
async fn files_need_no_rights_and_everything_else_does() {
    let service = admin(Cache::builder().build().unwrap()).access(by_header);
    let api = Api::serve(service.clone()).await;
    for _ in 0..50 {
        assert_eq!(api.ask("GET", "/", NONE, "").await.status, 200);
        let script = api.ask("GET", "/static/page.js", NONE, "").await;
        assert_eq!(script.status, 200);
    }
    assert_eq!(service.failures(), 0);
    for path in [
        "/table",
        "/fleet",
        "/sizes",
        "/keys",
        "/key",
        "/events",
        "/doctor",
        "/static/x",
    ] {
        assert_eq!(api.ask("GET", path, NONE, "").await.status, 401, "{path}");
    }
    assert_eq!(service.failures(), 8);
}

#[tokio::test]
async fn the_page_is_found_with_and_without_the_slash() {
    let api = api().await;
    let page = api.ask("GET", "/", NONE, "").await;
    assert_eq!(page.field("content-type"), Some("text/html; charset=utf-8"));
    // Relative, since a proxy may have cut off the path before it.
    let without = api.ask("GET", "", NONE, "").await;
    assert_eq!(
        (without.status.as_u16(), without.field("location")),
        (307, Some("./cache/"))
    );
    for method in ["POST", "PUT", "DELETE"] {
        assert_eq!(api.ask(method, "/", ADMIN, "").await.status, 405);
    }
}

#[tokio::test]
async fn the_policy_of_the_page_allows_nothing_from_elsewhere_and_nothing_inline() {
    let api = api().await;
    for (path, fields) in [("/", NONE), ("/static/page.js", NONE), ("/table", READ)] {
        let answer = api.ask("GET", path, fields, "").await;
        let policy = answer.field("content-security-policy").unwrap();
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
        ] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(
            !policy.contains("unsafe") && !policy.contains("http"),
            "{policy}"
        );
        assert_eq!(answer.field("referrer-policy"), Some("no-referrer"));
        assert_eq!(answer.field("x-content-type-options"), Some("nosniff"));
        assert!(!answer.body.contains(" style=") && !answer.body.contains(" onclick="));
    }
}

#[tokio::test]
async fn a_browser_that_has_a_file_is_told_so() {
    let api = api().await;
    let file = api.ask("GET", "/static/page.css", NONE, "").await;
    assert_eq!(file.field("cache-control"), Some("no-cache"));
    let etag = file.field("etag").unwrap();
    let list = format!("\"other\", W/{etag}");
    for known in [etag, &list] {
        let fields = [("if-none-match", known)];
        let answer = api.ask("GET", "/static/page.css", &fields, "").await;
        assert_eq!((answer.status.as_u16(), &*answer.body), (304, ""));
        assert_eq!(answer.field("etag"), Some(etag));
    }
    let fields = [("if-none-match", "\"other\"")];
    let answer = api.ask("GET", "/static/page.css", &fields, "").await;
    assert_eq!(answer.body, file.body);
    let head = api.ask("HEAD", "/static/page.css", NONE, "").await;
    assert_eq!((head.field("etag"), &*head.body), (Some(etag), ""));
}

#[tokio::test]
async fn the_license_of_the_charts_is_served_beside_them() {
    let license = api()
        .await
        .ask("GET", "/static/uPlot.LICENSE", NONE, "")
        .await;
    assert!(
        license.body.contains("The MIT License (MIT)"),
        "{}",
        license.body
    );
    assert!(license.body.contains("Leon Sorokin"));
}

#[tokio::test]
async fn the_table_needs_no_script() {
    let cache = Cache::builder().prefix("shown").build().unwrap();
    let api = Api::of(&cache).await;
    cache
        .scope(async {
            for n in [1, 1, 1, 2] {
                shown_in_a_table(n).await;
            }
        })
        .await;
    let table = api.ask("GET", "/table", READ, "").await;
    assert_eq!(
        table.field("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert_eq!(table.field("cache-control"), Some("no-store"));
    assert!(!table.body.contains("<script"));
    let row = table
        .body
        .lines()
        .find(|line| line.contains("shown_in_a_table"));
    let row = row.expect("it is in the table");
    // Of a template, nothing may become an element.
    for part in [
        "shown-in-a-table:&lt;&lt;n&gt;&gt;",
        ">60s<",
        ">4<",
        ">50.0 %<",
    ] {
        assert!(row.contains(part), "{part}: {row}");
    }
}
