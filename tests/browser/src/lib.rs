//! A real Chromium, driven over its DevTools protocol, and a service to look at.

mod browser;
mod page;
mod protocol;
mod service;

pub use browser::Browser;
pub use page::{Key, Page};
pub use service::{Service, TOKEN};
