//! A minimal HTTP client for the demo: one request per connection.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A request of the demo.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    pub method: &'static str,
    pub path: &'static str,
    /// The id in the `x-user` header.
    pub user: Option<i64>,
    /// JSON, or empty.
    pub body: &'static str,
}

/// The server's response.
#[derive(Debug, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    pub body: String,
}

/// Send the request and read the whole response.
pub async fn send(server: SocketAddr, request: &Request) -> io::Result<Response> {
    let Request {
        method,
        path,
        user,
        body,
    } = request;
    let user = user
        .map(|id| format!("x-user: {id}\r\n"))
        .unwrap_or_default();
    let message = format!(
        "{method} {path} HTTP/1.1\r\nhost: {server}\r\nconnection: close\r\n{user}\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len(),
    );
    let mut stream = TcpStream::connect(server).await?;
    stream.write_all(message.as_bytes()).await?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await?;
    parse(&reply).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, reply))
}

/// Parse `HTTP/1.1 200 OK`, header lines, an empty line, and the body up to the end of the
/// connection.
fn parse(reply: &str) -> Option<Response> {
    let (head, body) = reply.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Response {
        status,
        body: body.to_owned(),
    })
}
