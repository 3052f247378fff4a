//! The user of a request.

use std::future::{Ready, ready};
use std::rc::Rc;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, Result};

/// The user who sends a request. It isn't `Send`, and need not be.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) user: Rc<str>,
}

impl FromRequest for Session {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self>>;

    /// Trust the header `x-user`. (A real service would check a session here.)
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let user = request.headers().get("x-user");
        let user = user.and_then(|user| user.to_str().ok()).unwrap_or("anon");
        ready(Ok(Self { user: user.into() }))
    }
}
