//! The dashboard of the admin API in a real browser.

use browser_tests::{Browser, Key, Page, Service, TOKEN};
use serde_json::json;

const HOSTILE: &str = "\"><img src=x onerror=alert(1)>";

/// Open a page of the dashboard, with the token of the service.
async fn open(browser: &Browser, service: &Service, hash: &str) -> Page {
    let page = browser.page().await;
    page.go(&service.page("overview")).await;
    page.until("document.querySelector('dialog[open] #token')")
        .await;
    page.write(TOKEN).await;
    page.press(Key::Enter).await;
    page.until("document.querySelector('#state')?.dataset.level === 'ok'")
        .await;
    page.go(&service.page(hash)).await;
    page.until(&format!("location.hash === '#/{hash}'")).await;
    page
}

/// Assert that the page broke no rule: the one request without a token is logged by the browser.
fn assert_clean(page: &Page, service: &Service) {
    let is_expected = |line: &String| line.contains("401 (Unauthorized)");
    let log: Vec<String> = page
        .log()
        .into_iter()
        .filter(|line| !is_expected(line))
        .collect();
    assert!(log.is_empty(), "{log:#?}");
    let origin = format!("{}/deep/down/admin/cache", service.origin());
    for url in page.requests() {
        assert!(url.starts_with(&origin), "a request of {url}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_shown_without_an_error_a_violation_or_a_foreign_request() {
    let (browser, service) = (Browser::open().await, Service::start().await);
    let page = open(&browser, &service, "overview").await;
    page.until_text("Time saved").await;
    page.until("document.querySelectorAll('.chart canvas').length === 3")
        .await;
    let pages = [
        ("functions", "posts:<<id>>"),
        ("keys", "posts:"),
        ("writes", "Dead patterns"),
        ("live", "Nothing has changed yet"),
        ("doctor", "matches no key of the program"),
    ];
    for (name, text) in pages {
        page.go(&service.page(name)).await;
        page.until(&format!(
            "document.querySelector('nav [aria-current]').dataset.name === '{name}'"
        ))
        .await;
        page.until_text(text).await;
    }
    page.click("Theme: system").await;
    page.until("document.documentElement.dataset.theme === 'light'")
        .await;
    assert_clean(&page, &service);
    assert!(
        page.requests().len() > 20,
        "it asked for its files and figures"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mount_without_a_slash_leads_to_the_page() {
    let (browser, service) = (Browser::open().await, Service::for_readers().await);
    let page = browser.page().await;
    page.go(&service.mount()).await;
    page.until("document.querySelector('#state')?.dataset.level === 'ok'")
        .await;
    assert_eq!(
        page.eval("location.href").await,
        json!(format!("{}/", service.mount()))
    );
    assert_clean(&page, &service);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_asked_for_and_kept_for_the_tab_only() {
    let (browser, service) = (Browser::open().await, Service::start().await);
    let page = browser.page().await;
    page.go(&service.page("overview")).await;
    page.until("document.querySelector('dialog[open] #token')")
        .await;
    page.write("wrong").await;
    page.press(Key::Enter).await;
    page.until_text("That token has no rights here").await;
    page.write(TOKEN).await;
    page.click("Continue").await;
    page.until_text("Time saved").await;
    let kept = "[sessionStorage.length, JSON.stringify(localStorage).includes('token-of')]";
    assert_eq!(page.eval(kept).await, json!([1, false]));
    assert!(
        !page
            .eval("document.documentElement.outerHTML")
            .await
            .to_string()
            .contains(TOKEN)
    );
    page.click("Forget the token").await;
    page.until("document.querySelector('dialog[open] #token')")
        .await;
    page.click("Cancel").await;
    page.until_text("A token is needed").await;
    assert_eq!(page.eval("sessionStorage.length").await, json!(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_looks_like_an_element_is_text_everywhere() {
    let (browser, service) = (Browser::open().await, Service::start().await);
    let below = format!("{HOSTILE}:{HOSTILE}");
    let hostile = [(HOSTILE, HOSTILE.to_owned()), (&*below, HOSTILE.to_owned())];
    service.cache.set_many(hostile, 60).await.unwrap();
    let page = open(&browser, &service, "keys").await;
    // The tree.
    page.click(&format!("{HOSTILE}:")).await;
    page.until("document.querySelector('.tree ul .row')").await;
    // The entry, with its value.
    page.click(HOSTILE).await;
    page.click("Show the value").await;
    page.until(&format!(
        "document.querySelector('pre')?.innerText === JSON.stringify({})",
        json!(HOSTILE)
    ))
    .await;
    // The question whether to clear.
    page.click(&format!("Clear {HOSTILE}")).await;
    page.until("document.querySelector('dialog[open] li')")
        .await;
    page.until_text(&format!("This removes 1 entry: {HOSTILE}"))
        .await;
    page.click("Cancel").await;
    // A pattern and what it matches.
    page.eval("document.querySelector('#pattern').focus()")
        .await;
    page.write(&format!("{HOSTILE}:*")).await;
    page.until("document.querySelectorAll('.tree > li > .row > .open[aria-pressed]').length === 2")
        .await;
    // Changes.
    page.go(&service.page("live")).await;
    page.until("document.querySelector('h1')?.innerText === 'Live'")
        .await;
    page.until_text("0 changes").await;
    service.cache.set(HOSTILE, &1, 60).await.unwrap();
    page.until(&format!(
        "document.querySelector('tbody').innerText.includes({})",
        json!(HOSTILE)
    ))
    .await;
    assert_eq!(
        page.eval("document.querySelectorAll('img').length").await,
        json!(0)
    );
    assert_clean(&page, &service);
}

#[tokio::test(flavor = "multi_thread")]
async fn clearing_from_the_tree_ends_at_the_entry() {
    let (browser, service) = (Browser::open().await, Service::start().await);
    let entries = ["posts:42:page", "posts:420", "posts:4*", "posts:4?"];
    service
        .cache
        .set_many(entries.map(|key| (key, 1)), 60)
        .await
        .unwrap();
    let page = open(&browser, &service, "keys").await;
    page.click("posts:").await;
    for (path, is_confirmed) in [("posts:42", false), ("posts:42", true), ("posts:4*", true)] {
        page.click(&format!("Clear {path}")).await;
        page.until_text(&format!("This removes 1 entry: {path}"))
            .await;
        match is_confirmed {
            false => page.click("Cancel").await,
            true => page.click("Clear 1 entry").await,
        }
        // The branch is still open.
        let is_listed = format!(
            "[...document.querySelectorAll('.tree ul .act')].some(one => one.ariaLabel === {})",
            json!(format!("Clear {path}"))
        );
        match is_confirmed {
            false => page.until(&is_listed).await,
            true => {
                let rest = "document.querySelectorAll('.tree ul .row').length > 1";
                page.until(&format!("!{is_listed} && {rest}")).await;
            }
        }
        assert_eq!(service.has(path).await, !is_confirmed, "{path}");
    }
    for path in ["posts:42:page", "posts:420", "posts:4?"] {
        assert!(service.has(path).await, "{path}");
    }
    page.click("Clear everything below posts:").await;
    page.until_text("This removes 3 entries").await;
    page.click("Clear 3 entries").await;
    page.until_text("3 entries were cleared").await;
    assert!(!service.has("posts:420").await && service.has("settings").await);
    assert_clean(&page, &service);
}

#[tokio::test(flavor = "multi_thread")]
async fn values_are_hidden_until_they_are_asked_for() {
    let (browser, service) = (Browser::open().await, Service::start().await);
    let page = open(&browser, &service, "keys").await;
    page.click("posts:").await;
    page.click("42").await;
    page.until_text("Made by").await;
    let text = "document.documentElement.outerHTML.includes('secret text')";
    assert_eq!(page.eval(text).await, json!(false));
    page.click("Show the value").await;
    page.until_text("secret text of post 42").await;
    assert_clean(&page, &service);

    let readers = Service::for_readers().await;
    page.go(&readers.page("keys")).await;
    page.until("document.querySelector('h1')?.innerText === 'Keys'")
        .await;
    page.click("posts:").await;
    page.click("42").await;
    page.click("Show the value").await;
    page.until_text("values need `Access::Admin`").await;
    assert_eq!(page.eval(text).await, json!(false));
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_reached_by_keyboard() {
    let (browser, service) = (Browser::open().await, Service::start().await);
    let page = open(&browser, &service, "overview").await;
    page.until_text("Time saved").await;
    // A page, by its link.
    page.tab_to("at.dataset.name === 'functions'").await;
    page.press(Key::Enter).await;
    page.until("document.querySelectorAll('tbody tr').length >= 2")
        .await;
    // An order, by a heading, which keeps the focus.
    page.tab_to("at.innerText === 'Function'").await;
    let first = "document.querySelector('tbody th').firstChild.data";
    page.press(Key::Enter).await;
    page.until("document.activeElement.closest('[aria-sort=ascending]')")
        .await;
    assert_eq!(page.eval(first).await, json!("post"));
    page.press(Key::Enter).await;
    page.until("document.activeElement.closest('[aria-sort=descending]')")
        .await;
    assert_eq!(page.eval(first).await, json!("settings"));
    // The tree, and a question that Escape answers with no.
    page.go(&service.page("keys")).await;
    page.until("document.querySelector('.tree .open')").await;
    page.tab_to("at.classList.contains('open') && at.innerText.trim() === 'posts:'")
        .await;
    page.press(Key::Enter).await;
    page.until("document.querySelectorAll('.tree ul .row').length === 1")
        .await;
    page.tab_to("at.innerText.trim() === '42'").await;
    page.press(Key::Enter).await;
    page.until_text("Made by").await;
    page.tab_to("at.getAttribute('aria-label') === 'Clear posts:42'")
        .await;
    page.press(Key::Enter).await;
    page.until("document.querySelector('dialog[open]')").await;
    assert_eq!(
        page.eval("document.activeElement.innerText").await,
        json!("Cancel")
    );
    page.press(Key::Escape).await;
    page.until("!document.querySelector('dialog')").await;
    assert!(service.has("posts:42").await);
    // The graph says the same in words.
    page.go(&service.page("writes")).await;
    page.until("document.querySelector('svg g')").await;
    page.tab_to("at.getAttribute('aria-label')?.startsWith('service::update removes entries of: service::post')").await;
    page.until("document.querySelector('path.edge.on')").await;
    assert_clean(&page, &service);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_javascript_there_is_a_table() {
    let (browser, service) = (Browser::open().await, Service::for_readers().await);
    let page = browser.page().await;
    let disabled = json!({"value": true});
    page.send("Emulation.setScriptExecutionDisabled", disabled)
        .await;
    page.go(&service.page("overview")).await;
    page.until("location.pathname.endsWith('/table')").await;
    page.until_text("posts:<<id>>").await;
    assert_eq!(
        page.eval("document.querySelectorAll('tbody tr').length")
            .await,
        json!(2)
    );
    assert_clean(&page, &service);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_when_its_page_is_left() {
    let (browser, service) = (Browser::open().await, Service::start().await);
    let page = open(&browser, &service, "live").await;
    page.until_text("0 changes").await;
    // There are thirty-two places.
    for turn in 0..40 {
        let hash = if turn % 2 == 0 { "doctor" } else { "live" };
        page.go(&service.page(hash)).await;
        let title = if turn % 2 == 0 { "Doctor" } else { "Live" };
        page.until(&format!(
            "document.querySelector('h1')?.innerText === '{title}'"
        ))
        .await;
    }
    page.until_text("0 changes").await;
    service.cache.set("seen", &1, 60).await.unwrap();
    page.until_text("shop:seen").await;
    assert_clean(&page, &service);
}
