use std::time::Duration;

use crate::read::refresh::early::{in_unit, is_due, is_due_by, jittered, mixed, shortened};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn random_numbers_are_greater_than_zero_and_at_most_one() {
    assert_eq!(in_unit(u64::MAX), 1.0);
    assert!(in_unit(0) > 0.0);
    // `FARTHEST` is the largest value that the logarithm reaches.
    assert!(-in_unit(0).ln() < 37.0 && -in_unit(0).ln() > 36.0);
}

#[test]
fn an_early_refresh_is_due_with_the_probability_of_the_paper() {
    // P(compute * -ln(u) >= left) = e^(-left / compute).
    for (left, share) in [(0.5, 0.6065), (1.0, 0.3679), (2.0, 0.1353), (4.0, 0.0183)] {
        let tries = 100_000_u64;
        let left = Duration::from_secs_f64(left);
        let due = (0..tries)
            .filter(|seed| is_due_by(left, SECOND, in_unit(mixed(mixed(*seed) ^ 77))))
            .count();
        let seen = due as f64 / tries as f64;
        assert!((seen - share).abs() < 0.01, "{left:?}: {seen}");
    }
}

#[test]
fn an_early_refresh_is_never_due_far_from_expiry_or_without_a_measurement() {
    for _ in 0..10_000 {
        assert!(!is_due(SECOND * 38, SECOND));
        assert!(!is_due(Duration::from_nanos(1), Duration::ZERO));
        assert!(!is_due(Duration::MAX, SECOND));
        assert!(is_due(Duration::ZERO, SECOND));
    }
}

#[test]
fn jitter_shortens_and_never_lengthens_a_lifetime() {
    let ttl = Duration::from_secs(100);
    assert_eq!(shortened(ttl, 0.0), ttl);
    assert_eq!(shortened(ttl, 0.25), Duration::from_secs(75));
    for _ in 0..10_000 {
        let life = jittered(ttl, 0.1);
        assert!(
            life <= ttl && life > ttl * 9 / 10 - Duration::from_millis(1),
            "{life:?}"
        );
    }
    assert_eq!(jittered(ttl, 0.0), ttl);
    // The extremes of a `Duration`.
    assert!(jittered(Duration::MAX, 0.5) > Duration::ZERO);
    assert!(jittered(Duration::from_nanos(1), 0.999) > Duration::ZERO);
}
