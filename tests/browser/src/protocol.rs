//! The DevTools protocol: commands and events as JSON over a WebSocket.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

type Replies = Arc<Mutex<HashMap<u64, oneshot::Sender<Value>>>>;
type Events = Arc<Mutex<Vec<Value>>>;

/// A connection to the browser.
#[derive(Clone)]
pub(crate) struct Connection {
    commands: mpsc::UnboundedSender<Value>,
    replies: Replies,
    events: Events,
    next: Arc<AtomicU64>,
}

impl Connection {
    pub(crate) async fn open(url: &str) -> Self {
        let (socket, _) = connect_async(url).await.expect("the browser listens");
        let (mut sink, mut stream) = socket.split();
        let (commands, mut outgoing) = mpsc::unbounded_channel::<Value>();
        let (replies, events) = (Replies::default(), Events::default());
        tokio::spawn(async move {
            while let Some(command) = outgoing.recv().await {
                if sink.send(Message::text(command.to_string())).await.is_err() {
                    return;
                }
            }
        });
        let (replied, happened) = (Arc::clone(&replies), Arc::clone(&events));
        tokio::spawn(async move {
            while let Some(Ok(message)) = stream.next().await {
                let Message::Text(text) = message else {
                    continue;
                };
                let message: Value = serde_json::from_str(&text).expect("it is JSON");
                match message["id"].as_u64() {
                    Some(id) => {
                        let waiting = replied.lock().unwrap().remove(&id);
                        if let Some(waiting) = waiting {
                            let _ = waiting.send(message);
                        }
                    }
                    None => happened.lock().unwrap().push(message),
                }
            }
        });
        Self {
            commands,
            replies,
            events,
            next: Arc::default(),
        }
    }

    /// Send a command, to the browser or to a session with a page, and return its result.
    pub(crate) async fn send(
        &self,
        session: Option<&str>,
        method: &str,
        parameters: Value,
    ) -> Value {
        let result = self.try_send(session, method, parameters).await;
        result.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Send a command that may fail, as one to a page that is left meanwhile.
    pub(crate) async fn try_send(
        &self,
        session: Option<&str>,
        method: &str,
        parameters: Value,
    ) -> Result<Value, String> {
        let id = self.next.fetch_add(1, Ordering::Relaxed) + 1;
        let (reply, replied) = oneshot::channel();
        self.replies.lock().unwrap().insert(id, reply);
        let mut command = json!({"id": id, "method": method, "params": parameters});
        if let Some(session) = session {
            command["sessionId"] = json!(session);
        }
        self.commands
            .send(command)
            .expect("the browser is connected");
        let reply = timeout(Duration::from_secs(60), replied).await;
        let reply = reply.unwrap_or_else(|_| panic!("no reply to {method}"));
        let mut reply = reply.expect("the browser is connected");
        match reply.get("error") {
            None => Ok(reply["result"].take()),
            Some(error) => Err(format!("{method}: {error}")),
        }
    }

    /// Return the events of this kind so far.
    pub(crate) fn events(&self, method: &str) -> Vec<Value> {
        let events = self.events.lock().unwrap();
        let of_kind = events.iter().filter(|event| event["method"] == method);
        of_kind.map(|event| event["params"].clone()).collect()
    }
}
