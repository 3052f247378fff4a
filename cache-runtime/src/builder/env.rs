//! Configuration from the environment. An empty variable counts as unset. A variable is named
//! `CACHE_` and the builder's method; `near_cache` is `CACHE_NEAR_BYTES`. Four names are older than
//! this rule.

use std::collections::HashMap;
use std::env::{self, VarError};
use std::time::Duration;

use super::CacheBuilder;
use crate::core::preset_key;
use crate::entry::Codec;
use crate::error::CacheError;

const PRESET: &str = "CACHE_TIMEOUT_";

fn invalid(variable: &str, reason: impl Into<String>) -> CacheError {
    CacheError::InvalidVariable {
        variable: variable.to_owned(),
        reason: reason.into(),
    }
}

/// Return the builder that the environment describes.
pub(super) fn builder() -> Result<CacheBuilder, CacheError> {
    let mut builder = CacheBuilder::new();
    if let Some(url) = text("REDIS_URL")? {
        builder = redis(builder, url)?;
    }
    if let Some(value) = text("CACHE_KEY_PREFIX")? {
        builder.prefix = Some(prefix(value)?);
    }
    set(&mut builder.enabled, switch("CACHE_ENABLED")?);
    set(&mut builder.default_ttl, seconds("CACHE_DEFAULT_TIMEOUT")?);
    values(&mut builder)?;
    near_cache(&mut builder)?;
    times(&mut builder)?;
    #[cfg(feature = "redis")]
    set(
        &mut builder.runtime_connections,
        switch("CACHE_RUNTIME_CONNECTIONS")?,
    );
    #[cfg(feature = "redis")]
    set(&mut builder.publish_stats, switch("CACHE_PUBLISH_STATS")?);
    Ok(builder)
}

fn set<T>(option: &mut T, given: Option<T>) {
    if let Some(value) = given {
        *option = value;
    }
}

/// Read the options of stored values, and of their memory.
fn values(builder: &mut CacheBuilder) -> Result<(), CacheError> {
    let capacity = bytes("CACHE_MEMORY_CAPACITY", "64MiB")?;
    set(&mut builder.memory_capacity, capacity);
    let variable = "CACHE_MAX_VALUE_BYTES";
    if let Some(limit) = bytes(variable, "1MiB")? {
        if limit == 0 {
            let reason = "is zero, so nothing would be stored; use a positive size such as 1MiB, or \
                 unset the variable";
            return Err(invalid(variable, reason));
        }
        builder.encoding.max_value_bytes = Some(limit);
    }
    set(&mut builder.encoding.codec, codec("CACHE_CODEC")?);
    let variable = "CACHE_COMPRESS_OVER";
    if let Some(threshold) = bytes(variable, "4KiB")? {
        if cfg!(not(any(feature = "lz4", feature = "zstd"))) {
            let reason = "is set, but cache-runtime was built without compression; enable the \
                 feature `lz4` or `zstd`, or unset the variable";
            return Err(invalid(variable, reason));
        }
        builder.encoding.compress_over = Some(threshold);
    }
    Ok(())
}

fn near_cache(builder: &mut CacheBuilder) -> Result<(), CacheError> {
    if let Some(capacity) = bytes("CACHE_NEAR_BYTES", "32MiB")? {
        builder.near_cache = Some(capacity);
    }
    let silence = positive_time("CACHE_NEAR_MAX_SILENCE", "1s")?;
    set(&mut builder.near_max_silence, silence);
    Ok(())
}

fn times(builder: &mut CacheBuilder) -> Result<(), CacheError> {
    let response = positive_time("CACHE_RESPONSE_TIMEOUT", "250ms")?;
    set(&mut builder.response_timeout, response);
    let invalidation = positive_time("CACHE_INVALIDATION_TIMEOUT", "2s")?;
    set(&mut builder.invalidation_timeout, invalidation);
    let lease = positive_time("CACHE_LEASE_TTL", "5s")?;
    set(&mut builder.lease_ttl, lease);
    set(
        &mut builder.wait_timeout,
        time("CACHE_WAIT_TIMEOUT", "30s")?,
    );
    let window = time("CACHE_REPLAY_WINDOW", "10s")?;
    set(&mut builder.replay_window, window);
    Ok(())
}

fn text(variable: &str) -> Result<Option<String>, CacheError> {
    match env::var(variable) {
        Ok(value) if value.trim().is_empty() => Ok(None),
        Ok(value) => Ok(Some(value.trim().to_owned())),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(invalid(variable, "is not valid UTF-8")),
    }
}

fn switch(variable: &str) -> Result<Option<bool>, CacheError> {
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

fn seconds(variable: &str) -> Result<Option<Duration>, CacheError> {
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

/// Split a value into its number and its unit.
fn number_and_unit(value: &str) -> Option<(u64, &str)> {
    let end = value.find(|c: char| !c.is_ascii_digit());
    let (number, unit) = value.split_at(end.unwrap_or(value.len()));
    Some((number.parse().ok()?, unit.trim_start()))
}

/// Read a size: a number of bytes, or a number and a unit.
fn bytes(variable: &str, example: &str) -> Result<Option<usize>, CacheError> {
    let Some(value) = text(variable)? else {
        return Ok(None);
    };
    let size = number_and_unit(&value).and_then(|(number, unit)| {
        let unit: u64 = match unit {
            "" | "B" => 1,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            _ => return None,
        };
        usize::try_from(number.checked_mul(unit)?).ok()
    });
    let malformed = || {
        let reason = format!(
            "is {value:?}; use a whole number of bytes, or one with KiB, MiB or GiB, such as \
             {example}"
        );
        invalid(variable, reason)
    };
    size.ok_or_else(malformed).map(Some)
}

/// Read a time: a number and a unit. The unit is required, since a bare number would be read as
/// seconds by one reader and as milliseconds by another.
fn time(variable: &str, example: &str) -> Result<Option<Duration>, CacheError> {
    let Some(value) = text(variable)? else {
        return Ok(None);
    };
    let time = number_and_unit(&value).and_then(|(number, unit)| {
        let seconds = |unit| number.checked_mul(unit).map(Duration::from_secs);
        match unit {
            "ms" => Some(Duration::from_millis(number)),
            "s" => seconds(1),
            "m" => seconds(60),
            "h" => seconds(3_600),
            _ => None,
        }
    });
    let malformed = || {
        let reason =
            format!("is {value:?}; use a whole number with ms, s, m or h, such as {example}");
        invalid(variable, reason)
    };
    time.ok_or_else(malformed).map(Some)
}

fn positive_time(variable: &str, example: &str) -> Result<Option<Duration>, CacheError> {
    match time(variable, example)? {
        Some(time) if time.is_zero() => {
            let reason = format!("is zero; use a positive time, such as {example}");
            Err(invalid(variable, reason))
        }
        time => Ok(time),
    }
}

fn codec(variable: &str) -> Result<Option<Codec>, CacheError> {
    let Some(value) = text(variable)? else {
        return Ok(None);
    };
    let unknown = || {
        let known = Codec::names().collect::<Vec<_>>().join("`, `");
        let reason = format!("is {value:?}; this build has the codecs `{known}`: use one of them");
        invalid(variable, reason)
    };
    Codec::by_name(&value).ok_or_else(unknown).map(Some)
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
fn prefix(value: String) -> Result<String, CacheError> {
    match check_prefix(&value) {
        Ok(()) => Ok(value),
        Err(_) => Err(invalid(
            "CACHE_KEY_PREFIX",
            format!("is {value:?}; use only the characters A-Z, a-z, 0-9, `_`, `.` and `-`"),
        )),
    }
}

#[cfg(feature = "redis")]
fn redis(builder: CacheBuilder, url: String) -> Result<CacheBuilder, CacheError> {
    match crate::store::redis::check_url(&url) {
        Ok(_) => Ok(builder.redis(url)),
        Err(error) => Err(invalid("REDIS_URL", format!("can't be used: {error}"))),
    }
}

#[cfg(not(feature = "redis"))]
fn redis(_: CacheBuilder, _: String) -> Result<CacheBuilder, CacheError> {
    Err(invalid(
        "REDIS_URL",
        "is set, but cache-runtime was built without the feature `redis`; enable the feature, or unset the variable",
    ))
}
