//! The body of an answer.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::stream::Events;

/// The body of an answer of [`AdminService`](crate::AdminService): whole, in memory, or the events
/// of `GET /events`, which end when it is dropped.
#[derive(Debug, Default)]
pub struct AdminBody(Content);

#[derive(Debug)]
enum Content {
    Whole(Option<Bytes>),
    Events(Box<Events>),
}

impl Default for Content {
    fn default() -> Self {
        Self::Whole(None)
    }
}

impl AdminBody {
    pub(super) fn new(bytes: Bytes) -> Self {
        Self(Content::Whole((!bytes.is_empty()).then_some(bytes)))
    }

    pub(super) fn events(events: Box<Events>) -> Self {
        Self(Content::Events(events))
    }
}

impl Body for AdminBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = match &mut self.0 {
            Content::Whole(body) => Poll::Ready(body.take()),
            Content::Events(events) => events.poll_next(cx),
        };
        next.map(|body| body.map(|body| Ok(Frame::data(body))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.0, Content::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Content::Whole(body) => {
                SizeHint::with_exact(body.as_ref().map_or(0, |body| body.len() as u64))
            }
            Content::Events(_) => SizeHint::default(),
        }
    }
}
