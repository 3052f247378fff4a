//! A page in a browser: what is on it, what it logged, and what it asked for.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::protocol::Connection;

/// A page.
pub struct Page {
    connection: Connection,
    session: String,
}

/// A key of the keyboard.
#[derive(Clone, Copy)]
pub enum Key {
    Tab,
    Enter,
    Escape,
}

impl Page {
    pub(crate) async fn new(connection: Connection, session: String) -> Self {
        let page = Self {
            connection,
            session,
        };
        for domain in ["Page", "Runtime", "Log", "Network"] {
            page.send(&format!("{domain}.enable"), json!({})).await;
        }
        page
    }

    pub async fn send(&self, method: &str, parameters: Value) -> Value {
        let session = Some(&*self.session);
        self.connection.send(session, method, parameters).await
    }

    pub async fn go(&self, url: &str) {
        self.send("Page.navigate", json!({"url": url})).await;
    }

    /// Evaluate an expression, and wait for its promise.
    pub async fn eval(&self, expression: &str) -> Value {
        let parameters =
            json!({"expression": expression, "awaitPromise": true, "returnByValue": true});
        let mut result = self.send("Runtime.evaluate", parameters).await;
        assert!(
            result.get("exceptionDetails").is_none(),
            "{expression}: {result}"
        );
        result["result"]["value"].take()
    }

    /// Wait until an expression is true.
    pub async fn until(&self, expression: &str) {
        let deadline = Instant::now() + Duration::from_secs(30);
        // In between two documents there is nothing to ask.
        let safe =
            format!("(() => {{ try {{ return !!({expression}); }} catch {{ return false; }} }})()");
        let parameters = json!({"expression": safe, "returnByValue": true});
        let is_true = || async {
            let session = Some(&*self.session);
            let evaluate = "Runtime.evaluate";
            let sent = self
                .connection
                .try_send(session, evaluate, parameters.clone());
            // A page that is left meanwhile has no answer.
            sent.await
                .is_ok_and(|answer| answer["result"]["value"] == true)
        };
        while !is_true().await {
            if Instant::now() > deadline {
                let text = self.eval("document.body.innerText").await;
                panic!(
                    "never true: {expression}; the page:\n{}",
                    text.as_str().unwrap_or("")
                );
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Wait until a text is on the page.
    pub async fn until_text(&self, text: &str) {
        let text = json!(text);
        self.until(&format!("document.body.innerText.includes({text})"))
            .await;
    }

    /// Wait for a button with this name, and click it.
    pub async fn click(&self, name: &str) {
        let find = format!(
            "[...document.querySelectorAll('dialog[open] button, body:not(:has(dialog[open])) :is(button, a)')] \
             .find(one => (one.getAttribute('aria-label') ?? one.innerText).trim() === {})",
            json!(name)
        );
        // In one step, since the page may replace it at any time; and once this is answered, since
        // the click may lead to another page.
        let click = format!("(one => one && (setTimeout(() => one.click()), true))({find})");
        self.until(&click).await;
    }

    /// Type into the element that has the focus.
    pub async fn write(&self, text: &str) {
        self.send("Input.insertText", json!({"text": text})).await;
    }

    pub async fn press(&self, key: Key) {
        let (name, code, text) = match key {
            Key::Tab => ("Tab", 9, ""),
            Key::Enter => ("Enter", 13, "\r"),
            Key::Escape => ("Escape", 27, ""),
        };
        for kind in ["keyDown", "keyUp"] {
            let mut event = json!({
                "type": kind, "key": name, "code": name, "windowsVirtualKeyCode": code,
            });
            if kind == "keyDown" && !text.is_empty() {
                event["text"] = json!(text);
            }
            self.send("Input.dispatchKeyEvent", event).await;
        }
    }

    /// Press Tab until an expression about `document.activeElement` as `at` is true.
    pub async fn tab_to(&self, expression: &str) {
        let is_there = format!("(at => !!({expression}))(document.activeElement)");
        for _ in 0..80 {
            if self.eval(&is_there).await == json!(true) {
                return;
            }
            self.press(Key::Tab).await;
        }
        panic!("the keyboard never reaches: {expression}");
    }

    /// Return what the page logged: errors, warnings, violations of the policy.
    pub fn log(&self) -> Vec<String> {
        let of = |event: &str| self.connection.events(event).into_iter();
        let thrown =
            of("Runtime.exceptionThrown").map(|event| event["exceptionDetails"].to_string());
        let printed = of("Runtime.consoleAPICalled").map(|event| event["args"].to_string());
        let logged = of("Log.entryAdded").map(|event| event["entry"].to_string());
        let asked = of("Page.javascriptDialogOpening").map(|event| event.to_string());
        thrown.chain(printed).chain(logged).chain(asked).collect()
    }

    /// Return the addresses that were asked for.
    pub fn requests(&self) -> Vec<String> {
        let events = self.connection.events("Network.requestWillBeSent");
        let urls = events.iter().map(|event| event["request"]["url"].as_str());
        urls.flatten().map(str::to_owned).collect()
    }
}
