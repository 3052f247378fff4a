//! Freshness of a stored response (section 4.2), from rules that are stored with it.
//!
//! Times are in milliseconds since the Unix epoch, since the TTL of a route may be a fraction of a
//! second; fields count in seconds.

use std::time::Duration;

use http::StatusCode;

use super::cache_control::RequestDirectives;

/// All that a hit must know of the response's caching fields, so that it parses none of them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct StoredRules {
    /// When the response was generated: its age is counted from here. Earlier than its storing if
    /// it came with an `Age` or an old `Date`.
    pub(crate) generated_ms: u64,
    /// Freshness lifetime, from `generated_ms`.
    pub(crate) lifetime_ms: u64,
    /// Time after the lifetime in which the response is served while it is refreshed.
    pub(crate) stale_while_revalidate_ms: u64,
    /// Time after the lifetime in which the response is served if the handler fails.
    pub(crate) stale_if_error_ms: u64,
    /// `Date` of the response, in seconds since the Unix epoch.
    pub(crate) date: u64,
    /// `Last-Modified`, in seconds since the Unix epoch.
    pub(crate) last_modified: Option<u64>,
    /// The response is validated before each use (`no-cache`).
    pub(crate) always_validate: bool,
    /// The response is not served stale, even if the client would accept it (`must-revalidate`,
    /// `proxy-revalidate`, `s-maxage`, `no-cache`).
    pub(crate) never_stale: bool,
    /// The handler set an `ETag` or a `Last-Modified`, so it may answer 304.
    pub(crate) has_validator: bool,
    /// The `ETag` is the layer's: the handler doesn't know it.
    pub(crate) has_own_tag: bool,
    /// The `Cache-Control` is the layer's, for browsers: the handler said nothing.
    pub(crate) has_own_control: bool,
}

/// Whether a stored response may be served.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Freshness {
    /// Yes.
    Fresh,
    /// Yes, and it is to be refreshed (RFC 5861, 3). If the refresh fails, `stale_if_error_ms` may
    /// be longer.
    StaleWhileRevalidate,
    /// Only if the handler fails (RFC 5861, 4).
    StaleIfError,
    /// No: the handler must validate it or replace it.
    Expired,
}

impl Freshness {
    /// Whether the response may be served before the handler has been asked.
    pub(crate) fn may_serve(self) -> bool {
        matches!(self, Freshness::Fresh | Freshness::StaleWhileRevalidate)
    }
}

impl StoredRules {
    /// Return whether the response may be served.
    pub(crate) fn freshness(&self, now_ms: u64) -> Freshness {
        // Section 5.2.2.4.
        if self.always_validate {
            return Freshness::Expired;
        }
        let age_ms = self.age_ms(now_ms);
        // Section 4.2: fresh while the lifetime is greater than the age.
        if age_ms < self.lifetime_ms {
            return Freshness::Fresh;
        }
        let stale_ms = age_ms - self.lifetime_ms;
        if stale_ms < self.stale_while_revalidate_ms {
            Freshness::StaleWhileRevalidate
        } else if stale_ms < self.stale_if_error_ms {
            Freshness::StaleIfError
        } else {
            Freshness::Expired
        }
    }

    /// Return whether the response may be served to a request with these directives (section
    /// 5.2.1). Only for layers that obey requests.
    ///
    /// If this isn't `Fresh` where [`freshness`](Self::freshness) is, the request is why
    /// (`fwd=request`).
    pub(crate) fn freshness_for(&self, request: &RequestDirectives, now_ms: u64) -> Freshness {
        let age_ms = self.age_ms(now_ms);
        let is_too_old = request
            .max_age
            .is_some_and(|max| max == 0 || age_ms > seconds_ms(max));
        if request.no_cache || is_too_old {
            return Freshness::Expired;
        }
        let stale_ms = age_ms.saturating_sub(self.lifetime_ms);
        match self.freshness(now_ms) {
            Freshness::Fresh => {
                let left_ms = self.lifetime_ms - age_ms;
                match request.min_fresh {
                    Some(min) if left_ms < seconds_ms(min) => Freshness::Expired,
                    _ => Freshness::Fresh,
                }
            }
            _ if request.min_fresh.is_some() => Freshness::Expired,
            Freshness::StaleIfError | Freshness::Expired
                if !self.never_stale
                    && !self.always_validate
                    && request
                        .max_stale
                        .is_some_and(|max| stale_ms <= seconds_ms(max)) =>
            {
                Freshness::StaleWhileRevalidate
            }
            stale => stale,
        }
    }

    /// Return the value of `Age` (section 4.2.3), in seconds.
    pub(crate) fn age(&self, now_ms: u64) -> u64 {
        self.age_ms(now_ms) / 1000
    }

    /// Return the remaining freshness lifetime in seconds, negative if the response is stale: the
    /// `ttl` of RFC 9211, 2.4.
    pub(crate) fn ttl(&self, now_ms: u64) -> i64 {
        let (lifetime, age) = (signed(self.lifetime_ms), signed(self.age_ms(now_ms)));
        lifetime.saturating_sub(age).div_euclid(1000)
    }

    /// Return how long past its freshness the response is worth keeping: until nothing permits to
    /// serve it. One that the handler can validate is kept for `validation`, so that a 304 of the
    /// handler saves the body.
    pub(crate) fn kept(&self, validation: Duration) -> Duration {
        let validation_ms = match self.has_validator {
            true => millis(validation),
            false => 0,
        };
        let stale_ms = self.stale_while_revalidate_ms.max(self.stale_if_error_ms);
        Duration::from_millis(stale_ms.max(validation_ms))
    }

    /// Return the remaining freshness lifetime; zero if the response is stale, or validated before
    /// each use.
    pub(crate) fn fresh_for(&self, now_ms: u64) -> Duration {
        if self.always_validate {
            return Duration::ZERO;
        }
        Duration::from_millis(self.lifetime_ms.saturating_sub(self.age_ms(now_ms)))
    }

    fn age_ms(&self, now_ms: u64) -> u64 {
        // A clock that is set back doesn't make a response younger than new.
        now_ms.saturating_sub(self.generated_ms)
    }
}

/// Return whether a handler's answer counts as an error for `stale-if-error` (RFC 5861, 4).
pub(crate) fn is_error(status: StatusCode) -> bool {
    matches!(status.as_u16(), 500 | 502 | 503 | 504)
}

/// Convert to milliseconds. Saturates.
pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Convert a number of seconds to milliseconds.
pub(super) fn seconds_ms(seconds: u32) -> u64 {
    u64::from(seconds) * 1000
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// First byte of the encoded form. A change of the form needs another one: rules of an unknown form
/// are a miss.
const FORM: u8 = 1;

const ALWAYS_VALIDATE: u8 = 1;
const NEVER_STALE: u8 = 1 << 1;
const HAS_VALIDATOR: u8 = 1 << 2;
const HAS_LAST_MODIFIED: u8 = 1 << 3;
const HAS_OWN_TAG: u8 = 1 << 4;
const HAS_OWN_CONTROL: u8 = 1 << 5;
const ALL_FLAGS: u8 = ALWAYS_VALIDATE
    | NEVER_STALE
    | HAS_VALIDATOR
    | HAS_LAST_MODIFIED
    | HAS_OWN_TAG
    | HAS_OWN_CONTROL;

impl StoredRules {
    /// Return the encoded form, some 20 bytes: the form, flags, and numbers of seven bits a byte.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
        let flags = flag(self.always_validate, ALWAYS_VALIDATE)
            | flag(self.never_stale, NEVER_STALE)
            | flag(self.has_validator, HAS_VALIDATOR)
            | flag(self.has_own_tag, HAS_OWN_TAG)
            | flag(self.has_own_control, HAS_OWN_CONTROL)
            | flag(self.last_modified.is_some(), HAS_LAST_MODIFIED);
        let mut bytes = Vec::with_capacity(32);
        bytes.extend([FORM, flags]);
        let numbers = [
            self.generated_ms,
            self.lifetime_ms,
            self.stale_while_revalidate_ms,
            self.stale_if_error_ms,
            self.date,
        ];
        for number in numbers.into_iter().chain(self.last_modified) {
            push_number(&mut bytes, number);
        }
        bytes
    }

    /// Read rules that [`encode`](Self::encode) wrote, or return `None` if the form is unknown or
    /// broken.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let [FORM, flags, numbers @ ..] = bytes else {
            return None;
        };
        if flags & !ALL_FLAGS != 0 {
            return None;
        }
        let mut rest = numbers;
        let rules = StoredRules {
            generated_ms: take_number(&mut rest)?,
            lifetime_ms: take_number(&mut rest)?,
            stale_while_revalidate_ms: take_number(&mut rest)?,
            stale_if_error_ms: take_number(&mut rest)?,
            date: take_number(&mut rest)?,
            last_modified: match flags & HAS_LAST_MODIFIED {
                0 => None,
                _ => Some(take_number(&mut rest)?),
            },
            always_validate: flags & ALWAYS_VALIDATE != 0,
            never_stale: flags & NEVER_STALE != 0,
            has_validator: flags & HAS_VALIDATOR != 0,
            has_own_tag: flags & HAS_OWN_TAG != 0,
            has_own_control: flags & HAS_OWN_CONTROL != 0,
        };
        rest.is_empty().then_some(rules)
    }
}

/// Append a number, seven bits a byte, the lowest first; all bytes but the last have the high bit.
fn push_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..u64::BITS).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let bits = u64::from(byte & 0x7f);
        let shifted = bits << shift;
        if shifted >> shift != bits {
            return None;
        }
        number |= shifted;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Generated at 1,000 s; fresh for 60 s, then for 10 s with a refresh, and for 100 s on errors.
    const RULES: StoredRules = StoredRules {
        generated_ms: 1_000_000,
        lifetime_ms: 60_000,
        stale_while_revalidate_ms: 10_000,
        stale_if_error_ms: 100_000,
        date: 1_000,
        last_modified: None,
        always_validate: false,
        never_stale: false,
        has_validator: false,
        has_own_tag: false,
        has_own_control: false,
    };

    fn at(seconds: u64) -> u64 {
        1_000_000 + seconds * 1000
    }

    #[test]
    fn a_response_is_fresh_then_stale_then_expired() {
        assert_eq!(RULES.freshness(at(0)), Freshness::Fresh);
        assert_eq!(RULES.freshness(at(60) - 1), Freshness::Fresh);
        assert_eq!(RULES.freshness(at(60)), Freshness::StaleWhileRevalidate);
        assert_eq!(RULES.freshness(at(70)), Freshness::StaleIfError);
        assert_eq!(RULES.freshness(at(160)), Freshness::Expired);
        let bare = StoredRules {
            stale_while_revalidate_ms: 0,
            stale_if_error_ms: 0,
            ..RULES
        };
        assert_eq!(bare.freshness(at(60)), Freshness::Expired);
    }

    #[test]
    fn no_cache_is_never_served_without_validation() {
        let rules = StoredRules {
            always_validate: true,
            ..RULES
        };
        assert_eq!(rules.freshness(at(0)), Freshness::Expired);
    }

    #[test]
    fn age_and_ttl_are_whole_seconds_rounded_down() {
        assert_eq!(RULES.age(at(0)), 0);
        assert_eq!(RULES.age(at(2) - 1), 1);
        assert_eq!(RULES.ttl(at(0)), 60);
        assert_eq!(RULES.ttl(at(1) + 1), 58);
        assert_eq!(RULES.ttl(at(60)), 0);
        assert_eq!(RULES.ttl(at(60) + 1), -1);
        assert_eq!(RULES.ttl(at(65)), -5);
    }

    #[test]
    fn a_clock_that_is_set_back_shows_age_zero() {
        assert_eq!(RULES.age(0), 0);
        assert_eq!(RULES.freshness(0), Freshness::Fresh);
    }

    #[test]
    fn nothing_overflows() {
        let rules = StoredRules {
            lifetime_ms: u64::MAX,
            ..RULES
        };
        assert_eq!(rules.freshness(u64::MAX), Freshness::Fresh);
        assert!(rules.ttl(0) > 0);
        assert!(rules.kept(Duration::MAX) > Duration::ZERO);
    }

    #[test]
    fn a_request_may_refuse_a_fresh_response() {
        let request = RequestDirectives::default();
        assert_eq!(RULES.freshness_for(&request, at(20)), Freshness::Fresh);
        for request in [
            RequestDirectives {
                no_cache: true,
                ..request
            },
            RequestDirectives {
                max_age: Some(0),
                ..request
            },
            RequestDirectives {
                max_age: Some(19),
                ..request
            },
            RequestDirectives {
                min_fresh: Some(41),
                ..request
            },
        ] {
            let freshness = RULES.freshness_for(&request, at(20));
            assert_eq!(freshness, Freshness::Expired, "{request:?}");
        }
        for request in [
            RequestDirectives {
                max_age: Some(20),
                ..request
            },
            RequestDirectives {
                min_fresh: Some(40),
                ..request
            },
        ] {
            let freshness = RULES.freshness_for(&request, at(20));
            assert_eq!(freshness, Freshness::Fresh, "{request:?}");
        }
    }

    #[test]
    fn a_request_may_accept_a_stale_response_unless_the_response_forbids_it() {
        let request = RequestDirectives {
            max_stale: Some(300),
            ..Default::default()
        };
        let serve = Freshness::StaleWhileRevalidate;
        assert_eq!(RULES.freshness_for(&request, at(360)), serve);
        assert_eq!(RULES.freshness_for(&request, at(361)), Freshness::Expired);
        for rules in [
            StoredRules {
                never_stale: true,
                ..RULES
            },
            StoredRules {
                always_validate: true,
                ..RULES
            },
        ] {
            assert_eq!(rules.freshness_for(&request, at(200)), Freshness::Expired);
        }
        let both = RequestDirectives {
            min_fresh: Some(0),
            ..request
        };
        assert_eq!(RULES.freshness_for(&both, at(61)), Freshness::Expired);
    }

    #[test]
    fn an_entry_is_kept_while_something_permits_to_serve_it() {
        let seconds = Duration::from_secs;
        let longest = RULES.stale_while_revalidate_ms.max(RULES.stale_if_error_ms);
        assert_eq!(RULES.kept(seconds(500)), Duration::from_millis(longest));
        let validated = StoredRules {
            has_validator: true,
            ..RULES
        };
        assert_eq!(validated.kept(seconds(500)), seconds(500));
        assert_eq!(validated.kept(seconds(1)), Duration::from_millis(longest));
        assert_eq!(StoredRules::default().kept(seconds(500)), Duration::ZERO);
    }

    #[test]
    fn only_failures_of_the_server_are_errors() {
        let errors = (100..600)
            .filter(|code| is_error(StatusCode::from_u16(*code).expect("a code in the range")));
        assert_eq!(errors.collect::<Vec<_>>(), [500, 502, 503, 504]);
    }

    #[test]
    fn usual_rules_take_some_twenty_bytes() {
        let rules = StoredRules {
            generated_ms: 1_800_000_000_000,
            date: 1_800_000_000,
            last_modified: Some(1_700_000_000),
            ..RULES
        };
        let bytes = rules.encode();
        assert!(bytes.len() <= 28, "{} bytes", bytes.len());
    }

    #[test]
    fn unknown_forms_and_flags_are_not_read() {
        let bytes = RULES.encode();
        assert_eq!(StoredRules::decode(&bytes), Some(RULES));
        for (at, byte) in [(0, 2), (1, 1 << 6)] {
            let mut bytes = bytes.clone();
            bytes[at] = byte;
            assert_eq!(StoredRules::decode(&bytes), None);
        }
    }

    prop_compose! {
        fn any_rules()(
            numbers in any::<[u64; 5]>(),
            shifts in proptest::array::uniform5(0_u32..64),
            last_modified in any::<Option<u64>>(),
            flags in any::<[bool; 5]>(),
        ) -> StoredRules {
            let number = |at: usize| numbers[at] >> shifts[at];
            StoredRules {
                generated_ms: number(0),
                lifetime_ms: number(1),
                stale_while_revalidate_ms: number(2),
                stale_if_error_ms: number(3),
                date: number(4),
                last_modified,
                always_validate: flags[0],
                never_stale: flags[1],
                has_validator: flags[2],
                has_own_tag: flags[3],
                has_own_control: flags[4],
            }
        }
    }

    proptest! {
        #[test]
        fn encoded_rules_come_back_whole_or_not_at_all(rules in any_rules(), more in any::<u8>()) {
            let mut bytes = rules.encode();
            prop_assert_eq!(StoredRules::decode(&bytes), Some(rules));
            for end in 0..bytes.len() {
                prop_assert_eq!(StoredRules::decode(&bytes[..end]), None);
            }
            bytes.push(more);
            prop_assert_eq!(StoredRules::decode(&bytes), None);
        }

        #[test]
        fn any_bytes_can_be_decoded_without_a_panic(mut bytes in any::<Vec<u8>>()) {
            _ = StoredRules::decode(&bytes);
            bytes.splice(0..0, [FORM, 0]);
            _ = StoredRules::decode(&bytes);
        }
    }
}
