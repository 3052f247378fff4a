//! One key whose entry and set are on different nodes: the single step of the other model is two
//! steps here, and members carry tokens. Each action is one atomic step: a script or command on one
//! node, or a query of the database.

mod steps;

use stateright::{Model, Property};

use crate::protocol::NO_STALE_READ;

pub(crate) const REFRESHED: &str = "a value is replaced while it is cached";
pub(crate) const SWEPT_LATE: &str = "a member is removed after its key was leased again";

const READERS: usize = 2;
/// The number of calls of each reader: the first one leads and reads again, the second one comes in
/// between, and may refresh the value it finds.
const CALLS: [u8; READERS] = [2, 1];

/// A piece taken out of the protocol.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Flaw {
    /// The key is registered before it is leased.
    IndexFirst,
    /// The key is registered only once the value is stored.
    IndexLast,
    /// Members are keys, without tokens.
    NoTokens,
    /// A rebuild registers a value that is being refreshed without the claim on it.
    RebuildWithoutClaim,
    /// A refresh doesn't register its claim.
    ClaimUnregistered,
    /// A set counts as complete on masters that have lost part of it.
    MarkWithoutMasters,
    /// A filled value doesn't carry the token of its fill.
    FillWithoutToken,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Apart {
    pub(crate) flaw: Option<Flaw>,
}

type Token = u8;

/// The entry at the key. A process that dies is modelled as one that takes no further step; its
/// lease expires.
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
    /// Only with the flaw: has registered, and not leased yet.
    Registered(Token),
    /// Has leased or claimed, and not registered yet.
    Granted(Token),
    /// Registered: may query the database.
    Leading(Token),
    Computed {
        token: Token,
        version: u8,
    },
    /// Only with the flaw: filled, and not registered yet.
    Filled(Token),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Rebuild {
    NotBegun,
    Begun,
    /// Has read the entry at the key.
    Read(Members),
    Enlisted,
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Writer {
    Before,
    /// Waits for the rebuild if the set isn't complete.
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
    rebuild: Rebuild,
    /// Members that the sweeper has seen dead, and hasn't removed yet.
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
    WriterContinues,
    Rebuild,
    Condemn,
    Drop,
    Expire,
    LoseIndex,
    /// The set's master is replaced by one that has lost its members.
    FailOver,
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
            rebuild: Rebuild::NotBegun,
            condemned: Members(0),
            next_token: 1,
            losses: 0,
            expired: false,
            stale: false,
            refreshed: false,
            swept_late: false,
        };
        // An entry that is in no set, written by an older release.
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
            _ => actions.push(Action::WriterContinues),
        }
        if state.rebuild != Rebuild::Over && !state.whole {
            actions.push(Action::Rebuild);
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
            Action::WriterContinues => self.writer(&mut state),
            Action::Rebuild => {
                state.rebuild = self.rebuild(&mut state);
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
