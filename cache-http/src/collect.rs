//! Reading a body that may be stored.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame};

use crate::body::PageBody;

/// Result of reading a body.
pub(crate) enum Collected<B: Body> {
    /// All of it.
    Whole(Bytes),
    /// It can't be stored: it is longer than the limit, has trailers, doesn't have the promised
    /// length, or broke off. The response goes on where reading stopped.
    Unstorable(PageBody<B>),
}

/// Read a body up to `limit` bytes. `length` is what `Content-Length` says.
///
/// Cancel safety: what was read is lost, with the response.
pub(crate) async fn collect<B>(body: B, limit: usize, length: Option<u64>) -> Collected<B>
where
    B: Body<Data = Bytes>,
{
    let mut rest = Box::pin(body);
    let too_long = |bytes: u64| bytes > limit as u64;
    if length.is_some_and(too_long) || too_long(rest.size_hint().lower()) {
        return Collected::Unstorable(PageBody::begun(VecDeque::new(), rest, None, false));
    }
    let (mut read, mut bytes) = (VecDeque::new(), 0_usize);
    loop {
        match next(&mut rest).await {
            None => break,
            Some(Err(error)) => {
                return Collected::Unstorable(PageBody::begun(read, rest, Some(error), false));
            }
            Some(Ok(frame)) => {
                let data = frame.data_ref().map(Bytes::len);
                bytes += data.unwrap_or_default();
                read.push_back(frame);
                if data.is_none() || bytes > limit {
                    return Collected::Unstorable(PageBody::begun(read, rest, None, false));
                }
            }
        }
    }
    match length.is_none_or(|length| length == bytes as u64) {
        true => Collected::Whole(joined(read, bytes)),
        false => Collected::Unstorable(PageBody::begun(read, rest, None, true)),
    }
}

async fn next<B: Body>(body: &mut Pin<Box<B>>) -> Option<Result<Frame<B::Data>, B::Error>> {
    poll_fn(|cx| body.as_mut().poll_frame(cx)).await
}

/// Longest body that is copied, whatever buffer it is in.
const ALWAYS_COPIED: usize = 64 << 10;

/// Join the frames. A part of a larger buffer, such as a connection's, would keep all of that in
/// memory, so it is copied; a long body that owns its buffer isn't.
fn joined(frames: VecDeque<Frame<Bytes>>, bytes: usize) -> Bytes {
    let mut frames = frames
        .into_iter()
        .filter_map(|frame| frame.into_data().ok());
    let Some(first) = frames.next() else {
        return Bytes::new();
    };
    if first.len() == bytes {
        return match bytes > ALWAYS_COPIED && first.is_unique() {
            true => first,
            false => Bytes::copy_from_slice(&first),
        };
    }
    let mut whole = BytesMut::with_capacity(bytes);
    whole.extend_from_slice(&first);
    frames.for_each(|frame| whole.extend_from_slice(&frame));
    whole.freeze()
}
