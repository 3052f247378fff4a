//! Access by a token in `Authorization: Bearer`.

use std::env;
use std::future::{Ready, ready};
use std::hint::black_box;
use std::sync::Arc;

use cache_runtime::CacheError;
use http::header::AUTHORIZATION;
use http::request::Parts;

use super::access::Access;

/// Give [`Access::Admin`] to requests with the token of an environment variable, in
/// `Authorization: Bearer`. Others are denied.
///
/// The variable is read once, now. The comparison takes the same time wherever a wrong token
/// differs. Use a random token of at least 128 bits, such as the output of `openssl rand -hex 32`.
///
/// ```no_run
/// use cache_http::{admin, bearer_env};
/// use cache_runtime::Cache;
///
/// # fn main() -> Result<(), cache_runtime::CacheError> {
/// let service = admin(Cache::current()).access(bearer_env("CACHE_ADMIN_TOKEN")?);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`CacheError::InvalidVariable`] if the variable isn't set, is empty, or has characters that a
/// request can't carry: a service without a token would be open, or useless. Set the variable.
pub fn bearer_env(
    variable: &str,
) -> Result<impl Fn(Parts) -> Ready<Access> + Clone + Send + Sync + use<>, CacheError> {
    let token = env::var_os(variable).unwrap_or_default();
    let checked = match token.to_str() {
        Some(token) => Token::new(token),
        None => Err(NOT_SENDABLE),
    };
    let token = checked.map_err(|reason| CacheError::InvalidVariable {
        variable: variable.to_owned(),
        reason: reason.to_owned(),
    })?;
    Ok(move |parts: Parts| ready(token.access_of(&parts)))
}

/// Give [`Access::Admin`] to requests with this token, in `Authorization: Bearer`. Others are
/// denied. For a token that isn't in an environment variable, see [`bearer_env`].
///
/// ```
/// use cache_http::{Access, admin, bearer};
/// use cache_runtime::Cache;
///
/// # fn main() -> Result<(), cache_runtime::CacheError> {
/// let token = bearer("2b1e0f0c5cd84f8a")?;
/// let cache = Cache::builder().build()?;
/// // Everyone may see the health.
/// let service = admin(&cache).access(move |parts| {
///     let health = parts.uri.path() == "/health";
///     let access = token(parts);
///     async move {
///         match access.await {
///             Access::Denied if health => Access::Read,
///             access => access,
///         }
///     }
/// });
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`CacheError::InvalidOption`] if the token is empty, or has characters that a request can't
/// carry.
pub fn bearer(
    token: &str,
) -> Result<impl Fn(Parts) -> Ready<Access> + Clone + Send + Sync + use<>, CacheError> {
    let token = Token::new(token).map_err(|reason| CacheError::InvalidOption {
        option: "bearer",
        reason: format!("the token {reason}"),
    })?;
    Ok(move |parts: Parts| ready(token.access_of(&parts)))
}

const EMPTY: &str =
    "is empty or isn't set; set a random token, such as the output of `openssl rand -hex 32`";
const NOT_SENDABLE: &str = "has white space or other characters that `Authorization: Bearer` can't carry; use letters, digits and `-._~+/=`";

/// A token that isn't empty. No `Debug`: it is a secret.
#[derive(Clone)]
struct Token(Arc<[u8]>);

impl Token {
    fn new(token: &str) -> Result<Self, &'static str> {
        if token.is_empty() {
            return Err(EMPTY);
        }
        match token.bytes().all(|byte| byte.is_ascii_graphic()) {
            true => Ok(Self(token.as_bytes().into())),
            false => Err(NOT_SENDABLE),
        }
    }

    fn access_of(&self, parts: &Parts) -> Access {
        match sent(parts) {
            Some(sent) if self.is(sent) => Access::Admin,
            _ => Access::Denied,
        }
    }

    /// Compare in a time that depends on the length of what was sent only, which the sender knows:
    /// every byte is compared, whether an earlier one differs or not.
    fn is(&self, sent: &[u8]) -> bool {
        let expected = self.0.iter().cycle();
        let differences = sent.iter().zip(expected).fold(
            sent.len() ^ self.0.len(),
            |differences, (one, other)| {
                // The compiler must not end the loop at the first difference.
                black_box(differences | usize::from(one ^ other))
            },
        );
        differences == 0
    }
}

/// Return the token of a request; `None` if it has none, or several fields.
pub(super) fn sent(parts: &Parts) -> Option<&[u8]> {
    let mut fields = parts.headers.get_all(AUTHORIZATION).iter();
    let field = fields.next()?.as_bytes();
    if fields.next().is_some() {
        return None;
    }
    let (scheme, token) = field.split_at_checked("Bearer ".len())?;
    scheme
        .eq_ignore_ascii_case(b"Bearer ")
        .then(|| token.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_token_is_equal() {
        let token = Token::new("secret").expect("it isn't empty");
        assert!(token.is(b"secret"));
        // The last ones repeat the token, as the comparison does.
        for wrong in [
            "",
            "s",
            "secre",
            "secreu",
            "tecret",
            "secrets",
            "secretsecret",
        ] {
            assert!(!token.is(wrong.as_bytes()), "{wrong}");
        }
    }
}
