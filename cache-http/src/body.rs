//! The body of a response that has passed the layer.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

pin_project! {
    /// The body of a response of [`CacheService`](crate::CacheService): one from the cache, or the
    /// handler's.
    pub struct PageBody<B>
    where
        B: Body,
    {
        #[pin]
        kind: Kind<B>,
    }
}

pin_project! {
    #[project = KindProjection]
    enum Kind<B>
    where
        B: Body,
    {
        // A whole body.
        Whole { body: Option<Bytes> },
        // The handler's.
        Inner { #[pin] body: B },
        // The handler's, of which the first frames have been read.
        Begun {
            read: VecDeque<Frame<B::Data>>,
            rest: Pin<Box<B>>,
            // An error that came after these frames.
            error: Option<B::Error>,
            // The server has had the chance to send what was read.
            is_flushed: bool,
            ended: bool,
        },
    }
}

impl<B: Body> PageBody<B> {
    pub(crate) fn whole(body: Bytes) -> Self {
        let body = (!body.is_empty()).then_some(body);
        Self {
            kind: Kind::Whole { body },
        }
    }

    pub(crate) fn inner(body: B) -> Self {
        Self {
            kind: Kind::Inner { body },
        }
    }

    /// A body of which the first frames have been read.
    pub(crate) fn begun(
        read: VecDeque<Frame<B::Data>>,
        rest: Pin<Box<B>>,
        error: Option<B::Error>,
        ended: bool,
    ) -> Self {
        Self {
            kind: Kind::Begun {
                read,
                rest,
                error,
                is_flushed: false,
                ended,
            },
        }
    }
}

impl<B: Body<Data = Bytes>> Body for PageBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.project().kind.project() {
            KindProjection::Whole { body } => {
                Poll::Ready(body.take().map(|body| Ok(Frame::data(body))))
            }
            KindProjection::Inner { body } => body.poll_frame(cx),
            KindProjection::Begun {
                read,
                rest,
                error,
                is_flushed,
                ended,
            } => {
                if let Some(frame) = read.pop_front() {
                    return Poll::Ready(Some(Ok(frame)));
                }
                // At an error, a server of HTTP/1 drops what it hasn't sent, the status included.
                if error.is_some() && !*is_flushed {
                    *is_flushed = true;
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
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
        match &self.kind {
            Kind::Whole { body } => body.is_none(),
            Kind::Inner { body } => body.is_end_stream(),
            Kind::Begun {
                read,
                rest,
                error,
                ended,
                ..
            } => read.is_empty() && error.is_none() && (*ended || rest.is_end_stream()),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Whole { body } => {
                SizeHint::with_exact(body.as_ref().map_or(0, |body| body.len() as u64))
            }
            Kind::Inner { body } => body.size_hint(),
            Kind::Begun {
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
        f.write_str(match self.kind {
            Kind::Whole { .. } => "PageBody(whole)",
            Kind::Inner { .. } | Kind::Begun { .. } => "PageBody(of the handler)",
        })
    }
}
