//! Configuration from the environment. An empty variable counts as unset.

use std::collections::HashMap;
use std::env::{self, VarError};
use std::time::Duration;

use super::CacheBuilder;
use crate::core::preset_key;
use crate::error::CacheError;

const PRESET: &str = "CACHE_TIMEOUT_";

fn invalid(variable: &str, reason: impl Into<String>) -> CacheError {
    CacheError::InvalidVariable {
        variable: variable.to_owned(),
        reason: reason.into(),
    }
}

pub(super) fn text(variable: &str) -> Result<Option<String>, CacheError> {
    match env::var(variable) {
        Ok(value) if value.trim().is_empty() => Ok(None),
        Ok(value) => Ok(Some(value.trim().to_owned())),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(invalid(variable, "is not valid UTF-8")),
    }
}

pub(super) fn switch(variable: &str) -> Result<Option<bool>, CacheError> {
    let Some(value) = text(variable)? else {
        return Ok(None);
    };
    match value.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(Some(true)),
        "0" | "false" | "no" | "off" => Ok(Some(false)),
        _ => Err(invalid(
            variable,
            format!("is {value:?}; use `true` or `false`"),
        )),
    }
}

pub(super) fn seconds(variable: &str) -> Result<Option<Duration>, CacheError> {
    let Some(value) = text(variable)? else {
        return Ok(None);
    };
    match value.parse::<u64>() {
        Ok(0) | Err(_) => Err(invalid(
            variable,
            format!("is {value:?}; use a positive whole number of seconds, such as 300"),
        )),
        Ok(seconds) => Ok(Some(Duration::from_secs(seconds))),
    }
}

/// Return all presets, by their names in the form that variables have. A `CACHE_TIMEOUT_<NAME>`
/// that is set wins over the builder's preset.
pub(super) fn with_presets(
    builders: &HashMap<String, Duration>,
) -> Result<HashMap<String, Duration>, CacheError> {
    let mut presets = builder_presets(builders)?;
    let mut named: HashMap<String, String> = HashMap::new();
    for (variable, _) in env::vars_os() {
        let Some(variable) = variable.to_str() else {
            continue;
        };
        let Some(name) = variable.strip_prefix(PRESET) else {
            continue;
        };
        if let Some(ttl) = seconds(variable)? {
            let preset = preset_key(name);
            if let Some(other) = named.insert(preset.clone(), variable.to_owned()) {
                let reason = format!("names the same preset as {other}; unset one of them");
                return Err(invalid(variable, reason));
            }
            presets.insert(preset, ttl);
        }
    }
    Ok(presets)
}

/// Return the builder's presets. Two names with the same variable are one preset, and an error:
/// which of the two TTLs won would depend on the map's order.
fn builder_presets(
    builders: &HashMap<String, Duration>,
) -> Result<HashMap<String, Duration>, CacheError> {
    let invalid = |reason| CacheError::InvalidOption {
        option: "preset",
        reason,
    };
    let mut names: HashMap<String, &str> = HashMap::new();
    let mut presets = HashMap::new();
    for (name, ttl) in builders {
        if ttl.is_zero() {
            return Err(invalid(format!(
                "{name:?} is zero; give a positive duration"
            )));
        }
        let variable = preset_key(name);
        if let Some(other) = names.insert(variable.clone(), name) {
            // Sorted, so that the message is the same in each run.
            let (first, second) = (name.as_str().min(other), name.as_str().max(other));
            return Err(invalid(format!(
                "{first:?} and {second:?} are the same preset (`{PRESET}{}`); rename one of them",
                variable.to_ascii_uppercase()
            )));
        }
        presets.insert(variable, *ttl);
    }
    Ok(presets)
}

/// Check that a prefix is `[A-Za-z0-9_.-]+`: without `:`, so that no prefix contains another's
/// keys, and without glob characters.
pub(super) fn check_prefix(prefix: &str) -> Result<(), CacheError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    if prefix.is_empty() || !prefix.bytes().all(fits) {
        return Err(CacheError::InvalidPrefix {
            prefix: prefix.to_owned(),
        });
    }
    Ok(())
}

/// Check the value of `CACHE_KEY_PREFIX`.
pub(super) fn prefix(value: String) -> Result<String, CacheError> {
    match check_prefix(&value) {
        Ok(()) => Ok(value),
        Err(_) => Err(invalid(
            "CACHE_KEY_PREFIX",
            format!("is {value:?}; use only the characters A-Z, a-z, 0-9, `_`, `.` and `-`"),
        )),
    }
}

#[cfg(feature = "redis")]
pub(super) fn redis(builder: CacheBuilder, url: String) -> Result<CacheBuilder, CacheError> {
    match crate::store::redis::check_url(&url) {
        Ok(_) => Ok(builder.redis(url)),
        Err(error) => Err(invalid("REDIS_URL", format!("can't be used: {error}"))),
    }
}

#[cfg(not(feature = "redis"))]
pub(super) fn redis(_: CacheBuilder, _: String) -> Result<CacheBuilder, CacheError> {
    Err(invalid(
        "REDIS_URL",
        "is set, but cache-runtime was built without the feature `redis`; enable the feature, or unset the variable",
    ))
}
