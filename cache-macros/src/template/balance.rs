//! Whether the brackets and quotes of a text close.
//!
//! The compiler reports an unbalanced text by itself when a macro lexes it, even if the macro would
//! retry with a longer text. So a text that can't be lexed must be recognized before.

/// Whether every bracket and quote of `text` closes.
pub(crate) fn is_balanced(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    let mut open = Vec::new();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        match c {
            '(' => open.push(')'),
            '[' => open.push(']'),
            '{' => open.push('}'),
            ')' | ']' | '}' if open.pop() != Some(c) => return false,
            '"' => match end_of_string(&chars, at) {
                Some(end) => at = end,
                None => return false,
            },
            '\'' => at = end_of_char(&chars, at),
            _ => {}
        }
        at += 1;
    }
    open.is_empty()
}

/// The index of the quote that closes the string opened at `at`.
fn end_of_string(chars: &[char], at: usize) -> Option<usize> {
    let mut at = at + 1;
    while *chars.get(at)? != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    Some(at)
}

/// The last index of a character literal; for a lifetime, the index of its tick.
fn end_of_char(chars: &[char], at: usize) -> usize {
    let body = if chars.get(at + 1) == Some(&'\\') {
        3
    } else {
        2
    };
    if chars.get(at + body) == Some(&'\'') {
        at + body
    } else {
        at
    }
}

#[cfg(test)]
mod tests {
    use super::is_balanced;

    #[test]
    fn brackets_and_quotes_are_balanced() {
        for text in [
            "a",
            "(a)[b]{c}",
            "f(\")\")",
            "f(')')",
            "f('\\'')",
            "x::<'a>()",
            "\"\\\"\"",
        ] {
            assert!(is_balanced(text), "{text}");
        }
        for text in ["(a", "a)", "(a]", "\"a", "f(\")", "{ a"] {
            assert!(!is_balanced(text), "{text}");
        }
    }
}
