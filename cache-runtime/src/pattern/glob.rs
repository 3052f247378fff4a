//! Matching a glob against a path, as Redis `KEYS` does.

/// One step of a glob. Globs work on bytes, not characters, as in Redis: `?` matches half an `é` in
/// both stores.
#[derive(Clone, Debug, PartialEq)]
enum Step {
    Byte(u8),
    Any,
    Many,
    /// Bytes are compared as signed, as Redis does on most machines: `[é-a]` contains the bytes
    /// between.
    Class {
        negated: bool,
        ranges: Vec<(i8, i8)>,
    },
}

/// A glob with the semantics of Redis's `KEYS` and `SCAN .. MATCH`, including the corner cases: a
/// class ends at the first unescaped `]`, or at the end of the glob if unclosed; a range may be
/// reversed; `^` negates; a final `\` matches itself. The tests compare it with a real server.
#[derive(Clone, Debug)]
pub(super) struct Glob {
    steps: Vec<Step>,
}

impl Glob {
    pub(super) fn parse(pattern: &[u8]) -> Self {
        let mut steps = Vec::with_capacity(pattern.len());
        let mut rest = pattern;
        while let Some((&first, after)) = rest.split_first() {
            rest = after;
            match first {
                b'*' => {
                    if steps.last() != Some(&Step::Many) {
                        steps.push(Step::Many);
                    }
                }
                b'?' => steps.push(Step::Any),
                b'[' => {
                    let (class, after) = parse_class(after);
                    steps.push(class);
                    rest = after;
                }
                b'\\' => match after.split_first() {
                    Some((&escaped, after)) => {
                        steps.push(Step::Byte(escaped));
                        rest = after;
                    }
                    None => steps.push(Step::Byte(b'\\')),
                },
                literal => steps.push(Step::Byte(literal)),
            }
        }
        Self { steps }
    }

    /// Return the glob before a final `:*`, if it ends in one.
    pub(super) fn before_final_children(&self) -> Option<Self> {
        match self.steps.as_slice() {
            [node @ .., Step::Byte(b':'), Step::Many] => Some(Self {
                steps: node.to_vec(),
            }),
            _ => None,
        }
    }

    /// Return the text before the first wildcard, and whether that is the whole glob.
    pub(super) fn literal_prefix(&self) -> (Vec<u8>, bool) {
        let literal: Vec<u8> = self
            .steps
            .iter()
            .map_while(|step| match step {
                Step::Byte(byte) => Some(*byte),
                _ => None,
            })
            .collect();
        let all = literal.len() == self.steps.len();
        (literal, all)
    }

    /// Greedy matching that backtracks only to the last `*`, which then consumes one byte more.
    /// Earlier stars never need to, so the time is bounded by the product of the two lengths.
    pub(super) fn matches(&self, text: &[u8]) -> bool {
        let (mut step, mut at) = (0, 0);
        let mut retry: Option<(usize, usize)> = None;
        loop {
            let advanced = match self.steps.get(step) {
                None if at == text.len() => return true,
                Some(Step::Many) => {
                    retry = Some((step, at));
                    step += 1;
                    continue;
                }
                Some(single) if at < text.len() => single.takes(text[at]),
                _ => false,
            };
            if advanced {
                step += 1;
                at += 1;
            } else {
                match retry {
                    Some((star, from)) if from < text.len() => {
                        retry = Some((star, from + 1));
                        step = star + 1;
                        at = from + 1;
                    }
                    _ => return false,
                }
            }
        }
    }
}

impl Step {
    fn takes(&self, byte: u8) -> bool {
        match self {
            Self::Byte(wanted) => *wanted == byte,
            Self::Any => true,
            Self::Many => false,
            Self::Class { negated, ranges } => {
                ranges
                    .iter()
                    .any(|(low, high)| (*low..=*high).contains(&byte.cast_signed()))
                    != *negated
            }
        }
    }
}

/// Parse the class after a `[`, and return it with the rest.
fn parse_class(mut rest: &[u8]) -> (Step, &[u8]) {
    let negated = rest.first() == Some(&b'^');
    if negated {
        rest = &rest[1..];
    }
    let mut ranges = Vec::new();
    loop {
        match rest {
            [] => break,
            [b'\\', escaped, after @ ..] => {
                ranges.push((escaped.cast_signed(), escaped.cast_signed()));
                rest = after;
            }
            [b']', after @ ..] => {
                rest = after;
                break;
            }
            [start, b'-', end, after @ ..] => {
                let (start, end) = (start.cast_signed(), end.cast_signed());
                ranges.push((start.min(end), start.max(end)));
                rest = after;
            }
            [single, after @ ..] => {
                ranges.push((single.cast_signed(), single.cast_signed()));
                rest = after;
            }
        }
    }
    (Step::Class { negated, ranges }, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        Glob::parse(pattern.as_bytes()).matches(text.as_bytes())
    }

    #[test]
    fn wildcards_mean_what_redis_means() {
        assert!(matches("h?llo", "hello") && !matches("h?llo", "hllo"));
        assert!(matches("h*llo", "hllo") && matches("h*llo", "heeeello"));
        assert!(matches("h[ae]llo", "hallo") && !matches("h[ae]llo", "hillo"));
        assert!(matches("h[^e]llo", "hallo") && !matches("h[^e]llo", "hello"));
        assert!(matches("h[b-a]llo", "hallo") && matches("h[a-b]llo", "hbllo"));
        assert!(matches("\\*", "*") && !matches("\\*", "x"));
        assert!(matches("[\\]]", "]") && matches("[ab", "b") && matches("a\\", "a\\"));
        assert!(matches("a**b", "ab") && matches("*a*b*c*", "xxaxxbxxcxx"));
    }

    #[test]
    fn many_stars_stay_cheap() {
        let pattern = "a*".repeat(40) + "b";
        assert!(!matches(&pattern, &"a".repeat(5_000)));
    }
}
