//! Values written into a key without formatting: the text equals their `Display` output, at a
//! fraction of the cost. Key rendering is most of the work of a hit.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use super::escape::push_escaped;
use super::text::Text;

/// Text, or an integer.
pub trait Direct {
    /// Append the escaped text.
    #[doc(hidden)]
    fn push_into(&self, out: &mut Text);
}

impl Direct for str {
    #[inline]
    fn push_into(&self, out: &mut Text) {
        push_escaped(out, self);
    }
}

impl Direct for String {
    #[inline]
    fn push_into(&self, out: &mut Text) {
        push_escaped(out, self);
    }
}

impl Direct for Cow<'_, str> {
    #[inline]
    fn push_into(&self, out: &mut Text) {
        push_escaped(out, self);
    }
}

macro_rules! behind {
    ($($pointer:ty),+) => {$(
        impl<T: Direct + ?Sized> Direct for $pointer {
            #[inline]
            fn push_into(&self, out: &mut Text) {
                (**self).push_into(out);
            }
        }
    )+};
}
behind!(&T, &mut T, Box<T>, Rc<T>, Arc<T>);

macro_rules! integers {
    ($($unsigned:ty, $signed:ty);+) => {$(
        impl Direct for $unsigned {
            #[inline]
            fn push_into(&self, out: &mut Text) {
                push_digits(out, u64::from(*self));
            }
        }
        impl Direct for $signed {
            #[inline]
            fn push_into(&self, out: &mut Text) {
                if *self < 0 {
                    out.push('-');
                }
                push_digits(out, u64::from(self.unsigned_abs()));
            }
        }
    )+};
}
integers!(u8, i8; u16, i16; u32, i32; u64, i64);

impl Direct for usize {
    #[inline]
    fn push_into(&self, out: &mut Text) {
        push_digits(out, *self as u64);
    }
}

impl Direct for isize {
    #[inline]
    fn push_into(&self, out: &mut Text) {
        (*self as i64).push_into(out);
    }
}

/// Not inlined: otherwise every placeholder of a program would contain a copy.
#[inline(never)]
fn push_digits(out: &mut Text, number: u64) {
    /// Smallest number that needs more than eight digits.
    const NINE_DIGITS: u64 = 100_000_000;
    if number >= NINE_DIGITS {
        push_digits(out, number / NINE_DIGITS);
        // Pad with leading zeros to eight digits.
        let (word, _) = digits(number % NINE_DIGITS);
        return out.push_ascii(word, 8);
    }
    let (word, count) = digits(number);
    out.push_ascii(word >> (8 * (8 - count)), count);
}

/// Return eight digits, the first one in the lowest byte, and their number without leading zeros.
fn digits(mut number: u64) -> (u64, usize) {
    let (mut word, mut count) = (u64::from_le_bytes([b'0'; 8]), 0);
    loop {
        count += 1;
        word += (number % 10) << (8 * (8 - count));
        number /= 10;
        if number == 0 {
            return (word, count);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::{Display, Write as _};

    use super::super::escape::Escape;
    use super::*;

    fn agrees<T: Direct + Display>(value: T) {
        let (mut direct, mut shown) = (Text::default(), Text::default());
        value.push_into(&mut direct);
        write!(Escape(&mut shown), "{value}").expect("a string takes all");
        assert_eq!(direct.to_str(), shown.to_str());
    }

    #[test]
    fn direct_formatting_equals_display() {
        for text in [
            "",
            "my-post",
            "a:b",
            "1234567",
            "12345678",
            "123456789",
            "seven b:",
            "é ü",
        ] {
            agrees(text);
            agrees(text.to_owned());
            agrees(Cow::from(text));
            agrees(Arc::<str>::from(text));
        }
        let many = [99_999_999, 100_000_000, 100_000_001, 10_000_000_000_000_000];
        for number in [0, 1, 9, 10, 99, 100, u64::MAX].into_iter().chain(many) {
            agrees(number);
            agrees(number as i64);
            agrees(number as i8);
            agrees(number as u16);
        }
        for number in [0, 7, usize::MAX] {
            agrees(number);
            agrees(number as isize);
        }
        agrees(isize::MIN);
        agrees(i64::MIN);
        agrees(i32::MIN);
    }
}
