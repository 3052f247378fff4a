//! The passes over a type.

use std::any::type_name;
use std::fmt;

use serde::de::{self, DeserializeOwned};
use xxhash_rust::xxh3::xxh3_64;

use super::{Names, TypeFacts, tracer};

/// Bounds of a trace. Beyond them it is incomplete, which costs speed, not safety.
const MOST_PASSES: usize = 256;
const MOST_EVENTS: usize = 100_000;
const DEEPEST: usize = 64;
/// Levels of anything. A type that is within itself through sequences or options alone, without a name, has no other
/// end.
const MOST_LEVELS: u32 = 320;
/// Ends the log of an incomplete trace; no request is noted so.
const UNSEEN: u8 = u8::MAX;

/// What the passes over one type have in common.
#[derive(Default)]
pub(super) struct Trace {
    /// What was asked, in the pass at hand.
    pub(super) log: Vec<u8>,
    structs: Vec<(&'static str, usize)>,
    fields: Vec<(Names, usize)>,
    /// How deep the tracer is in.
    level: u32,
    /// For each enum: its name, variants, and how many of them were visited.
    enums: Vec<Visits>,
    /// The structs and enums that the tracer is in. By their Rust types: by serde's names, `Page<Page<u32>>` would
    /// be within itself.
    pub(super) open: Vec<&'static str>,
    /// Which sample each refusable request of this pass gets.
    samples: Vec<usize>,
    /// How many such requests there were, and how many samples the last one has.
    asked: usize,
    choices: usize,
    /// Which variant a recursive enum gets.
    way_out: usize,
    pub(super) asks_any: bool,
    too_deep: bool,
}

#[derive(Clone)]
struct Visits {
    /// The Rust type: two `Result`s have variants of one name that hold different things.
    of: &'static str,
    variants: usize,
    visited: usize,
}

pub(super) fn run<T: DeserializeOwned>() -> TypeFacts {
    let mut trace = Trace::default();
    let mut log = Vec::new();
    let mut complete = true;
    for pass in 0.. {
        if pass == MOST_PASSES {
            complete = false;
            break;
        }
        let visited = trace.visited();
        complete &= trace.pass::<T>();
        log.append(&mut trace.log);
        let all = trace
            .enums
            .iter()
            .all(|known| known.visited == known.variants);
        if all || trace.visited() == visited {
            complete &= all;
            break;
        }
    }
    if !complete {
        // What such a type stores is written in another way than what a type whose whole trace is the same stores.
        log.push(UNSEEN);
    }
    TypeFacts {
        fingerprint: xxh3_64(&log),
        complete,
        plain: complete && !trace.asks_any,
        structs: trace.structs,
        fields: trace.fields,
        std_only: false,
    }
}

impl Trace {
    fn visited(&self) -> usize {
        self.enums.iter().map(|known| known.visited).sum()
    }

    /// One pass, repeated with other samples while the last one given is refused. Tells whether it came through.
    fn pass<T: DeserializeOwned>(&mut self) -> bool {
        self.samples.clear();
        self.way_out = 0;
        let enums = self.enums.clone();
        loop {
            self.enums.clone_from(&enums);
            self.log.clear();
            self.open.clear();
            self.asked = 0;
            self.too_deep = false;
            self.level = 0;
            if T::deserialize(tracer::Tracer::new(self)).is_ok() {
                return true;
            }
            if self.too_deep {
                self.way_out += 1;
                if self.way_out >= 16 {
                    return false;
                }
            } else if !self.next_sample() {
                return false;
            }
        }
    }

    /// Chooses the next sample for the request that was answered last.
    fn next_sample(&mut self) -> bool {
        let Some(last) = self.asked.checked_sub(1) else {
            return false;
        };
        self.samples.truncate(last + 1);
        let sample = &mut self.samples[last];
        *sample += 1;
        *sample < self.choices
    }

    /// The sample for a request that has `choices` of them.
    pub(super) fn sample(&mut self, choices: usize) -> usize {
        if self.asked == self.samples.len() {
            self.samples.push(0);
        }
        self.choices = choices;
        self.asked += 1;
        self.samples[self.asked - 1]
    }

    pub(super) fn note(&mut self, kind: u8) -> Result<(), TraceStopped> {
        self.log.push(kind);
        if self.log.len() > MOST_EVENTS {
            self.too_deep = true;
            self.way_out = usize::MAX - 1;
            return Err(TraceStopped);
        }
        Ok(())
    }

    pub(super) fn note_name(&mut self, name: &str) {
        self.log
            .extend_from_slice(&(name.len() as u32).to_le_bytes());
        self.log.extend_from_slice(name.as_bytes());
    }

    pub(super) fn note_names(&mut self, names: &[&str]) {
        self.log
            .extend_from_slice(&(names.len() as u32).to_le_bytes());
        for name in names {
            self.note_name(name);
        }
    }

    pub(super) fn note_struct(&mut self, name: &'static str, length: usize) {
        if !self.structs.contains(&(name, length)) {
            self.structs.push((name, length));
        }
    }

    pub(super) fn note_fields(&mut self, names: Names, length: usize) {
        if !self.fields.contains(&(names, length)) {
            self.fields.push((names, length));
        }
    }

    /// Goes one level deeper; [`rise`](Self::rise) comes back.
    pub(super) fn descend(&mut self) -> Result<(), TraceStopped> {
        if self.level == MOST_LEVELS {
            self.too_deep = true;
            return Err(TraceStopped);
        }
        self.level += 1;
        Ok(())
    }

    pub(super) fn rise(&mut self) {
        self.level = self.level.saturating_sub(1);
    }

    /// Enters a struct or enum; tells whether it is within itself.
    pub(super) fn enter<T>(&mut self) -> Result<bool, TraceStopped> {
        if self.open.len() == DEEPEST {
            self.too_deep = true;
            return Err(TraceStopped);
        }
        let within_itself = self.open.contains(&type_name::<T>());
        self.open.push(type_name::<T>());
        Ok(within_itself)
    }

    /// The variant of `T` to visit: the first that wasn't, or the way out of a recursion.
    pub(super) fn variant<T>(&mut self, variants: usize, within_itself: bool) -> usize {
        let of = type_name::<T>();
        let at = self.enums.iter().position(|known| known.of == of);
        let at = at.unwrap_or_else(|| {
            self.enums.push(Visits {
                of,
                variants,
                visited: 0,
            });
            self.enums.len() - 1
        });
        let known = &mut self.enums[at];
        if !within_itself && known.visited < known.variants {
            known.visited += 1;
            return known.visited - 1;
        }
        self.way_out % variants.max(1)
    }
}

/// Ends a pass: a sample was refused, or a bound was met.
#[derive(Debug)]
pub(super) struct TraceStopped;

impl fmt::Display for TraceStopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("refused")
    }
}
impl std::error::Error for TraceStopped {}
impl de::Error for TraceStopped {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}
