//! Whether a text's brackets and quotes close.
//!
//! The compiler reports an unbalanced text by itself when a macro lexes it, even when the macro
//! means to try again with a longer one. So what can't be lexed must be noticed before.

/// True when every bracket and quote of `text` closes.
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

/// The place of the quote that closes the string opened at `at`.
fn end_of_string(chars: &[char], at: usize) -> Option<usize> {
    let mut at = at + 1;
    while *chars.get(at)? != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    Some(at)
}

/// The last place of a character literal; a lifetime is only its tick.
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
    fn brackets_and_quotes() {
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
