//! The path parameters of a route, decoded.

use http::request::Parts;

use crate::no_key::NoKey;

/// The path parameters of a request, in the route's order, and which of them are in the key's path.
#[derive(Debug, Default)]
pub(crate) struct Parameters {
    #[cfg(feature = "axum")]
    found: Option<axum::extract::RawPathParams>,
    /// Those of a URL that isn't the request's.
    listed: Vec<(String, String)>,
    /// A bit for each of the first 64.
    taken: u64,
}

impl Parameters {
    /// Read the parameters of a route of axum. Any other request has none.
    ///
    /// # Errors
    ///
    /// A parameter isn't UTF-8.
    #[cfg(feature = "axum")]
    pub(crate) fn of(parts: &mut Parts) -> Result<Self, NoKey> {
        use std::future::Future as _;
        use std::pin::pin;
        use std::task::{Context, Poll, Waker};

        use axum::extract::rejection::RawPathParamsRejection;
        use axum::extract::{FromRequestParts as _, RawPathParams};

        use crate::rules::target::Unkeyable;

        let extracting = pin!(RawPathParams::from_request_parts(parts, &()));
        // It waits for nothing.
        let Poll::Ready(extracted) = extracting.poll(&mut Context::from_waker(Waker::noop()))
        else {
            return Err(Unkeyable::Utf8.into());
        };
        match extracted {
            Ok(found) => Ok(Self {
                found: Some(found),
                ..Self::default()
            }),
            // Outside of a router of axum.
            Err(RawPathParamsRejection::MissingPathParams(_)) => Ok(Self::default()),
            Err(_) => Err(Unkeyable::Utf8.into()),
        }
    }

    /// Without axum, routes have no parameters that the layer knows.
    #[cfg(not(feature = "axum"))]
    pub(crate) fn of(_: &mut Parts) -> Result<Self, NoKey> {
        Ok(Self::default())
    }

    /// The parameters of a URL that isn't the request's.
    pub(crate) fn listed(listed: Vec<(String, String)>) -> Self {
        Self {
            listed,
            ..Self::default()
        }
    }

    fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let listed = self.listed.iter();
        let listed = listed.map(|(name, value)| (&**name, &**value));
        #[cfg(feature = "axum")]
        let listed = self.found.iter().flatten().chain(listed);
        listed
    }

    /// Return the value of a parameter, which is in the key's path from now on.
    pub(crate) fn take(&mut self, name: &str) -> Option<&str> {
        let nth = self.iter().position(|(known, _)| known == name)?;
        self.taken |= bit(nth);
        self.iter().nth(nth).map(|(_, value)| value)
    }

    /// Iterate over the parameters that aren't in the key's path: names and values.
    pub(crate) fn rest(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.iter().enumerate();
        all.filter(|(nth, _)| self.taken & bit(*nth) == 0)
            .map(|(_, parameter)| parameter)
    }

    /// Append the path as it was sent, in which a control character, which no path has, is in place
    /// of a value that is in the key's path. So most pages of a route have the same variant, which
    /// is remembered and need not be hashed. With the values, the path can be told from it.
    pub(crate) fn push_sent(&self, path: &str, out: &mut Vec<u8>) {
        let taken = self.iter().enumerate().take(32);
        let mut taken = taken.filter(|(nth, _)| self.taken & bit(*nth) != 0);
        let mut next = taken.next();
        for (at, segment) in path.split('/').enumerate() {
            if at > 0 {
                out.push(b'/');
            }
            match next {
                Some((nth, (_, value))) if value == segment && !value.is_empty() => {
                    out.push(nth as u8);
                    next = taken.next();
                }
                _ => out.extend_from_slice(segment.as_bytes()),
            }
        }
    }
}

/// A parameter beyond the 64th counts as one that isn't in the path: it is in the variant as well.
fn bit(nth: usize) -> u64 {
    u32::try_from(nth)
        .ok()
        .and_then(|nth| 1_u64.checked_shl(nth))
        .unwrap_or(0)
}
