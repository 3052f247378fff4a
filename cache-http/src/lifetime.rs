//! Lifetimes as the layer's options take them.

use std::time::Duration;

/// A length of time: a `Duration`, a `u64` in whole seconds, or text such as `"500ms"`, `"30s"`,
/// `"10m"`, `"2h"` or `"7d"`.
pub trait Lifetime {
    /// Return the time; `None` if the text isn't one.
    #[doc(hidden)]
    fn parse(self) -> Option<Duration>;
}

impl Lifetime for Duration {
    fn parse(self) -> Option<Duration> {
        Some(self)
    }
}

impl Lifetime for u64 {
    fn parse(self) -> Option<Duration> {
        Some(Duration::from_secs(self))
    }
}

impl Lifetime for &str {
    fn parse(self) -> Option<Duration> {
        let digits = self.find(|c: char| !c.is_ascii_digit())?;
        let (number, unit) = self.split_at(digits);
        let number: u64 = number.parse().ok()?;
        let seconds = match unit {
            "ms" => return Some(Duration::from_millis(number)),
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            _ => return None,
        };
        number.checked_mul(seconds).map(Duration::from_secs)
    }
}

/// Return the time of an option. A text that isn't one is a mistake of the program.
#[track_caller]
pub(crate) fn time(option: &str, time: impl Lifetime) -> Duration {
    match time.parse() {
        Some(time) => time,
        None => panic!(
            "`{option}` takes a time: a `Duration`, whole seconds, or a text such as \"30s\", \"10m\" or \"2h\""
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_with_a_unit_are_times() {
        let seconds = |n| Some(Duration::from_secs(n));
        assert_eq!(Lifetime::parse("500ms"), Some(Duration::from_millis(500)));
        for (text, time) in [("30s", 30), ("10m", 600), ("2h", 7_200), ("7d", 604_800)] {
            assert_eq!(Lifetime::parse(text), seconds(time));
        }
        for text in [
            "",
            "10",
            "m",
            "10 m",
            "-1s",
            "1.5h",
            "10M",
            "99999999999999999999s",
        ] {
            assert_eq!(Lifetime::parse(text), None, "{text:?}");
        }
        assert_eq!(Lifetime::parse("18446744073709551615d"), None);
    }
}
