//! One key and everything that can happen to it. Each action is one atomic step: a script or
//! command of Redis, a query of the database, or a decision of a process.

use stateright::{Model, Property};

pub(crate) const NO_STALE_READ: &str = "no read is older than what was invalidated before it began";
pub(crate) const ONE_COMPUTATION: &str =
    "as many computations as times that nothing stood at the key";
pub(crate) const TAKEN_OVER: &str = "a crashed leader is taken over";

const READERS: usize = 2;
const CALLS: u8 = 2;

/// A piece taken out of the protocol.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Flaw {
    FillUnchecked,
    IndexLast,
    IndexFirst,
    SweepInTwoSteps,
    FinishUnchecked,
    JoinUnseen,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Protocol {
    /// Whether both readers are in one process, and share its flights.
    pub(crate) same_process: bool,
    pub(crate) flaw: Option<Flaw>,
}

/// The entry at the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Entry {
    Absent,
    Lease(u8),
    Value(u8),
}

/// The progress of a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Reader {
    Idle,
    Looking,
    /// Found no entry.
    Missed,
    /// Holds a lease, and hasn't queried the database yet.
    Leading(u8),
    Computed {
        token: u8,
        version: u8,
    },
    /// Waits for the flight of its process with this token.
    Joined(u8),
    Crashed,
}

/// The progress of a rebuild.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Rebuild {
    NotBegun,
    Begun,
    Scanned,
    Over,
}

/// The progress of the writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Writer {
    Before,
    Written,
    Rebuilding(Rebuild),
    Deleting,
    Returned,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    database: u8,
    entry: Entry,
    /// The index: whether the key is a member, whether the set is complete, and the marks of
    /// rebuilds.
    member: bool,
    whole: bool,
    building: [bool; 2],
    readers: [Reader; READERS],
    /// The newest version whose invalidation had returned when the reader's call began.
    floors: [u8; READERS],
    calls: [u8; READERS],
    writer: Writer,
    background: Rebuild,
    /// Whether the sweeper has seen a dead member, and hasn't removed it yet.
    condemned: bool,
    /// The values of the flights that landed, by token: the callers that joined get them.
    landed: Vec<(u8, u8)>,
    /// Also the number of computations so far.
    next_token: u8,
    losses: u8,
    crashed: bool,
    /// The number of times an existing entry was removed.
    cleared: u8,
    stale: bool,
    taken_over: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    Begin(usize),
    Look(usize),
    Register(usize),
    Take(usize),
    Compute(usize),
    Fill(usize),
    Land(usize),
    Crash(usize),
    Write,
    Range,
    Delete,
    WriterRebuild,
    BackgroundRebuild,
    Sweep,
    Expire,
    LoseIndex,
}

impl State {
    fn clear(&mut self) {
        if self.entry != Entry::Absent {
            self.entry = Entry::Absent;
            self.cleared += 1;
        }
    }

    fn finish(&mut self, reader: usize, version: u8) {
        self.stale |= version < self.floors[reader];
        self.readers[reader] = Reader::Idle;
    }

    /// One step of a rebuild.
    fn rebuild(&mut self, rebuild: Rebuild, mark: usize, flaw: Option<Flaw>) -> Rebuild {
        match rebuild {
            Rebuild::NotBegun => {
                self.building[mark] = true;
                Rebuild::Begun
            }
            Rebuild::Begun => {
                self.member |= self.entry != Entry::Absent;
                Rebuild::Scanned
            }
            Rebuild::Scanned | Rebuild::Over => {
                self.whole |= self.building[mark] || flaw == Some(Flaw::FinishUnchecked);
                self.building[mark] = false;
                Rebuild::Over
            }
        }
    }
}

impl Protocol {
    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    fn look(&self, state: &mut State, reader: usize) {
        let leading = |other: &Reader| match other {
            Reader::Leading(token) | Reader::Computed { token, .. } => Some(*token),
            _ => None,
        };
        let flight = state
            .readers
            .iter()
            .find_map(leading)
            .filter(|_| self.same_process);
        match state.entry {
            Entry::Value(version) => state.finish(reader, version),
            Entry::Lease(token) if flight == Some(token) => {
                state.readers[reader] = Reader::Joined(token)
            }
            // The lease of another process: poll again.
            Entry::Lease(_) => {}
            Entry::Absent => {
                state.readers[reader] = match flight {
                    Some(token) if self.has(Flaw::JoinUnseen) => Reader::Joined(token),
                    _ => Reader::Missed,
                };
            }
        }
    }

    fn take(&self, state: &mut State, reader: usize) {
        if state.entry != Entry::Absent {
            state.readers[reader] = Reader::Looking;
            return;
        }
        let token = state.next_token;
        state.next_token += 1;
        state.entry = Entry::Lease(token);
        if !self.has(Flaw::IndexLast) && !self.has(Flaw::IndexFirst) {
            state.member = true;
        }
        if !state.whole && state.background == Rebuild::Over {
            state.background = Rebuild::NotBegun;
        }
        state.taken_over |= state.crashed;
        state.readers[reader] = Reader::Leading(token);
    }

    fn fill(&self, state: &mut State, reader: usize, token: u8, version: u8) {
        if self.has(Flaw::IndexLast) {
            state.member = true;
        }
        if state.entry == Entry::Lease(token) || self.has(Flaw::FillUnchecked) {
            state.entry = Entry::Value(version);
        }
        if self.same_process {
            state.landed.push((token, version));
        }
        state.finish(reader, version);
    }
}

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let fresh = State {
            database: 0,
            entry: Entry::Absent,
            member: false,
            whole: true,
            building: [false; 2],
            readers: [Reader::Idle; READERS],
            floors: [0; READERS],
            calls: [0; READERS],
            writer: Writer::Before,
            background: Rebuild::NotBegun,
            condemned: false,
            landed: Vec::new(),
            next_token: 0,
            losses: 0,
            crashed: false,
            cleared: 0,
            stale: false,
            taken_over: false,
        };
        // A fresh key whose index was never built, and an entry of an older release that is in no
        // index.
        let unmade = State {
            whole: false,
            ..fresh.clone()
        };
        let older = State {
            entry: Entry::Value(0),
            cleared: 1,
            ..unmade.clone()
        };
        vec![fresh, unmade, older]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (at, reader) in state.readers.iter().enumerate() {
            match reader {
                Reader::Idle if state.calls[at] < CALLS => actions.push(Action::Begin(at)),
                Reader::Looking => actions.push(Action::Look(at)),
                Reader::Missed if self.has(Flaw::IndexFirst) && !state.member => {
                    actions.push(Action::Register(at))
                }
                Reader::Missed => actions.push(Action::Take(at)),
                Reader::Leading(_) => actions.extend([Action::Compute(at), Action::Crash(at)]),
                Reader::Computed { .. } => actions.extend([Action::Fill(at), Action::Crash(at)]),
                Reader::Joined(_) => actions.push(Action::Land(at)),
                Reader::Idle | Reader::Crashed => {}
            }
            // With the flaw, registration is a step of its own, and the lease may be taken any time
            // later.
            if *reader == Reader::Missed && self.has(Flaw::IndexFirst) && !state.member {
                actions.push(Action::Take(at));
            }
        }
        match state.writer {
            Writer::Before => actions.push(Action::Write),
            Writer::Written => actions.push(Action::Range),
            Writer::Rebuilding(_) => actions.push(Action::WriterRebuild),
            Writer::Deleting => actions.push(Action::Delete),
            Writer::Returned => {}
        }
        if state.background != Rebuild::Over && !state.whole {
            actions.push(Action::BackgroundRebuild);
        }
        let dead = state.member && state.entry == Entry::Absent;
        if dead || state.condemned {
            actions.push(Action::Sweep);
        }
        if state.entry != Entry::Absent && state.cleared < 3 {
            actions.push(Action::Expire);
        }
        if state.losses == 0 {
            actions.push(Action::LoseIndex);
        }
    }

    fn next_state(&self, before: &State, action: Action) -> Option<State> {
        let mut state = before.clone();
        match action {
            Action::Begin(at) => {
                state.calls[at] += 1;
                state.floors[at] = if state.writer == Writer::Returned {
                    1
                } else {
                    0
                };
                state.readers[at] = Reader::Looking;
            }
            Action::Look(at) => self.look(&mut state, at),
            Action::Register(_) => state.member = true,
            Action::Take(at) => self.take(&mut state, at),
            Action::Compute(at) => {
                let Reader::Leading(token) = state.readers[at] else {
                    return None;
                };
                state.readers[at] = Reader::Computed {
                    token,
                    version: state.database,
                };
            }
            Action::Fill(at) => {
                let Reader::Computed { token, version } = state.readers[at] else {
                    return None;
                };
                self.fill(&mut state, at, token, version);
            }
            Action::Land(at) => {
                let Reader::Joined(token) = state.readers[at] else {
                    return None;
                };
                let landed = state.landed.iter().find(|(of, _)| *of == token).copied();
                let flying = state.readers.iter().any(|other| {
                    matches!(other, Reader::Leading(of) | Reader::Computed { token: of, .. } if *of == token)
                });
                match landed {
                    Some((_, version)) => state.finish(at, version),
                    None if flying => return None,
                    None => state.readers[at] = Reader::Looking,
                }
            }
            Action::Crash(at) => {
                if state.crashed {
                    return None;
                }
                state.crashed = true;
                state.readers[at] = Reader::Crashed;
            }
            Action::Write => {
                state.database = 1;
                state.writer = Writer::Written;
            }
            Action::Range => {
                state.writer = match (state.whole, state.member) {
                    (false, _) => Writer::Rebuilding(Rebuild::NotBegun),
                    (true, true) => Writer::Deleting,
                    (true, false) => Writer::Returned,
                };
            }
            Action::Delete => {
                state.clear();
                state.member = false;
                state.writer = Writer::Returned;
            }
            Action::WriterRebuild => {
                let Writer::Rebuilding(rebuild) = state.writer else {
                    return None;
                };
                let rebuild = state.rebuild(rebuild, 0, self.flaw);
                state.writer = if rebuild == Rebuild::Over {
                    Writer::Written
                } else {
                    Writer::Rebuilding(rebuild)
                };
            }
            Action::BackgroundRebuild => {
                state.background = state.rebuild(state.background, 1, self.flaw)
            }
            Action::Sweep => {
                if self.has(Flaw::SweepInTwoSteps) && !state.condemned {
                    state.condemned = true;
                } else {
                    state.condemned = false;
                    state.member = false;
                }
            }
            Action::Expire => state.clear(),
            Action::LoseIndex => {
                state.losses += 1;
                state.member = false;
                state.whole = false;
                state.building = [false; 2];
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(NO_STALE_READ, |_, state: &State| !state.stale),
            Property::always(ONE_COMPUTATION, |_, state: &State| {
                state.next_token <= 1 + state.cleared
            }),
            Property::sometimes(TAKEN_OVER, |_, state: &State| state.taken_over),
        ]
    }
}
