//! A minimal GraphQL client for the demo and the tests: one request per connection.

use std::io;
use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The server's response.
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    /// The status of HTTP. An error of a resolver is 200, too.
    pub status: u16,
    /// The members `data` and `errors` of GraphQL; `null` if the body is something else.
    pub body: Value,
}

/// Send an operation as the viewer with this token, and read the whole response.
///
/// # Errors
///
/// Those of the connection, and that the response isn't one of HTTP.
pub async fn send(
    server: SocketAddr,
    token: Option<&str>,
    operation: &str,
) -> io::Result<Response> {
    let body = json!({ "query": operation }).to_string();
    let token = token.map(|token| format!("authorization: Bearer {token}\r\n"));
    let message = format!(
        "POST /graphql HTTP/1.1\r\nhost: {server}\r\nconnection: close\r\n{}\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        token.unwrap_or_default(),
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
    let body = serde_json::from_str(body).unwrap_or_default();
    Some(Response { status, body })
}
