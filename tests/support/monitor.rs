//! The commands that a server runs (`MONITOR`).

use std::future::Future;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use crate::RedisServer;

/// Text of the command that ends a recording. Nothing else contains it: scripts are sent as text, and
/// their comments were once taken for it.
const LAST: &str = "monitor:last:7c1f";

/// A command that a server has run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Monitored {
    /// Name in upper case.
    pub name: String,
    /// Whether a script ran it, which costs no round trip.
    pub in_script: bool,
    /// The whole line that the server printed.
    line: String,
}

/// Return the commands that a server runs while `act` runs. `CLIENT` is left out: connections send
/// it whenever they are opened.
pub async fn monitored(server: &RedisServer, act: impl Future<Output = ()>) -> Vec<Monitored> {
    let mut monitor = TcpStream::connect(("127.0.0.1", server.port())).expect("it listens");
    monitor
        .write_all(b"MONITOR\r\n")
        .expect("the server reads it");
    let mut lines = BufReader::new(monitor).lines();
    lines.next();
    act.await;
    let _: String = redis::cmd("ECHO")
        .arg(LAST)
        .query(&mut server.connect())
        .expect("the server answers");
    lines
        .map(|line| line.expect("the server goes on"))
        .take_while(|line| !line.contains(LAST))
        .map(|line| Monitored {
            name: line.split('"').nth(1).unwrap_or_default().to_uppercase(),
            in_script: line.contains(" lua]"),
            line,
        })
        .filter(|command| command.name != "CLIENT")
        .collect()
}

/// Return the commands that clients send while `act` runs, without those that scripts run: these
/// cost no round trip.
pub async fn sent_during(server: &RedisServer, act: impl Future<Output = ()>) -> Vec<String> {
    let commands = monitored(server, act).await.into_iter();
    commands
        .filter(|command| !command.in_script)
        .map(|command| command.name)
        .collect()
}

/// Return those of [`sent_during`] that name a key of this beginning. Background work, such as the
/// sweeper of the index, isn't among them.
pub async fn sent_for(
    server: &RedisServer,
    beginning: &str,
    act: impl Future<Output = ()>,
) -> Vec<String> {
    let quoted = format!("\"{beginning}");
    let commands = monitored(server, act).await.into_iter();
    commands
        .filter(|command| !command.in_script && command.line.contains(&quoted))
        .map(|command| command.name)
        .collect()
}
