use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// The server's response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    pub body: String,
}

/// A user of a server, who opens one connection for each request and blocks until the response.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    server: SocketAddr,
    user: &'static str,
}

impl Client {
    /// Create a client that names its user in the header `x-user`.
    pub fn new(server: SocketAddr, user: &'static str) -> Self {
        Self { server, user }
    }

    /// Send `GET`.
    ///
    /// # Panics
    ///
    /// Without a response.
    pub fn get(&self, path: &str) -> Response {
        self.send("GET", path, "")
    }

    /// Send `PUT` with a text as the body.
    ///
    /// # Panics
    ///
    /// Without a response.
    pub fn put(&self, path: &str, text: &str) -> Response {
        self.send("PUT", path, text)
    }

    fn send(&self, method: &str, path: &str, body: &str) -> Response {
        let Self { server, user } = self;
        let message = format!(
            "{method} {path} HTTP/1.1\r\nhost: {server}\r\nconnection: close\r\nx-user: {user}\r\n\
             content-type: text/plain\r\ncontent-length: {}\r\n\r\n{body}",
            body.len(),
        );
        let reply = self.exchange(&message).expect("the server answers");
        parse(&reply).unwrap_or_else(|| panic!("{reply:?} is not an HTTP response"))
    }

    fn exchange(&self, message: &str) -> io::Result<String> {
        let mut stream = TcpStream::connect(self.server)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        stream.write_all(message.as_bytes())?;
        let mut reply = String::new();
        stream.read_to_string(&mut reply)?;
        Ok(reply)
    }
}

/// Parse `HTTP/1.1 200 OK`, header lines, an empty line, and the body up to the end of the
/// connection.
fn parse(reply: &str) -> Option<Response> {
    let (head, body) = reply.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let body = body.to_owned();
    Some(Response { status, body })
}
