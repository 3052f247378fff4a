//! One key that two write-throughs, an invalidating write and a reader use at the same time. Each
//! action is one atomic step: a script of Redis, a commit or query of the database, or a decision
//! of a process.

use stateright::{Model, Property};

pub(crate) const NO_STALE_READ: &str = "no read is older than a write that returned before it";
pub(crate) const NO_OVERTAKEN_FILL: &str =
    "no writer fills a value that another write-through has overwritten, unless its lease was lost";
pub(crate) const HIT_AFTER_WRITE: &str = "a read after a write-through is a hit";
pub(crate) const UNCACHED_MEANWHILE: &str = "a read during a write-through runs uncached";
pub(crate) const CONTESTED: &str = "two write-throughs meet, and both return";

const WRITERS: usize = 2;
const CALLS: u8 = 2;

/// A part removed from the protocol.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Flaw {
    /// A writer that finds a write lease shares it, and both fill.
    ContestedWritersFill,
    /// A writer that finds a write lease replaces it without marking its own.
    SecondWriterFills,
    /// A fill doesn't check its token.
    FillUnchecked,
    /// The lease is taken after the body.
    LeaseAfterPersist,
    /// A refused fill isn't followed by an invalidation.
    RefusalIgnored,
    /// A write of unknown outcome isn't followed by an invalidation.
    FailureIgnored,
    /// A reader that finds a write lease fills without a lease of its own.
    UncachedReaderFills,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct WriteThrough {
    pub(crate) flaw: Option<Flaw>,
}

/// The entry at the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Entry {
    Absent,
    ReadLease(u8),
    WriteLease { token: u8, contested: bool },
    Value { version: u8, filled: Filled },
}

/// The filler of a value: the holder of a write lease, or a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Filled {
    ByWriter(u8),
    ByReader,
}

/// The progress of a write-through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Writer {
    Before,
    /// Holds a lease; the body runs.
    Running(u8),
    /// The body has committed this version. With the flaw, there is no lease yet.
    Committed {
        token: Option<u8>,
        version: u8,
    },
    /// The body has failed, after or before its commit.
    Failed(u8),
    /// The key is to be invalidated.
    Invalidating(u8),
    Returned,
    Crashed,
}

/// The progress of a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Reader {
    Idle,
    Looking,
    Missed,
    /// Holds a lease, and hasn't queried the database yet.
    Leading(u8),
    Computed {
        token: u8,
        version: u8,
    },
    /// Found a write lease, and hasn't queried the database yet.
    Uncached,
}

/// The progress of an invalidating write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Invalidator {
    Before,
    Written(u8),
    Returned,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    database: u8,
    /// The newest version that a write-through has committed.
    written_through: u8,
    entry: Entry,
    writers: [Writer; WRITERS],
    invalidator: Invalidator,
    reader: Reader,
    calls: u8,
    /// The newest version whose write has returned, now and when the reader's call began.
    returned: u8,
    floor: u8,
    next_token: u8,
    expiries: u8,
    crashed: bool,
    /// Whether a write lease was removed by another than its holder.
    lost: bool,
    stale: bool,
    overtaken: bool,
    hit: bool,
    uncached: bool,
    contested: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    TakeLease(usize),
    Commit(usize),
    Fail(usize),
    FailAfterCommit(usize),
    Fill(usize),
    Decide(usize),
    Invalidate(usize),
    Crash(usize),
    Write,
    Delete,
    Begin,
    Look,
    TakeReadLease,
    Compute,
    FillRead,
    ReadUncached,
    Expire,
}

impl State {
    fn token(&mut self) -> u8 {
        self.next_token += 1;
        self.next_token
    }

    /// Remove the entry. `by` is the token of a writer that removes its own lease.
    fn remove(&mut self, by: Option<u8>) {
        if let Entry::WriteLease { token, .. } = self.entry {
            self.lost |= by != Some(token);
        }
        self.entry = Entry::Absent;
    }

    fn commit(&mut self) -> u8 {
        self.database += 1;
        self.database
    }

    fn returns(&mut self, writer: usize, version: u8) {
        self.returned = self.returned.max(version);
        self.writers[writer] = Writer::Returned;
    }

    fn read(&mut self, version: u8) {
        self.stale |= version < self.floor;
        self.reader = Reader::Idle;
    }
}

impl WriteThrough {
    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    /// Put a write lease at the key, and return its token.
    fn take(&self, state: &mut State) -> u8 {
        match state.entry {
            Entry::WriteLease { token, .. } if self.has(Flaw::ContestedWritersFill) => token,
            other => {
                let token = state.token();
                let is_leased = matches!(other, Entry::WriteLease { .. });
                state.contested |= is_leased;
                state.entry = Entry::WriteLease {
                    token,
                    contested: is_leased && !self.has(Flaw::SecondWriterFills),
                };
                token
            }
        }
    }

    fn fill(&self, state: &mut State, writer: usize, token: u8, version: u8) {
        let mine = Entry::WriteLease {
            token,
            contested: false,
        };
        let shared = self.has(Flaw::ContestedWritersFill)
            && matches!(state.entry, Entry::Value { filled, .. } if filled == Filled::ByWriter(token));
        if state.entry == mine || shared || self.has(Flaw::FillUnchecked) {
            state.overtaken |= version < state.written_through && !state.lost;
            let filled = Filled::ByWriter(token);
            state.entry = Entry::Value { version, filled };
            state.returns(writer, version);
        } else if self.has(Flaw::RefusalIgnored) {
            state.returns(writer, version);
        } else {
            state.writers[writer] = Writer::Invalidating(token);
        }
    }

    fn look(&self, state: &mut State) {
        match state.entry {
            Entry::Value { version, filled } => {
                state.hit |= filled != Filled::ByReader && version == state.floor;
                state.read(version);
            }
            // A lease of a reader is this one's own, of an earlier call, and never filled.
            Entry::Absent | Entry::ReadLease(_) => state.reader = Reader::Missed,
            Entry::WriteLease { .. } => state.reader = Reader::Uncached,
        }
    }
}

impl Model for WriteThrough {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let empty = State {
            database: 0,
            written_through: 0,
            entry: Entry::Absent,
            writers: [Writer::Before; WRITERS],
            invalidator: Invalidator::Before,
            reader: Reader::Idle,
            calls: 0,
            returned: 0,
            floor: 0,
            next_token: 0,
            expiries: 0,
            crashed: false,
            lost: false,
            stale: false,
            overtaken: false,
            hit: false,
            uncached: false,
            contested: false,
        };
        let cached = State {
            entry: Entry::Value {
                version: 0,
                filled: Filled::ByReader,
            },
            ..empty.clone()
        };
        vec![empty, cached]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (at, writer) in state.writers.iter().enumerate() {
            match writer {
                Writer::Before if self.has(Flaw::LeaseAfterPersist) => {
                    actions.push(Action::Commit(at));
                }
                Writer::Before => actions.push(Action::TakeLease(at)),
                Writer::Running(_) => actions.extend([
                    Action::Commit(at),
                    Action::Fail(at),
                    Action::FailAfterCommit(at),
                    Action::Crash(at),
                ]),
                Writer::Committed { token: None, .. } => actions.push(Action::TakeLease(at)),
                Writer::Committed { .. } => {
                    actions.extend([Action::Fill(at), Action::Crash(at)]);
                }
                Writer::Failed(_) => actions.push(Action::Decide(at)),
                Writer::Invalidating(_) => actions.push(Action::Invalidate(at)),
                Writer::Returned | Writer::Crashed => {}
            }
        }
        match state.invalidator {
            Invalidator::Before => actions.push(Action::Write),
            Invalidator::Written(_) => actions.push(Action::Delete),
            Invalidator::Returned => {}
        }
        actions.push(match state.reader {
            Reader::Idle => Action::Begin,
            Reader::Looking => Action::Look,
            Reader::Missed => Action::TakeReadLease,
            Reader::Leading(_) => Action::Compute,
            Reader::Computed { .. } => Action::FillRead,
            Reader::Uncached => Action::ReadUncached,
        });
        if state.entry != Entry::Absent && state.expiries == 0 {
            actions.push(Action::Expire);
        }
    }

    fn next_state(&self, before: &State, action: Action) -> Option<State> {
        let mut state = before.clone();
        match action {
            Action::TakeLease(at) => {
                let token = self.take(&mut state);
                state.writers[at] = match state.writers[at] {
                    Writer::Committed { version, .. } => Writer::Committed {
                        token: Some(token),
                        version,
                    },
                    _ => Writer::Running(token),
                };
            }
            Action::Commit(at) => {
                let token = match state.writers[at] {
                    Writer::Running(token) => Some(token),
                    _ => None,
                };
                let version = state.commit();
                state.written_through = version;
                state.writers[at] = Writer::Committed { token, version };
            }
            Action::Fail(at) | Action::FailAfterCommit(at) => {
                let Writer::Running(token) = state.writers[at] else {
                    return None;
                };
                if action == Action::FailAfterCommit(at) {
                    state.written_through = state.commit();
                }
                state.writers[at] = Writer::Failed(token);
            }
            Action::Decide(at) => {
                let Writer::Failed(token) = state.writers[at] else {
                    return None;
                };
                if self.has(Flaw::FailureIgnored) {
                    let version = state.database;
                    state.returns(at, version);
                } else {
                    state.writers[at] = Writer::Invalidating(token);
                }
            }
            Action::Fill(at) => {
                let Writer::Committed {
                    token: Some(token),
                    version,
                } = state.writers[at]
                else {
                    return None;
                };
                self.fill(&mut state, at, token, version);
            }
            Action::Invalidate(at) => {
                let Writer::Invalidating(token) = state.writers[at] else {
                    return None;
                };
                state.remove(Some(token));
                // Not only its own version: nothing older than this moment can be filled from now
                // on, which is more than the promise.
                let version = state.database;
                state.returns(at, version);
            }
            Action::Crash(at) => {
                if state.crashed {
                    return None;
                }
                state.crashed = true;
                state.writers[at] = Writer::Crashed;
            }
            Action::Write => {
                let version = state.commit();
                state.invalidator = Invalidator::Written(version);
            }
            Action::Delete => {
                let Invalidator::Written(version) = state.invalidator else {
                    return None;
                };
                state.remove(None);
                state.returned = state.returned.max(version);
                state.invalidator = Invalidator::Returned;
            }
            Action::Begin => {
                if state.calls == CALLS {
                    return None;
                }
                state.calls += 1;
                state.floor = state.returned;
                state.reader = Reader::Looking;
            }
            Action::Look => self.look(&mut state),
            Action::TakeReadLease => {
                if !matches!(state.entry, Entry::Absent | Entry::ReadLease(_)) {
                    state.reader = Reader::Looking;
                    return Some(state);
                }
                let token = state.token();
                state.entry = Entry::ReadLease(token);
                state.reader = Reader::Leading(token);
            }
            Action::Compute => {
                let Reader::Leading(token) = state.reader else {
                    return None;
                };
                state.reader = Reader::Computed {
                    token,
                    version: state.database,
                };
            }
            Action::FillRead => {
                let Reader::Computed { token, version } = state.reader else {
                    return None;
                };
                // Token 0: with the flaw, a reader without a lease fills.
                if state.entry == Entry::ReadLease(token) || token == 0 {
                    let filled = Filled::ByReader;
                    state.entry = Entry::Value { version, filled };
                }
                state.read(version);
            }
            Action::ReadUncached if self.has(Flaw::UncachedReaderFills) => {
                state.reader = Reader::Computed {
                    token: 0,
                    version: state.database,
                };
            }
            Action::ReadUncached => {
                state.uncached = true;
                let version = state.database;
                state.read(version);
            }
            Action::Expire => {
                state.expiries += 1;
                state.remove(None);
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(NO_STALE_READ, |_, state: &State| !state.stale),
            Property::always(NO_OVERTAKEN_FILL, |_, state: &State| !state.overtaken),
            Property::sometimes(HIT_AFTER_WRITE, |_, state: &State| state.hit),
            Property::sometimes(UNCACHED_MEANWHILE, |_, state: &State| state.uncached),
            Property::sometimes(CONTESTED, |_, state: &State| {
                state.contested && state.writers == [Writer::Returned; WRITERS]
            }),
        ]
    }
}
