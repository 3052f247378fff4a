//! Why a command ends without success.

use cache_runtime::CacheError;

/// Why a command ends without success.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It can't be run as it was given.
    Usage(String),
    /// It was run, and failed.
    Failed(String),
}

impl Failure {
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Usage(text) | Self::Failed(text) => text,
        }
    }

    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Failed(_) => 1,
        }
    }
}

impl From<CacheError> for Failure {
    fn from(error: CacheError) -> Self {
        Self::Failed(error.to_string())
    }
}
