//! The server's end of the tracked connection, and its driver in the process.

use shuttle::sync::mpsc::{Receiver, Sender};

use super::KEY;
use crate::store::near::NearCache;

/// A message on the tracked connection.
pub(super) enum Message {
    Reply(Sender<u64>, u64),
    Changed,
    /// All keys: the server was flushed.
    Flushed,
}

/// The server's side of one key.
pub(super) struct Server {
    pub(super) version: u64,
    pub(super) tracked: bool,
    pub(super) wire: Sender<Message>,
}

impl Server {
    pub(super) fn tell(&mut self) {
        if std::mem::take(&mut self.tracked) {
            // The receiver is gone once the connection is.
            let _ = self.wire.send(Message::Changed);
        }
    }
}

/// Run the connection's driver: it processes a push before it delivers any later reply.
pub(super) fn drive(near: &NearCache, term: u64, messages: &Receiver<Message>) {
    while let Ok(message) = messages.recv() {
        match message {
            Message::Reply(reply, version) => {
                let _ = reply.send(version);
            }
            Message::Changed => drop(near.void(KEY)),
            Message::Flushed => drop(near.end(term)),
        }
    }
}
