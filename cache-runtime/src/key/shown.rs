//! The arguments of a call as text, for its event.
//!
//! The text of a hashed argument is read from the canonical bytes that are hashed. It shows exactly
//! the data that distinguishes two variants, no argument is serialized a second time, and hashing
//! does the same work whether an event is wanted or not.

use std::fmt::{self, Display, Write};
use std::ops::Range;

use super::canonical::tag;
use super::text::Text;
use crate::value::path::MAX_DEPTH;

/// Largest number of characters shown of one argument.
const MAX_CHARACTERS: usize = 60;

/// Mark after the shown characters of a longer text.
const ELLIPSIS: char = '…';

/// Number of levels that are read. Options and enums aren't counted when a value is hashed, so
/// values can be nested deeper than `MAX_DEPTH`.
const MAX_LEVELS: u32 = 4 * MAX_DEPTH;

/// The arguments that are in a call's key, displayed as `slug: my-post, page: 2`. No argument needs
/// `Debug`, and skipped ones aren't shown.
#[derive(Debug)]
pub(crate) struct ShownArguments<'a> {
    /// The path.
    pub(super) text: &'a Text,
    /// Name and range in `text` of each placeholder.
    pub(super) parts: &'a [(&'static str, Range<usize>)],
    /// The canonical bytes of the hashed arguments.
    pub(super) hashed: &'a [u8],
}

impl Display for ShownArguments<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        let mut show = |name: &str, shown: &str| {
            write!(f, "{separator}{name}: {shown}")?;
            separator = ", ";
            Ok(())
        };
        let text = self.text.to_str();
        for (name, range) in self.parts {
            let mut shown = Shortened::default();
            shown.push(&text[range.clone()]);
            show(name, &shown.text)?;
        }
        let mut rest = self.hashed;
        while !rest.is_empty() {
            let mut reader = Reader::of(rest);
            let Some(name) = reader.argument() else { break };
            show(name, &reader.out.text)?;
            rest = reader.bytes;
        }
        Ok(())
    }
}

/// The beginning of a text: at most [`MAX_CHARACTERS`], with control characters escaped.
#[derive(Default)]
struct Shortened {
    text: String,
    /// Number of characters in `text`.
    count: usize,
    /// Whether something didn't fit.
    cut: bool,
}

impl Shortened {
    fn push(&mut self, text: &str) {
        // The only error is that the text is full.
        let _ = self.write_str(text);
    }

    fn show(&mut self, value: impl fmt::Debug) {
        if self.cut {
            return;
        }
        let _ = write!(self, "{value:?}");
    }

    /// Push text of which the bytes are given.
    fn push_bytes(&mut self, bytes: &[u8]) {
        if self.cut {
            return;
        }
        // Enough bytes for one more character than there is room for: a character that this cuts
        // off isn't shown.
        let enough = bytes.len().min(4 * (MAX_CHARACTERS + 1));
        self.push(&String::from_utf8_lossy(&bytes[..enough]));
    }

    /// Push bytes in hexadecimal digits, sixteen of them as a UUID: a `Uuid` is hashed as bytes.
    fn push_hex(&mut self, bytes: &[u8]) {
        let is_uuid = bytes.len() == 16;
        for (at, byte) in bytes.iter().take(MAX_CHARACTERS).enumerate() {
            if is_uuid && matches!(at, 4 | 6 | 8 | 10) {
                self.push("-");
            }
            let _ = write!(self, "{byte:02x}");
        }
    }

    /// Put the text from `start` on into parentheses.
    fn enclose(&mut self, start: usize) {
        if self.cut && start == self.text.len() {
            return;
        }
        self.text.insert(start, '(');
        self.push(")");
    }
}

impl Write for Shortened {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            if self.cut {
                return Err(fmt::Error);
            }
            let escaped = is_control(character).then(|| character.escape_default());
            let width = escaped.as_ref().map_or(1, ExactSizeIterator::len);
            if self.count + width > MAX_CHARACTERS {
                self.cut = true;
                self.text.push(ELLIPSIS);
                return Err(fmt::Error);
            }
            self.count += width;
            match escaped {
                Some(escaped) => self.text.extend(escaped),
                None => self.text.push(character),
            }
        }
        Ok(())
    }
}

/// Return whether a character could end the line of a log, or change how the rest of it is shown.
fn is_control(character: char) -> bool {
    let moves_text = matches!(
        character,
        '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    character.is_control() || moves_text
}

/// Reader of the canonical bytes of one argument. `None`: the bytes aren't canonical, or nested too
/// deeply.
struct Reader<'a> {
    /// The bytes that aren't read yet.
    bytes: &'a [u8],
    out: Shortened,
    /// Number of values around the next one.
    depth: u32,
}

impl<'a> Reader<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            out: Shortened::default(),
            depth: 0,
        }
    }

    /// Read an argument, and return its name. If it can't be read, its end isn't known either, so
    /// nothing after it is read.
    fn argument(&mut self) -> Option<&'a str> {
        let name = self.name()?;
        if self.values().is_none() {
            self.out = Shortened::default();
            self.out.push("?");
            self.bytes = &[];
        }
        Some(name)
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.first().copied()
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(count)?;
        self.bytes = rest;
        Some(taken)
    }

    fn fixed<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.bytes.split_first_chunk()?;
        self.bytes = rest;
        Some(*taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.fixed().map(|[byte]| byte)
    }

    /// Read a length, and that number of bytes.
    fn sized(&mut self) -> Option<&'a [u8]> {
        let length = u64::from_le_bytes(self.fixed()?);
        self.take(length.try_into().ok()?)
    }

    fn name(&mut self) -> Option<&'a str> {
        (self.byte()? == tag::NAME).then_some(())?;
        std::str::from_utf8(self.sized()?).ok()
    }

    /// Read the value of a name. A `CacheKey` that is written by hand may have written any number
    /// of values.
    fn values(&mut self) -> Option<()> {
        let start = self.out.text.len();
        let mut count = 0;
        while !self.is_at_end() {
            self.separate(count);
            self.value()?;
            count += 1;
        }
        if count != 1 {
            self.out.enclose(start);
        }
        Some(())
    }

    /// Return whether no value follows.
    fn is_at_end(&self) -> bool {
        matches!(self.peek(), None | Some(tag::NAME | tag::END))
    }

    fn separate(&mut self, count: u64) {
        if count > 0 {
            self.out.push(", ");
        }
    }

    fn value(&mut self) -> Option<()> {
        if self.depth == MAX_LEVELS {
            return None;
        }
        self.depth += 1;
        let tag = self.byte()?;
        match tag {
            tag::BOOL => {
                let value = self.byte()? != 0;
                self.out.show(value);
            }
            tag::CHAR => {
                let value = char::from_u32(u32::from_le_bytes(self.fixed()?))?;
                self.out.push(value.encode_utf8(&mut [0; 4]));
            }
            tag::STR => match self.sized()? {
                [] => self.out.push("\"\""),
                text => self.out.push_bytes(text),
            },
            tag::BYTES => {
                let bytes = self.sized()?;
                self.out.push_hex(bytes);
            }
            tag::NONE => self.out.push("None"),
            tag::SOME => self.inner()?,
            tag::UNIT => self.out.push("()"),
            tag::NEWTYPE => {
                self.sized()?;
                self.inner()?;
            }
            tag::STRUCT => self.structure()?,
            tag::VARIANT => self.variant()?,
            tag::SEQ => self.list("[", "]")?,
            tag::TUPLE => self.list("(", ")")?,
            tag::MAP => self.map()?,
            _ => self.number(tag)?,
        }
        self.depth -= 1;
        Some(())
    }

    fn number(&mut self, tag: u8) -> Option<()> {
        macro_rules! show {
            ($($tag:ident: $type:ty,)*) => {
                match tag {
                    $(tag::$tag => {
                        let number = <$type>::from_le_bytes(self.fixed()?);
                        self.out.show(number);
                    })*
                    _ => return None,
                }
            };
        }
        show! {
            I8: i8, I16: i16, I32: i32, I64: i64, I128: i128,
            U8: u8, U16: u16, U32: u32, U64: u64, U128: u128, F32: f32, F64: f64,
        }
        Some(())
    }

    /// Read the value within another one. A `CacheKey` that is written by hand may have written
    /// none.
    fn inner(&mut self) -> Option<()> {
        if self.is_at_end() {
            self.out.push("()");
            return Some(());
        }
        self.value()
    }

    fn structure(&mut self) -> Option<()> {
        let name = self.sized()?;
        match self.peek()? {
            tag::TUPLE => {
                self.byte()?;
                self.list("(", ")")
            }
            tag::END => {
                self.byte()?;
                // The count of no fields follows in a struct with braces, and not in a unit struct.
                if self.bytes.starts_with(&[0; 8]) {
                    self.take(8)?;
                }
                self.out.push_bytes(name);
                Some(())
            }
            _ => self.fields(),
        }
    }

    fn variant(&mut self) -> Option<()> {
        self.sized()?;
        let variant = self.name()?;
        self.out.push(variant);
        match self.byte()? {
            tag::UNIT => Some(()),
            tag::NEWTYPE => {
                self.out.push("(");
                self.inner()?;
                self.out.push(")");
                Some(())
            }
            tag::TUPLE => self.list("(", ")"),
            tag::STRUCT => {
                self.out.push(" ");
                self.fields()
            }
            _ => None,
        }
    }

    /// Read named fields and their count.
    fn fields(&mut self) -> Option<()> {
        self.out.push("{");
        let mut count = 0;
        while self.peek()? != tag::END {
            self.separate(count);
            let name = self.name()?;
            self.out.push(name);
            self.out.push(": ");
            self.values()?;
            count += 1;
        }
        self.take(9)?;
        self.out.push("}");
        Some(())
    }

    /// Read values and their count.
    fn list(&mut self, open: &str, close: &str) -> Option<()> {
        self.out.push(open);
        let mut count = 0;
        while self.peek()? != tag::END {
            self.separate(count);
            self.value()?;
            count += 1;
        }
        self.take(9)?;
        self.out.push(close);
        Some(())
    }

    /// Read a count and the entries.
    fn map(&mut self) -> Option<()> {
        self.take(8)?;
        self.out.push("{");
        let mut count = 0;
        while self.peek()? != tag::END {
            self.separate(count);
            self.value()?;
            self.out.push(": ");
            self.inner()?;
            count += 1;
        }
        self.byte()?;
        self.out.push("}");
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::collections::{BTreeMap, HashMap, HashSet};
    use std::time::Duration;

    use serde::{Serialize, Serializer};

    use super::super::cache_key::{CacheKey, KeyWriter};
    use super::super::writer::Rendering;
    use super::*;

    /// Return the text of the arguments that `write` hashes.
    fn shown(write: impl FnOnce(&mut Rendering)) -> String {
        let mut rendering = Rendering::default();
        write(&mut rendering);
        assert!(!rendering.failed());
        rendering.shown_arguments(0).to_string()
    }

    #[track_caller]
    fn assert_serialized<T: Serialize>(value: &T, expected: &str) {
        let shown = shown(|rendering| {
            let mut writer = rendering.writer();
            writer.argument::<(), _>("x", value);
            writer.argument::<(), _>("next", &1);
        });
        assert_eq!(shown, format!("x: {expected}, next: 1"));
    }

    #[track_caller]
    fn assert_keyed<T: CacheKey>(value: &T, expected: &str) {
        let shown = shown(|rendering| {
            let mut writer = rendering.writer();
            writer.keyed("x", &|key| value.cache_key(key));
            writer.argument::<(), _>("next", &1);
        });
        assert_eq!(shown, format!("x: {expected}, next: 1"));
    }

    struct Bytes(Vec<u8>);

    impl Serialize for Bytes {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_bytes(&self.0)
        }
    }

    #[derive(Serialize)]
    struct Unit;
    #[derive(Serialize)]
    struct Empty {}
    #[derive(Clone, Serialize)]
    struct Page(u32);
    #[derive(Serialize)]
    struct Point(i8, i16);
    #[derive(Serialize)]
    struct Filter<'a> {
        tags: &'a [&'a str],
        limit: Option<u64>,
    }
    #[derive(Serialize)]
    enum Order {
        Newest,
        By(&'static str),
        Both(u8, u8),
        Between { from: i128, to: u128 },
    }

    #[test]
    fn every_shape_of_serde_has_a_text() {
        assert_serialized(&true, "true");
        assert_serialized(&(-1_i8, -2_i16, -3_i32, -4_i64), "(-1, -2, -3, -4)");
        assert_serialized(&(1_u8, 2_u16, 3_u32, 4_u64), "(1, 2, 3, 4)");
        assert_serialized(&(i128::MIN,), &format!("({})", i128::MIN));
        assert_serialized(&u128::MAX, &u128::MAX.to_string());
        assert_serialized(
            &(1.0_f32, 0.1_f64, 1e300, f64::NAN),
            "(1.0, 0.1, 1e300, NaN)",
        );
        assert_serialized(&'ß', "ß");
        assert_serialized(&"two words: ü", "two words: ü");
        assert_serialized(&"", "\"\"");
        assert_serialized(&Bytes(vec![0, 0xab, 0xff]), "00abff");
        assert_serialized(
            &Bytes((0..16).collect()),
            "00010203-0405-0607-0809-0a0b0c0d0e0f",
        );
        assert_serialized(&None::<u8>, "None");
        assert_serialized(&Some(Some(7)), "7");
        assert_serialized(&(), "()");
        assert_serialized(&Unit, "Unit");
        assert_serialized(&Empty {}, "Empty");
        assert_serialized(&[(1, Unit), (2, Unit)], "((1, Unit), (2, Unit))");
        assert_serialized(&vec![Empty {}, Empty {}], "[Empty, Empty]");
        assert_serialized(&Page(2), "2");
        assert_serialized(&Point(1, -1), "(1, -1)");
        assert_serialized(
            &Filter {
                tags: &["a", "b"],
                limit: Some(10),
            },
            "{tags: [a, b], limit: 10}",
        );
        assert_serialized(&Order::Newest, "Newest");
        assert_serialized(&Order::By("name"), "By(name)");
        assert_serialized(&Order::Both(1, 2), "Both(1, 2)");
        assert_serialized(
            &Order::Between { from: -1, to: 1 },
            "Between {from: -1, to: 1}",
        );
        assert_serialized(&Vec::<u8>::new(), "[]");
        assert_serialized(
            &BTreeMap::from([("a", vec![1]), ("b", vec![])]),
            "{a: [1], b: []}",
        );
        assert_serialized(&BTreeMap::from([(1, Unit)]), "{1: Unit}");
        assert_serialized(&Duration::from_millis(1500), "{secs: 1, nanos: 500000000}");
    }

    /// A `CacheKey` that writes any number of values.
    struct ByHand(Vec<u8>);

    impl CacheKey for ByHand {
        fn cache_key(&self, key: &mut KeyWriter<'_>) {
            for value in &self.0 {
                key.write(value);
            }
        }
    }

    /// A struct as `#[derive(CacheKey)]` writes it.
    struct Derived(Option<ByHand>);

    impl CacheKey for Derived {
        fn cache_key(&self, key: &mut KeyWriter<'_>) {
            key.begin_struct("Derived");
            key.field("inner");
            key.write(&self.0);
            key.field("last");
            key.serialize(&Order::Newest);
            key.end(2);
        }
    }

    #[test]
    fn a_cache_key_is_shown_as_it_is_written() {
        assert_keyed(&[1, 2], "(1, 2)");
        assert_keyed(&vec!["a", "b"], "[a, b]");
        assert_keyed(&HashSet::from([1, 3, 2]), "[1, 2, 3]");
        assert_keyed(&HashMap::from([("b", 2), ("a", 1)]), "{a: 1, b: 2}");
        assert_keyed(&Ok::<_, ()>(Some("a")), "Ok(a)");
        assert_keyed(&ByHand(vec![1]), "1");
        assert_keyed(&ByHand(vec![1, 2]), "(1, 2)");
        assert_keyed(&ByHand(Vec::new()), "()");
        assert_keyed(&Some(ByHand(vec![1, 2])), "(1, 2)");
        assert_keyed(&Some(ByHand(Vec::new())), "()");
        assert_keyed(&Derived(None), "{inner: None, last: Newest}");
        assert_keyed(
            &Derived(Some(ByHand(vec![1, 2]))),
            "{inner: (1, 2), last: Newest}",
        );
    }

    #[test]
    fn an_argument_is_cut_off_after_the_limit() {
        let longest = "ü".repeat(MAX_CHARACTERS);
        assert_serialized(&longest, &longest);
        assert_serialized(&format!("{longest}b"), &format!("{longest}…"));
        assert_serialized(
            &"🦀".repeat(1000),
            &format!("{}…", "🦀".repeat(MAX_CHARACTERS)),
        );
        assert_serialized(&vec![0; 100], &format!("[{}…", &"0, ".repeat(20)[..59]));
        assert_keyed(&ByHand(vec![10; 50]), &format!("({}…", "10, ".repeat(15)));
        assert_serialized(
            &Bytes(vec![0; 1000]),
            &format!("{}…", "0".repeat(MAX_CHARACTERS)),
        );
    }

    #[test]
    fn an_argument_after_a_long_one_is_shown() {
        let long: Vec<(u64, &str, Option<Page>)> = vec![(1, "text", Some(Page(2))); 1000];
        let text = shown(|rendering| {
            let mut writer = rendering.writer();
            writer.argument::<(), _>("long", &long);
            writer.argument::<(), _>("last", &BTreeMap::from([("a", 1)]));
        });
        assert!(
            text.starts_with("long: [(1, text, 2), (1, text, 2), "),
            "{text}"
        );
        assert!(text.ends_with("…, last: {a: 1}"), "{text}");
    }

    #[test]
    fn control_characters_are_escaped_as_a_whole() {
        assert_serialized(&"a\n\t\u{1b}[0mb", "a\\n\\t\\u{1b}[0mb");
        assert_serialized(&"\u{202e}\u{2028}\u{7f}", "\\u{202e}\\u{2028}\\u{7f}");
        assert_serialized(&'\n', "\\n");
        let almost = "a".repeat(MAX_CHARACTERS - 3);
        assert_serialized(&format!("{almost}\u{1b}"), &format!("{almost}…"));
        assert_serialized(&format!("{almost}b\n"), &format!("{almost}b\\n"));
    }

    #[test]
    fn an_argument_is_serialized_once() {
        thread_local! {
            static SERIALIZED: Cell<u32> = const { Cell::new(0) };
        }
        #[derive(Clone)]
        struct Counted;
        impl Serialize for Counted {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                SERIALIZED.set(SERIALIZED.get() + 1);
                serializer.serialize_u8(1)
            }
        }
        assert_serialized(&vec![Counted; 3], "[1, 1, 1]");
        assert_eq!(SERIALIZED.get(), 3);
    }

    #[test]
    fn placeholders_come_first_and_their_lengths_are_not_arguments() {
        let text = shown(|rendering| {
            rendering.show_parts();
            rendering.hash_lengths();
            let mut writer = rendering.writer();
            // A length that equals the tag of a name.
            writer.direct("slug", &"a".repeat(tag::NAME.into()));
            writer.direct("id", &7);
            writer.argument::<(), _>("page", &2);
        });
        let slug = "a".repeat(tag::NAME.into());
        assert_eq!(text, format!("slug: {slug}, id: 7, page: 2"));
    }

    #[test]
    fn bytes_that_are_not_canonical_end_the_list() {
        let value = (
            BTreeMap::from([(Some(1), vec![Order::Both(1, 2), Order::By("x")])]),
            Empty {},
            Order::Between { from: 1, to: 2 },
        );
        let mut rendering = Rendering::default();
        rendering.writer().argument::<(), _>("x", &value);
        let bytes = rendering.variant.clone();
        let mut shown = |bytes: &[u8]| {
            rendering.variant.clear();
            rendering.variant.extend_from_slice(bytes);
            rendering.shown_arguments(0).to_string()
        };
        let whole = shown(&bytes);
        assert!(
            whole.starts_with("x: ({1: [Both(1, 2), By(x)]}, Empty, "),
            "{whole}"
        );
        let name = 1 + 8 + "x".len();
        for end in name + 1..bytes.len() {
            assert_eq!(shown(&bytes[..end]), "x: ?", "{end}");
        }
        for at in 0..bytes.len() {
            for byte in (0..=tag::NAME + 1).chain([u8::MAX]) {
                let mut corrupt = bytes.clone();
                corrupt[at] = byte;
                // Some are read as other values. Reading must end, and the text stay short.
                assert!(shown(&corrupt).len() < 1000, "{byte} at {at}");
            }
        }
    }

    #[test]
    fn values_that_are_nested_too_deeply_are_not_read() {
        let mut rendering = Rendering::default();
        rendering.writer().argument::<(), _>("x", &Some(1));
        let some = rendering.variant.iter().position(|byte| *byte == tag::SOME);
        let some = some.expect("the argument is `Some`");
        let deep = std::iter::repeat_n(tag::SOME, 1_000_000);
        rendering.variant.splice(some..some, deep);
        assert_eq!(rendering.shown_arguments(0).to_string(), "x: ?");
    }
}
