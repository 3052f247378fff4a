//! `condition` sees the arguments by reference; the body may consume them afterwards.
use cache_runtime::{cacheable, invalidate};

struct Request {
    user: Option<String>,
    admin: bool,
}

#[cacheable(key = "pages:<<request.user>>", condition = request.user.is_some() && !request.admin)]
async fn page(request: Request) -> Option<String> {
    request.user
}

#[invalidate(patterns = ["pages:<<request.user>>"], condition = !request.admin)]
fn write(request: Request) -> Option<String> {
    let Request { user, .. } = request;
    user
}

fn main() {}
