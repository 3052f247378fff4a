//! A blocking HTTP client: one request per connection.

use std::fmt;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    /// The id in the `x-user` header.
    pub(crate) user: Option<usize>,
    /// JSON, or empty.
    pub(crate) body: String,
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, path, .. } = self;
        write!(f, "{method} {path} as {:?} {}", self.user, self.body)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// Send the request and read the whole response.
pub(crate) fn send(server: SocketAddr, request: &Request) -> Response {
    let mut stream = begin(server, request);
    let mut reply = String::new();
    stream.read_to_string(&mut reply).expect("a response");
    let (head, body) = reply.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.split(' ').nth(1).expect("a status");
    Response {
        status: status.parse().expect("a number"),
        body: body.to_owned(),
    }
}

/// Send the request, and hang up before the response.
pub(crate) fn hang_up(server: SocketAddr, request: &Request) {
    begin(server, request);
}

fn begin(server: SocketAddr, request: &Request) -> TcpStream {
    let Request { method, path, .. } = request;
    let user = request.user.map(|id| format!("x-user: {id}\r\n"));
    let message = format!(
        "{method} {path} HTTP/1.1\r\nhost: {server}\r\nconnection: close\r\n{}\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{}",
        user.unwrap_or_default(),
        request.body.len(),
        request.body,
    );
    let mut stream = TcpStream::connect(server).expect("the server accepts");
    let patience = Some(Duration::from_secs(60));
    stream.set_read_timeout(patience).expect("a timeout");
    stream.write_all(message.as_bytes()).expect("it is sent");
    stream
}
