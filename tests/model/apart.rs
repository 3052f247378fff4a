//! The same key where its entry and its set are on different nodes: what was one step is two, and members carry tokens.
//! Each action is one atomic step: a script or command on one node, a query of the database.

use stateright::{Model, Property};

use crate::protocol::NO_STALE_READ;

pub(crate) const REFRESHED: &str = "a value is replaced while it stands";
pub(crate) const SWEPT_LATE: &str = "a member is dropped after its key was leased anew";

const READERS: usize = 2;
/// How often each of them calls: one leads and reads again, the other comes between, and may refresh what it finds.
const CALLS: [u8; READERS] = [2, 1];

/// A piece taken out of the protocol.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Flaw {
    /// The key is registered before it is leased.
    IndexFirst,
    /// It is registered when the value is there.
    IndexLast,
    /// Members are keys.
    NoTokens,
    /// A walk registers a value that is being refreshed without the claim on it.
    WalkWithoutClaim,
    /// A refresh doesn't register its claim.
    ClaimUnregistered,
    /// A set counts as whole to masters that have forgotten some of it.
    MarkWithoutMasters,
    /// A value that was filled doesn't carry the token of its fill.
    FillWithoutToken,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Apart {
    pub(crate) flaw: Option<Flaw>,
}

type Token = u8;

/// What stands at the key. A process that dies is one that takes no further step, and what it leased expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Entry {
    Absent,
    Lease(Token),
    Value {
        version: u8,
        token: Token,
        claim: Option<Token>,
    },
}

impl Entry {
    fn tokens(self) -> Members {
        match self {
            Self::Absent => Members(0),
            Self::Lease(token) => Members::of(token),
            Self::Value { token, claim, .. } => {
                let claim = claim.map_or(Members(0), Members::of);
                Members(Members::of(token).0 | claim.0)
            }
        }
    }
}

/// The key's members, by their tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Members(u16);

impl Members {
    fn of(token: Token) -> Self {
        Self(1 << token)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Reader {
    Idle,
    Looking,
    Missed,
    /// With the flaw: has registered, and not leased yet.
    Registered(Token),
    /// Has leased or claimed, and not registered yet.
    Granted(Token),
    /// Registered: may ask the database.
    Leading(Token),
    Computed {
        token: Token,
        version: u8,
    },
    /// With the flaw: filled, and not registered yet.
    Filled(Token),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Walk {
    NotBegun,
    Begun,
    /// Has read what stands at the key.
    Read(Members),
    Enlisted,
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Writer {
    Before,
    /// Waits for the walk, if the set isn't whole.
    Written,
    /// Has read these members.
    Deleting(Members),
    /// Has deleted the entry.
    Unregistering(Members),
    Returned,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    database: u8,
    entry: Entry,
    members: Members,
    whole: bool,
    building: bool,
    readers: [Reader; READERS],
    floors: [u8; READERS],
    calls: [u8; READERS],
    writer: Writer,
    walk: Walk,
    /// The sweeper saw these dead, and hasn't dropped them yet.
    condemned: Members,
    next_token: Token,
    losses: u8,
    expired: bool,
    stale: bool,
    refreshed: bool,
    swept_late: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    Begin(usize),
    Look(usize),
    Take(usize),
    Claim(usize),
    Register(usize),
    Compute(usize),
    Fill(usize),
    Write,
    WriterGoesOn,
    Walk,
    Condemn,
    Drop,
    Expire,
    LoseIndex,
    /// The set's master is replaced by one that has forgotten its members.
    FailOver,
}

impl Apart {
    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    /// The member that a token makes.
    fn member(&self, token: Token) -> Members {
        match self.has(Flaw::NoTokens) {
            true => Members(1),
            false => Members::of(token),
        }
    }

    /// The members whose tokens stand.
    fn alive(&self, entry: Entry) -> Members {
        match self.has(Flaw::NoTokens) {
            true => Members(u16::from(entry != Entry::Absent)),
            false => entry.tokens(),
        }
    }

    fn take(&self, state: &mut State, reader: usize) {
        if state.entry != Entry::Absent {
            state.readers[reader] = Reader::Looking;
            return;
        }
        state.readers[reader] = match state.readers[reader] {
            Reader::Registered(token) => {
                state.entry = Entry::Lease(token);
                Reader::Leading(token)
            }
            _ => {
                let token = state.next_token;
                state.next_token += 1;
                state.entry = Entry::Lease(token);
                Reader::Granted(token)
            }
        };
        self.needs_walk(state);
    }

    fn claim(&self, state: &mut State, reader: usize) {
        let Entry::Value { version, token, .. } = state.entry else {
            return;
        };
        let claim = state.next_token;
        state.next_token += 1;
        state.entry = Entry::Value {
            version,
            token,
            claim: Some(claim),
        };
        state.readers[reader] = match self.has(Flaw::ClaimUnregistered) {
            true => Reader::Leading(claim),
            false => Reader::Granted(claim),
        };
    }

    fn needs_walk(&self, state: &mut State) {
        if !state.whole && state.walk == Walk::Over {
            state.walk = Walk::NotBegun;
        }
    }

    fn fill(&self, state: &mut State, reader: usize, token: Token, version: u8) {
        let stands = match state.entry {
            Entry::Lease(lease) => lease == token,
            Entry::Value { claim, .. } => claim == Some(token),
            Entry::Absent => false,
        };
        if stands {
            state.refreshed |= state.entry != Entry::Lease(token);
            // Nobody's token, as it was before entries carried that of their fill.
            let own = if self.has(Flaw::FillWithoutToken) {
                15
            } else {
                token
            };
            state.entry = Entry::Value {
                version,
                token: own,
                claim: None,
            };
        }
        self.finish(state, reader, version);
        if self.has(Flaw::IndexLast) {
            state.readers[reader] = Reader::Filled(token);
        }
    }

    fn finish(&self, state: &mut State, reader: usize, version: u8) {
        state.stale |= version < state.floors[reader];
        state.readers[reader] = Reader::Idle;
    }

    /// One step of the walk. That two of them don't do harm to each other is the other model's.
    fn walk(&self, state: &mut State) -> Walk {
        match state.walk {
            Walk::NotBegun => {
                state.building = true;
                Walk::Begun
            }
            Walk::Begun => Walk::Read(match state.entry {
                Entry::Value { token, .. } if self.has(Flaw::WalkWithoutClaim) => {
                    Members::of(token)
                }
                entry => self.alive(entry),
            }),
            Walk::Read(found) => {
                state.members.0 |= found.0;
                Walk::Enlisted
            }
            Walk::Enlisted | Walk::Over => {
                state.whole |= state.building;
                state.building = false;
                Walk::Over
            }
        }
    }

    fn writer(&self, state: &mut State) {
        state.writer = match state.writer {
            Writer::Before | Writer::Returned => return,
            Writer::Written => match (state.whole, state.members) {
                (false, _) => {
                    self.needs_walk(state);
                    Writer::Written
                }
                (true, Members(0)) => Writer::Returned,
                (true, members) => Writer::Deleting(members),
            },
            Writer::Deleting(members) => {
                state.entry = Entry::Absent;
                Writer::Unregistering(members)
            }
            Writer::Unregistering(members) => {
                state.members.0 &= !members.0;
                Writer::Returned
            }
        };
    }

    fn reader_actions(&self, state: &State, at: usize, actions: &mut Vec<Action>) {
        match state.readers[at] {
            Reader::Idle if state.calls[at] < CALLS[at] => actions.push(Action::Begin(at)),
            Reader::Looking => {
                actions.push(Action::Look(at));
                if at == 1 && matches!(state.entry, Entry::Value { .. }) {
                    actions.push(Action::Claim(at));
                }
            }
            Reader::Missed if self.has(Flaw::IndexFirst) => actions.push(Action::Register(at)),
            Reader::Missed | Reader::Registered(_) => actions.push(Action::Take(at)),
            Reader::Granted(_) if self.has(Flaw::IndexLast) => actions.push(Action::Compute(at)),
            Reader::Granted(_) | Reader::Filled(_) => actions.push(Action::Register(at)),
            Reader::Leading(_) => actions.push(Action::Compute(at)),
            Reader::Computed { .. } => actions.push(Action::Fill(at)),
            Reader::Idle => {}
        }
    }

    fn read(&self, state: &mut State, action: Action) -> Option<()> {
        match action {
            Action::Begin(at) => {
                state.calls[at] += 1;
                state.floors[at] = u8::from(state.writer == Writer::Returned);
                state.readers[at] = Reader::Looking;
            }
            Action::Look(at) => match state.entry {
                Entry::Value { version, .. } => self.finish(state, at, version),
                // Another process's: looks again.
                Entry::Lease(_) => {}
                Entry::Absent => state.readers[at] = Reader::Missed,
            },
            Action::Take(at) => self.take(state, at),
            Action::Claim(at) => self.claim(state, at),
            Action::Register(at) => match state.readers[at] {
                Reader::Granted(token) => {
                    state.members.0 |= self.member(token).0;
                    state.readers[at] = Reader::Leading(token);
                    self.needs_walk(state);
                }
                Reader::Filled(token) => {
                    state.members.0 |= self.member(token).0;
                    state.readers[at] = Reader::Idle;
                }
                Reader::Missed => {
                    let token = state.next_token;
                    state.next_token += 1;
                    state.members.0 |= self.member(token).0;
                    state.readers[at] = Reader::Registered(token);
                }
                _ => return None,
            },
            Action::Compute(at) => {
                let (Reader::Leading(token) | Reader::Granted(token)) = state.readers[at] else {
                    return None;
                };
                let version = state.database;
                state.readers[at] = Reader::Computed { token, version };
            }
            Action::Fill(at) => {
                let Reader::Computed { token, version } = state.readers[at] else {
                    return None;
                };
                self.fill(state, at, token, version);
            }
            _ => return None,
        }
        Some(())
    }
}

impl Model for Apart {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let fresh = State {
            database: 0,
            entry: Entry::Absent,
            members: Members(0),
            whole: true,
            building: false,
            readers: [Reader::Idle; READERS],
            floors: [0; READERS],
            calls: [0; READERS],
            writer: Writer::Before,
            walk: Walk::NotBegun,
            condemned: Members(0),
            next_token: 1,
            losses: 0,
            expired: false,
            stale: false,
            refreshed: false,
            swept_late: false,
        };
        // An entry that is in no set, as of an older release.
        let older = State {
            entry: Entry::Value {
                version: 0,
                token: 0,
                claim: None,
            },
            whole: false,
            ..fresh.clone()
        };
        vec![fresh, older]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for at in 0..READERS {
            self.reader_actions(state, at, actions);
        }
        match state.writer {
            Writer::Before => actions.push(Action::Write),
            Writer::Returned => {}
            _ => actions.push(Action::WriterGoesOn),
        }
        if state.walk != Walk::Over && !state.whole {
            actions.push(Action::Walk);
        }
        if state.members.0 & !self.alive(state.entry).0 != 0 && state.condemned == Members(0) {
            actions.push(Action::Condemn);
        }
        if state.condemned != Members(0) {
            actions.push(Action::Drop);
        }
        if state.entry != Entry::Absent && !state.expired {
            actions.push(Action::Expire);
        }
        if state.losses == 0 {
            actions.extend([Action::LoseIndex, Action::FailOver]);
        }
    }

    fn next_state(&self, before: &State, action: Action) -> Option<State> {
        let mut state = before.clone();
        match action {
            Action::Write => {
                state.database = 1;
                state.writer = Writer::Written;
            }
            Action::WriterGoesOn => self.writer(&mut state),
            Action::Walk => {
                state.walk = self.walk(&mut state);
            }
            Action::Condemn => {
                state.condemned = Members(state.members.0 & !self.alive(state.entry).0);
            }
            Action::Drop => {
                let leased = matches!(state.entry, Entry::Lease(_));
                state.swept_late |= leased && state.members.0 & state.condemned.0 != 0;
                state.members.0 &= !state.condemned.0;
                state.condemned = Members(0);
            }
            Action::Expire => {
                state.entry = Entry::Absent;
                state.expired = true;
            }
            Action::LoseIndex | Action::FailOver => {
                state.losses += 1;
                state.members = Members(0);
                state.building = false;
                state.whole &= action == Action::FailOver && self.has(Flaw::MarkWithoutMasters);
            }
            reading => self.read(&mut state, reading)?,
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(NO_STALE_READ, |_, state: &State| !state.stale),
            Property::sometimes(REFRESHED, |_, state: &State| state.refreshed),
            Property::sometimes(SWEPT_LATE, |_, state: &State| state.swept_late),
        ]
    }
}
