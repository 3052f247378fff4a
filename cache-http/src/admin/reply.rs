//! One answer, before it is a response.

use std::borrow::Cow;
use std::fmt::Display;

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS,
};
use http::{Response, StatusCode};
use serde::Serialize;

use super::body::AdminBody;
use super::stream::Events;

/// An answer. Also the error of what a request needs: a refusal.
#[derive(Debug)]
pub(super) struct Reply {
    status: StatusCode,
    content_type: Option<&'static str>,
    cache_control: &'static str,
    body: Content,
    fields: Vec<(HeaderName, HeaderValue)>,
}

#[derive(Debug)]
enum Content {
    Whole(Cow<'static, [u8]>),
    Events(Box<Events>),
}

#[derive(Serialize)]
struct Failure {
    status: &'static str,
    error: String,
}

impl Reply {
    pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(body) => Self::text(status, "application/json", body),
            // The types here have no map with keys that aren't text, and no failing `Serialize`.
            Err(error) => {
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                Self::text(status, "text/plain", error.to_string().into_bytes())
            }
        }
    }

    pub(super) fn ok(body: &impl Serialize) -> Self {
        Self::json(StatusCode::OK, body)
    }

    pub(super) fn text(
        status: StatusCode,
        content_type: &'static str,
        body: impl Into<Cow<'static, [u8]>>,
    ) -> Self {
        Self {
            content_type: Some(content_type),
            body: Content::Whole(body.into()),
            ..Self::empty(status)
        }
    }

    pub(super) fn empty(status: StatusCode) -> Self {
        Self {
            status,
            content_type: None,
            // Figures are of this moment, and of someone with rights.
            cache_control: "no-store",
            body: Content::Whole(Cow::Borrowed(&[])),
            fields: Vec::new(),
        }
    }

    pub(super) fn events(events: Events) -> Self {
        Self {
            content_type: Some("text/event-stream"),
            body: Content::Events(Box::new(events)),
            ..Self::empty(StatusCode::OK)
        }
        // A proxy must not wait for more.
        .with_static(HeaderName::from_static("x-accel-buffering"), "no")
    }

    pub(super) fn error(status: StatusCode, error: impl Display) -> Self {
        let failure = Failure {
            status: "error",
            error: error.to_string(),
        };
        Self::json(status, &failure)
    }

    /// Let it be stored, and asked for again each time. For what is the same for everyone.
    pub(super) fn validated(self) -> Self {
        Self {
            cache_control: "no-cache",
            ..self
        }
    }

    /// Add a field.
    pub(super) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.fields.push((name, value));
        self
    }

    /// Add a field with a fixed value.
    pub(super) fn with_static(self, name: HeaderName, value: &'static str) -> Self {
        self.with(name, HeaderValue::from_static(value))
    }

    /// Turn it into a response. `head`: one to `HEAD`, whose fields are those of `GET`.
    pub(super) fn into_response(self, head: bool) -> Response<AdminBody> {
        let (length, body) = match self.body {
            Content::Whole(body) => (Some(body.len()), AdminBody::new(whole(body))),
            Content::Events(events) => (None, AdminBody::events(events)),
        };
        let mut response = Response::new(match head {
            true => AdminBody::default(),
            false => body,
        });
        *response.status_mut() = self.status;
        let fields = response.headers_mut();
        if let Some(content_type) = self.content_type {
            fields.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        // A 304 has the fields of the answer that the client knows.
        if let Some(length) = length.filter(|_| self.status != StatusCode::NOT_MODIFIED) {
            fields.insert(CONTENT_LENGTH, length.into());
        }
        fields.insert(CACHE_CONTROL, HeaderValue::from_static(self.cache_control));
        // A browser must not take an answer for a script or a page, nor show it to another site.
        fields.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        fields.insert(
            HeaderName::from_static("cross-origin-resource-policy"),
            HeaderValue::from_static("same-origin"),
        );
        fields.extend(self.fields);
        response
    }
}

fn whole(body: Cow<'static, [u8]>) -> Bytes {
    match body {
        Cow::Borrowed(body) => Bytes::from_static(body),
        Cow::Owned(body) => body.into(),
    }
}
