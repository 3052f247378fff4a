//! The events of warming: target `cache`, the beginning and end of a run at `info`.

use std::time::Duration;

use super::report::{WarmCounts, WarmOutcome};

/// A run of a warmer begins.
pub(super) fn warm_began(warmer: &str, args: &[String]) {
    let with = match args.is_empty() {
        true => String::new(),
        false => format!(" with {} arguments", args.len()),
    };
    tracing::info!(target: "cache", warmer, op = "warm", ?args, "[Cache] WARM: {warmer} begins{with}");
}

/// A run of a warmer has ended. `error`: of its function.
pub(super) fn warm_ended(
    warmer: &str,
    outcome: WarmOutcome,
    counts: &WarmCounts,
    error: Option<&str>,
    took: Duration,
) {
    let seconds = took.as_secs_f64();
    let WarmCounts {
        items,
        fresh,
        computed,
        uncached,
        failed,
        ..
    } = *counts;
    match error {
        Some(error) => tracing::warn!(
            target: "cache", warmer, op = "warm", items, fresh, computed, uncached, failed, seconds,
            "[Cache] WARM: {warmer} {outcome} in {seconds:.3}s: {counts}: {error}"
        ),
        None => tracing::info!(
            target: "cache", warmer, op = "warm", items, fresh, computed, uncached, failed, seconds,
            "[Cache] WARM: {warmer} {outcome} in {seconds:.3}s: {counts}"
        ),
    }
}

/// Warming for a user has ended.
pub(super) fn warmed_user(
    name: &str,
    outcome: WarmOutcome,
    counts: &WarmCounts,
    error: Option<&str>,
    took: Duration,
) {
    let seconds = took.as_secs_f64();
    match error {
        Some(error) => tracing::warn!(
            target: "cache", op = "warm",
            "[Cache] WARM: {name} {outcome} in {seconds:.3}s: {counts}: {error}"
        ),
        None => tracing::debug!(
            target: "cache", op = "warm",
            "[Cache] WARM: {name} {outcome} in {seconds:.3}s: {counts}"
        ),
    }
}

/// An item of a run has failed. `number`: its place among the items.
pub(super) fn warm_item_failed(warmer: &str, number: u64, reason: &str) {
    tracing::warn!(
        target: "cache", warmer, op = "warm", item = number,
        "[Cache] WARM: {warmer}: item {number} failed: {reason}"
    );
}
