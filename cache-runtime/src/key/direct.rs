//! What is written into a key without formatting: the same text as its `Display` gives, at a fraction of the cost. A hit
//! does little else.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use super::escape::push_escaped;
use super::text::Text;

/// Text, or an integer.
pub trait Direct {
    /// Appends the escaped text.
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

fn push_digits(out: &mut Text, mut number: u64) {
    // As many as `u64::MAX` has.
    let mut digits = [b'0'; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    // Digits are text; checking that costs less than formatting.
    out.push_str(std::str::from_utf8(&digits[first..]).unwrap_or_default());
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
    fn it_is_what_display_gives() {
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
        for number in [0, 1, 9, 10, 99, 100, u64::MAX] {
            agrees(number);
            agrees(number as i64);
            agrees(number as i8);
            agrees(number as u16);
        }
        agrees(i64::MIN);
        agrees(i32::MIN);
    }
}
