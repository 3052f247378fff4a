//! The body of a response that has passed the layer.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// The body of a response of [`CacheService`](crate::CacheService): one from the cache, or the
/// handler's.
pub struct PageBody<B: Body>(Kind<B>);

enum Kind<B: Body> {
    /// A whole body.
    Whole(Option<Bytes>),
    /// The handler's body, of which the first frames have been read.
    Inner {
        read: VecDeque<Frame<B::Data>>,
        rest: Pin<Box<B>>,
        /// An error that came after these frames.
        error: Option<B::Error>,
        ended: bool,
    },
}

impl<B: Body> PageBody<B> {
    pub(crate) fn whole(body: Bytes) -> Self {
        Self(Kind::Whole((!body.is_empty()).then_some(body)))
    }

    pub(crate) fn inner(rest: B) -> Self {
        Self::begun(VecDeque::new(), Box::pin(rest), None, false)
    }

    /// A body of which the first frames have been read.
    pub(crate) fn begun(
        read: VecDeque<Frame<B::Data>>,
        rest: Pin<Box<B>>,
        error: Option<B::Error>,
        ended: bool,
    ) -> Self {
        Self(Kind::Inner {
            read,
            rest,
            error,
            ended,
        })
    }
}

// Nothing in it is pinned but the boxed body.
impl<B: Body> Unpin for PageBody<B> {}

impl<B: Body<Data = Bytes>> Body for PageBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match &mut self.0 {
            Kind::Whole(body) => Poll::Ready(body.take().map(|body| Ok(Frame::data(body)))),
            Kind::Inner {
                read,
                rest,
                error,
                ended,
            } => {
                if let Some(frame) = read.pop_front() {
                    return Poll::Ready(Some(Ok(frame)));
                }
                if let Some(error) = error.take() {
                    *ended = true;
                    return Poll::Ready(Some(Err(error)));
                }
                if *ended {
                    return Poll::Ready(None);
                }
                rest.as_mut().poll_frame(cx)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Whole(body) => body.is_none(),
            Kind::Inner {
                read,
                rest,
                error,
                ended,
            } => read.is_empty() && error.is_none() && (*ended || rest.is_end_stream()),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Whole(body) => {
                SizeHint::with_exact(body.as_ref().map_or(0, |body| body.len() as u64))
            }
            Kind::Inner {
                read, rest, ended, ..
            } => {
                let begun: usize = read
                    .iter()
                    .filter_map(Frame::data_ref)
                    .map(Bytes::len)
                    .sum();
                let begun = begun as u64;
                let rest = match ended {
                    true => SizeHint::with_exact(0),
                    false => rest.size_hint(),
                };
                let mut hint = SizeHint::new();
                hint.set_lower(rest.lower().saturating_add(begun));
                if let Some(upper) = rest.upper() {
                    hint.set_upper(upper.saturating_add(begun));
                }
                hint
            }
        }
    }
}

impl<B: Body> fmt::Debug for PageBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kind::Whole(_) => "PageBody(whole)",
            Kind::Inner { .. } => "PageBody(of the handler)",
        })
    }
}
