//! The passes over a type.

use std::any::type_name;
use std::fmt;

use serde::de;
use xxhash_rust::xxh3::xxh3_64;

use super::shape::ShapeText;
use super::{Names, TypeFacts};

/// Bounds of a trace. A trace that exceeds them is incomplete, which costs speed, not safety.
const MAX_PASSES: usize = 256;
const MAX_EVENTS: usize = 100_000;
const MAX_OPEN_TYPES: usize = 64;
/// Maximum depth. It is the only bound for a type that contains itself through unnamed sequences or
/// options alone.
const MAX_LEVELS: u32 = 320;
/// Ends the log of an incomplete trace. No request has this code.
const UNSEEN: u8 = u8::MAX;

/// State shared by the passes over one type.
#[derive(Default)]
pub(super) struct Trace {
    /// The requests of the current pass.
    pub(super) log: Vec<u8>,
    pub(super) shape: ShapeText,
    structs: Vec<(&'static str, usize)>,
    fields: Vec<(Names, usize)>,
    /// Current depth of the tracer.
    level: u32,
    /// For each enum: its name, variants, and the number of them visited.
    enums: Vec<Visits>,
    /// The structs and enums that the tracer is inside. Identified by Rust type: by serde's names,
    /// `Page<Page<u32>>` would contain itself.
    pub(super) open: Vec<&'static str>,
    /// The sample used for each refusable request of this pass.
    samples: Vec<usize>,
    /// Number of such requests so far, and of samples for the last one.
    asked: usize,
    choices: usize,
    /// The variant used for a recursive enum.
    way_out: usize,
    pub(super) asks_any: bool,
    too_deep: bool,
}

#[derive(Clone)]
struct Visits {
    /// The Rust type: two `Result`s have variants of the same names that contain different types.
    of: &'static str,
    variants: usize,
    visited: usize,
}

/// Run the passes over a type. `deserialize` deserializes it from a tracer, and returns whether that
/// succeeded.
pub(super) fn run(deserialize: impl Fn(&mut Trace) -> bool) -> TypeFacts {
    let mut trace = Trace::default();
    let mut log = Vec::new();
    let mut complete = true;
    for pass in 0.. {
        if pass == MAX_PASSES {
            complete = false;
            break;
        }
        let visited = trace.visited();
        complete &= trace.pass(&deserialize);
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
        // A type with an incomplete trace is stored in a different encoding than a type whose
        // complete trace has the same log.
        log.push(UNSEEN);
    }
    TypeFacts {
        fingerprint: xxh3_64(&log),
        complete,
        plain: complete && !trace.asks_any,
        shape: trace.shape.finish(),
        structs: trace.structs,
        fields: trace.fields,
        std_only: false,
    }
}

impl Trace {
    fn visited(&self) -> usize {
        self.enums.iter().map(|known| known.visited).sum()
    }

    /// Run one pass, repeated with other samples while the last one is refused. Return whether it
    /// completed.
    fn pass(&mut self, deserialize: impl Fn(&mut Self) -> bool) -> bool {
        self.samples.clear();
        self.way_out = 0;
        let enums = self.enums.clone();
        loop {
            self.enums.clone_from(&enums);
            self.log.clear();
            self.shape.begin();
            self.open.clear();
            self.asked = 0;
            self.too_deep = false;
            self.level = 0;
            if deserialize(self) {
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

    /// Choose the next sample for the request that was answered last.
    fn next_sample(&mut self) -> bool {
        let Some(last) = self.asked.checked_sub(1) else {
            return false;
        };
        self.samples.truncate(last + 1);
        let sample = &mut self.samples[last];
        *sample += 1;
        *sample < self.choices
    }

    /// Return the sample for a request that has `choices` of them.
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
        if self.log.len() > MAX_EVENTS {
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

    /// Go one level deeper; [`ascend`](Self::ascend) returns.
    pub(super) fn descend(&mut self) -> Result<(), TraceStopped> {
        if self.level == MAX_LEVELS {
            self.too_deep = true;
            return Err(TraceStopped);
        }
        self.level += 1;
        Ok(())
    }

    pub(super) fn ascend(&mut self) {
        self.level = self.level.saturating_sub(1);
    }

    /// Enter a struct or enum. Return whether it contains itself.
    pub(super) fn enter<T>(&mut self) -> Result<bool, TraceStopped> {
        if self.open.len() == MAX_OPEN_TYPES {
            self.too_deep = true;
            return Err(TraceStopped);
        }
        let within_itself = self.open.contains(&type_name::<T>());
        self.open.push(type_name::<T>());
        Ok(within_itself)
    }

    /// Return the variant of `T` to visit: the first unvisited one, or the one that ends a
    /// recursion.
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

/// The pass ended early: a sample was refused, or a bound was reached.
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
