//! Whether a pattern's template can match any key of a key's template, whatever the placeholders
//! contain. A `const fn`, so that an attribute can reject at compile time a pattern that matches
//! its own function's key.
//!
//! Both templates are small automata: a literal byte is one step; a placeholder (the byte 1)
//! repeats any byte that a value can contain; in the pattern, `*` repeats any byte, and `?` and
//! classes are one step. The search visits the pairs of positions that can be reached together; the
//! pattern can match if the pair of ends is among them.

/// A placeholder in a template.
const HOLE: u8 = 1;
/// Length up to which templates are examined. Longer ones are assumed to match, so the answer errs
/// on the side of "can match".
const LIMIT: usize = 192;

/// Return whether `pattern` can match a key of `template`; in both, each placeholder is the
/// character U+0001. A pattern that ends in `:*` also matches without it.
pub const fn reaches(pattern: &str, template: &str) -> bool {
    let pattern = pattern.as_bytes();
    let template = template.as_bytes();
    if pattern.len() >= LIMIT || template.len() >= LIMIT {
        return true;
    }
    let length = pattern.len();
    if overlaps(pattern, length, template) {
        return true;
    }
    let children = length >= 2 && pattern[length - 2] == b':' && pattern[length - 1] == b'*';
    let escaped = length >= 3 && pattern[length - 3] == b'\\';
    let node = if escaped {
        length.saturating_sub(3)
    } else {
        length.saturating_sub(2)
    };
    children && overlaps(pattern, node, template)
}

/// Search breadth-first over pairs (position in the pattern, position in the template).
const fn overlaps(pattern: &[u8], pattern_end: usize, template: &[u8]) -> bool {
    let mut seen = [[false; LIMIT]; LIMIT];
    let mut queue = [(0u8, 0u8); LIMIT * LIMIT];
    let (mut head, mut tail) = (0, 1);
    seen[0][0] = true;
    while head < tail {
        let (p, t) = (queue[head].0 as usize, queue[head].1 as usize);
        head += 1;
        if p == pattern_end && t == template.len() {
            return true;
        }
        let next = successors(pattern, pattern_end, p, template, t);
        let mut i = 0;
        while i < 3 {
            if let Some((p, t)) = next[i]
                && !seen[p][t]
            {
                seen[p][t] = true;
                queue[tail] = (p as u8, t as u8);
                tail += 1;
            }
            i += 1;
        }
    }
    false
}

type Pair = Option<(usize, usize)>;

/// Add the pairs that follow by one byte that both accept, or by the end of a repetition.
const fn successors(
    pattern: &[u8],
    pattern_end: usize,
    p: usize,
    template: &[u8],
    t: usize,
) -> [Pair; 3] {
    let in_pattern = p < pattern_end;
    let in_template = t < template.len();
    let pattern_repeats = in_pattern && matches!(pattern[p], b'*' | HOLE);
    let template_repeats = in_template && template[t] == HOLE;
    let leave_pattern = if pattern_repeats {
        Some((p + 1, t))
    } else {
        None
    };
    let leave_template = if template_repeats {
        Some((p, t + 1))
    } else {
        None
    };
    let both = if in_pattern && in_template && share_a_byte(pattern, p, template[t]) {
        let p_next = if pattern_repeats {
            p
        } else {
            step_end(pattern, pattern_end, p)
        };
        let t_next = if template_repeats { t } else { t + 1 };
        Some((p_next, t_next))
    } else {
        None
    };
    [leave_pattern, leave_template, both]
}

/// Return whether some byte fits both the pattern's step at `p` and the template's byte or
/// placeholder.
const fn share_a_byte(pattern: &[u8], p: usize, in_template: u8) -> bool {
    if in_template != HOLE {
        return step_takes(pattern, p, in_template);
    }
    match pattern[p] {
        HOLE | b'*' | b'?' => true,
        b'[' => {
            let mut byte = 0u8;
            while byte < u8::MAX {
                if value_holds(byte) && class_takes(pattern, p, byte) {
                    return true;
                }
                byte += 1;
            }
            false
        }
        b'\\' if p + 1 < pattern.len() => value_holds(pattern[p + 1]),
        literal => value_holds(literal),
    }
}

/// Return whether a rendered value can contain the byte. `%` begins its escapes.
const fn value_holds(byte: u8) -> bool {
    byte == b'%' || !crate::key::escape::is_structural(byte)
}

const fn step_takes(pattern: &[u8], p: usize, byte: u8) -> bool {
    match pattern[p] {
        HOLE => value_holds(byte),
        b'*' | b'?' => true,
        b'[' => class_takes(pattern, p, byte),
        b'\\' if p + 1 < pattern.len() => pattern[p + 1] == byte,
        literal => literal == byte,
    }
}

/// Return the end of the step that begins at `p`.
const fn step_end(pattern: &[u8], pattern_end: usize, p: usize) -> usize {
    match pattern[p] {
        b'\\' if p + 1 < pattern_end => p + 2,
        b'[' => {
            let mut at = p + 1;
            if at < pattern_end && pattern[at] == b'^' {
                at += 1;
            }
            while at < pattern_end && pattern[at] != b']' {
                at = class_item_end(pattern, pattern_end, at);
            }
            if at < pattern_end {
                at + 1
            } else {
                pattern_end
            }
        }
        _ => p + 1,
    }
}

/// Return the end of one item of a class: an escape, a range, or a byte.
const fn class_item_end(pattern: &[u8], pattern_end: usize, at: usize) -> usize {
    if pattern[at] == b'\\' && at + 1 < pattern_end {
        at + 2
    } else if at + 2 < pattern_end && pattern[at + 1] == b'-' {
        at + 3
    } else {
        at + 1
    }
}

const fn class_takes(pattern: &[u8], p: usize, byte: u8) -> bool {
    let end = pattern.len();
    let mut at = p + 1;
    let negated = at < end && pattern[at] == b'^';
    if negated {
        at += 1;
    }
    let mut found = false;
    while at < end && pattern[at] != b']' {
        let next = class_item_end(pattern, end, at);
        let (low, high) = match next - at {
            3 => (pattern[at].cast_signed(), pattern[at + 2].cast_signed()),
            2 => (pattern[at + 1].cast_signed(), pattern[at + 1].cast_signed()),
            _ => (pattern[at].cast_signed(), pattern[at].cast_signed()),
        };
        let byte = byte.cast_signed();
        found = found || (low <= byte && byte <= high) || (high <= byte && byte <= low);
        at = next;
    }
    found != negated
}

#[cfg(test)]
mod tests {
    use super::reaches;

    fn reach(pattern: &str, template: &str) -> bool {
        let holes = |text: &str| text.replace('@', "\u{1}");
        reaches(&holes(pattern), &holes(template))
    }

    #[test]
    fn a_pattern_reaches_a_template_whose_placeholders_can_match() {
        assert!(reach("posts:@:*", "posts:@"));
        assert!(reach("posts:@:*", "posts:@:comments"));
        assert!(reach("posts:list:*", "posts:list:@"));
        assert!(reach("posts:list", "posts:@"), "a slug can be `list`");
        assert!(
            !reach("posts:@", "posts:@:comments"),
            "a value holds no separator"
        );
        assert!(!reach("posts:@:*", "comments:post:@"));
        assert!(!reach("comment:@:*", "comments:@"));
        assert!(reach("*", "anything:@"));
        assert!(reach("*:@", "a:b:c"));
    }

    #[test]
    fn wildcards_and_classes_are_considered() {
        assert!(reach("po?ts:[0-9]*", "posts:@"));
        assert!(!reach("posts:[:]", "posts:@"), "no value holds a separator");
        assert!(reach("posts:[^a]x", "posts:bx") && !reach("posts:[^a]x", "posts:ax"));
        assert!(reach("a\\*b", "a*b") && !reach("a\\*b", "axb"));
        assert!(reach("a\\:*", "a"));
    }
}
