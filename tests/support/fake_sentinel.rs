//! A sentinel whose answers the test chooses.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// A sentinel that answers with a master of the test's choice: a real sentinel's view can't be
/// controlled.
#[derive(Debug)]
pub struct FakeSentinel {
    port: u16,
    known: Arc<Mutex<Known>>,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    master: u16,
    epoch: u64,
    late: Duration,
}

impl FakeSentinel {
    /// Start a sentinel that reports the server at `master`, as of the failover with number
    /// `epoch`.
    pub fn naming(master: u16, epoch: u64) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let known = Arc::new(Mutex::new(Known {
            master,
            epoch,
            late: Duration::ZERO,
        }));
        let shared = Arc::clone(&known);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                thread::spawn(move || serve(&client, &shared));
            }
        });
        Self { port, known }
    }

    /// Delay its answers by `late`.
    pub fn late(self, late: Duration) -> Self {
        self.known.lock().expect("nobody panics with it").late = late;
        self
    }

    /// Report another server from now on.
    pub fn name(&self, master: u16, epoch: u64) {
        let mut known = self.known.lock().expect("nobody panics with it");
        (known.master, known.epoch) = (master, epoch);
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

fn serve(client: &TcpStream, known: &Mutex<Known>) {
    let mut reader = BufReader::new(client);
    let mut writer = client;
    while let Some(command) = read_command(&mut reader) {
        let Known {
            master,
            epoch,
            late,
        } = *known.lock().expect("nobody panics with it");
        thread::sleep(late);
        let words: Vec<String> = match command.get(1).map(String::as_str) {
            Some("MASTER") => ["name", &command[2], "config-epoch", &epoch.to_string()]
                .map(str::to_owned)
                .to_vec(),
            _ => vec!["127.0.0.1".to_owned(), master.to_string()],
        };
        let mut reply = format!("*{}\r\n", words.len());
        for word in words {
            reply += &format!("${}\r\n{word}\r\n", word.len());
        }
        if writer.write_all(reply.as_bytes()).is_err() {
            return;
        }
    }
}

/// The words of the next command, or `None` at the end of the stream.
fn read_command(reader: &mut impl BufRead) -> Option<Vec<String>> {
    let count = read_number(reader, '*')?;
    let mut words = Vec::with_capacity(count);
    for _ in 0..count {
        let length = read_number(reader, '$')?;
        let mut word = vec![0; length + 2];
        reader.read_exact(&mut word).ok()?;
        word.truncate(length);
        words.push(String::from_utf8(word).ok()?);
    }
    Some(words)
}

fn read_number(reader: &mut impl BufRead, mark: char) -> Option<usize> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    line.trim().strip_prefix(mark)?.parse().ok()
}
