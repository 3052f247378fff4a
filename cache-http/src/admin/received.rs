//! The body of a request.

use std::future::poll_fn;
use std::pin::pin;

use bytes::Buf;
use http::StatusCode;
use http_body::Body;

use super::reply::Reply;

/// Longest body of a request, in bytes. A pattern is a line.
const LIMIT: usize = 16 << 10;

/// Read the body of a request. The refusal of one that is too long, or that breaks off.
///
/// Cancel safety: what was read is lost, and nothing has been changed.
pub(super) async fn read<B: Body>(body: B) -> Result<Vec<u8>, Reply> {
    let too_long = || {
        let reason = format!("the body is longer than {LIMIT} bytes");
        Reply::error(StatusCode::PAYLOAD_TOO_LARGE, reason)
    };
    if body.size_hint().lower() > LIMIT as u64 {
        return Err(too_long());
    }
    let mut body = pin!(body);
    let mut read = Vec::new();
    while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        // The error's type is the server's: it may have no text.
        let frame = frame.map_err(|_| {
            Reply::error(StatusCode::BAD_REQUEST, "the body of the request broke off")
        })?;
        let Ok(mut data) = frame.into_data() else {
            continue;
        };
        if read.len() + data.remaining() > LIMIT {
            return Err(too_long());
        }
        while data.has_remaining() {
            let chunk = data.chunk();
            read.extend_from_slice(chunk);
            let length = chunk.len();
            data.advance(length);
        }
    }
    Ok(read)
}
