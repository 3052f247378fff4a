//! `GET /table`: the functions as a page without JavaScript.

use std::fmt::Write as _;

use cache_runtime::Cache;
use http::StatusCode;

use super::fleet::Fleet;
use super::page::{HTML, with_policy};
use super::reply::Reply;

const HEAD: &str = "<!doctype html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<meta name=\"referrer\" content=\"no-referrer\">
<title>Functions · Cache</title>
<link rel=\"icon\" href=\"static/icon.svg\" type=\"image/svg+xml\">
<link rel=\"stylesheet\" href=\"static/page.css\">
</head>
<body>
<main>
";

/// Return the functions of the program with their counters.
///
/// Cancel safety: nothing is changed.
pub(super) async fn table(cache: &Cache) -> Reply {
    let fleet = Fleet::of(cache).await;
    let mut page = String::from(HEAD);
    let total = &fleet.total;
    let _ = write!(
        page,
        "<div class=\"head\"><h1>{}</h1><p class=\"soft\">{} calls, {} answered without running the \
         body. The <a href=\"./\">dashboard</a> needs JavaScript.</p></div>\n\
         <section class=\"panel\"><div class=\"scroll\"><table><caption>Functions</caption>\n\
         <thead><tr><th scope=\"col\">Function</th><th scope=\"col\">Key</th><th scope=\"col\">TTL</th>\
         <th scope=\"col\" class=\"number\">Calls</th><th scope=\"col\" class=\"number\">Hits</th>\
         <th scope=\"col\" class=\"number\">p50</th><th scope=\"col\" class=\"number\">p99</th></tr></thead>\n<tbody>\n",
        escaped(&fleet.prefix),
        total.calls,
        percent(total.hit_rate, total.calls),
    );
    for row in fleet.functions.iter().filter(|row| row.is_shown()) {
        let _ = writeln!(
            page,
            "<tr><th scope=\"row\">{}<span class=\"under\">{}</span></th><td class=\"wrap mono\">{}</td>\
             <td>{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td>\
             <td class=\"number\">{}</td><td class=\"number\">{}</td></tr>",
            escaped(&row.name),
            escaped(&row.module),
            escaped(&row.templates.join(" ")),
            escaped(&row.ttl),
            row.counts.calls,
            percent(row.counts.hit_rate, row.counts.calls),
            seconds(row.counts.p50),
            seconds(row.counts.p99),
        );
    }
    page.push_str("</tbody></table></div></section>\n</main>\n</body>\n</html>\n");
    with_policy(Reply::text(StatusCode::OK, HTML, page.into_bytes()))
}

fn percent(rate: f64, calls: u64) -> String {
    match calls {
        0 => "–".to_owned(),
        _ => format!("{:.1} %", rate * 100.0),
    }
}

fn seconds(time: Option<f64>) -> String {
    match time {
        None => "–".to_owned(),
        Some(time) if time < 1.0 => format!("{:.1} ms", time * 1_000.0),
        Some(time) => format!("{time:.1} s"),
    }
}

/// Escape text for an element or an attribute in quotes.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            character => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_an_element() {
        let hostile = "\"><img src=x onerror='alert(1)'>&";
        let expected = "&quot;&gt;&lt;img src=x onerror=&#39;alert(1)&#39;&gt;&amp;";
        assert_eq!(escaped(hostile), expected);
    }
}
