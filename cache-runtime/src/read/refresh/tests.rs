use std::time::Duration;

use crate::entry::age::Age;
use crate::read::freshness::{Freshness, Reason};
use crate::site::ReadOptions;

const SECOND: Duration = Duration::from_secs(1);

fn options(stale: u32, stale_if_error: u32, early: bool) -> ReadOptions {
    ReadOptions {
        stale: SECOND * stale,
        stale_if_error: SECOND * stale_if_error,
        early,
        ..ReadOptions::DEFAULT
    }
}

fn past(options: &ReadOptions, seconds: u32) -> Freshness {
    options.freshness(Age::Past(SECOND * seconds), |_| true)
}

#[test]
fn a_reader_decides_by_its_own_options() {
    let both = options(10, 100, false);
    assert_eq!(past(&both, 0), Freshness::Due(Reason::Stale));
    assert_eq!(past(&both, 9), Freshness::Due(Reason::Stale));
    assert_eq!(past(&both, 10), Freshness::Due(Reason::Expired));
    assert_eq!(past(&both, 99), Freshness::Due(Reason::Expired));
    assert_eq!(past(&both, 100), Freshness::Gone);
    assert_eq!(both.grace(), SECOND * 100);
    let longer_stale = options(100, 10, false);
    assert_eq!(past(&longer_stale, 50), Freshness::Due(Reason::Stale));
    assert_eq!(longer_stale.grace(), SECOND * 100);
    assert_eq!(past(&ReadOptions::DEFAULT, 0), Freshness::Gone);
}

#[test]
fn only_who_asks_for_it_refreshes_early() {
    let fresh = Age::Fresh(SECOND);
    let early = options(0, 0, true);
    assert_eq!(
        early.freshness(fresh, |_| true),
        Freshness::Due(Reason::Early)
    );
    assert_eq!(early.freshness(fresh, |_| false), Freshness::Fresh);
    assert_eq!(
        options(9, 9, false).freshness(fresh, |_| true),
        Freshness::Fresh
    );
    assert!(early.may_refresh() && options(1, 0, false).may_refresh());
    assert!(!ReadOptions::DEFAULT.may_refresh());
}

#[test]
fn the_last_moment_of_a_lifetime_is_stale() {
    assert_eq!(Age::at(99, 100), Age::Fresh(Duration::from_nanos(1)));
    assert_eq!(Age::at(100, 100), Age::Past(Duration::ZERO));
    assert_eq!(Age::at(101, 100), Age::Past(Duration::from_nanos(1)));
}

#[cfg(feature = "redis")]
#[test]
fn an_age_in_redis_is_what_is_left_of_the_grace() {
    assert_eq!(Age::of(501, 500), Age::Fresh(Duration::from_millis(1)));
    assert_eq!(Age::of(500, 500), Age::Past(Duration::ZERO));
    assert_eq!(Age::of(100, 500), Age::Past(Duration::from_millis(400)));
}
