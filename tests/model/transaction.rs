//! One key that depends on two rows, and two writers that each change one row in a database
//! transaction. A commit is the point at which a change counts; the invalidation is a later step,
//! and the process may die in between. The index is left out: the other models show that one
//! invalidation removes what is at the key.
//!
//! A value is the set of changes that it contains, so two comparisons of sets say whether a read is
//! older than a change, and whether it contains a change that was never committed.

mod steps;

use stateright::{Model, Property};

pub(crate) const FRESH: &str =
    "no read lacks a change that was committed and invalidated before it began";
pub(crate) const COMMITTED: &str = "no read outside a transaction contains an uncommitted change";
pub(crate) const ISOLATED: &str = "a read inside a transaction returns what its transaction sees";
pub(crate) const RELAYED: &str = "a relay invalidates for a process that died";
pub(crate) const UNKNOWN: &str = "a commit takes effect although its process doesn't learn of it";
pub(crate) const COMPLETE: &str = "a value with both changes is cached";

const WRITERS: usize = 2;
/// The number of calls of each reader outside of transactions.
const CALLS: [u8; 2] = [2, 1];
/// A reader in a transaction of its own, which has an older snapshot.
const IN_SNAPSHOT: usize = 2;
/// A reader in the transaction of the first writer.
const IN_WRITER: usize = 3;
const READERS: usize = 4;

/// A piece taken out of the protocol.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Flaw {
    /// A writer invalidates within its transaction.
    InvalidateBeforeCommit,
    /// A cached read inside a writer's transaction looks up and fills.
    FillInTransaction,
    /// A cached read in an older snapshot looks up and fills.
    FillInSnapshot,
    /// A read inside a transaction is served from the cache, and fills nothing.
    HitInTransaction,
    /// A commit writes no outbox row.
    NoOutbox,
    /// The outbox row is written in a transaction of its own.
    RowApart,
    /// The row's id is that of the changed object; a second row for it is ignored.
    OneRowPerObject,
    /// The process deletes its outbox row before it invalidates.
    DeleteFirst,
    /// The process deletes its outbox row although it doesn't know the outcome of its commit.
    DeleteInDoubt,
    /// A relay deletes the row before it invalidates.
    RelayDeletesFirst,
    /// A relay remembers the last id that it has seen, and takes later ones only.
    Cursor,
    /// Readers query a replica, and nothing is invalidated a second time.
    NoSettle,
    /// The replica lags more than the second invalidation waits.
    LagBeyondSettle,
}

/// The database that the readers outside of transactions query, and the faults that can happen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Setup {
    /// The primary. No process dies.
    Primary,
    /// The primary, and an outbox. The first writer's connection may break during COMMIT, and its
    /// process or the relay's may die.
    Outbox,
    /// A replica that lags; writers invalidate once more after a while.
    Replica,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Transactions {
    pub(crate) setup: Setup,
    pub(crate) flaw: Option<Flaw>,
}

/// A set of changes: bit n is the change of writer n.
pub(crate) type Changes = u8;
/// The entry at the key. A reader holds one lease at a time, so its number is the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Entry {
    Absent,
    Lease(usize),
    Value(Changes),
}

/// The progress of a reader. One step looks up and takes the lease: the other models split it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Reader {
    Idle,
    Looking,
    Leading,
    Computed(Changes),
}

/// A writer's transaction, as the database sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Outcome {
    Open,
    /// The connection broke during COMMIT: the database still decides.
    Undecided,
    Committed,
    RolledBack,
}

/// The progress of a writer's process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Writer {
    Before,
    /// Has changed its row.
    Changed,
    /// Has written its outbox row.
    Recorded,
    /// Only with the flaw: has invalidated, and not committed.
    Early,
    Committed,
    /// Doesn't know the outcome of its commit.
    InDoubt,
    /// Has invalidated, and will do so once more.
    Settling,
    /// Has committed and invalidated.
    Returned,
    /// Has invalidated, and doesn't know the outcome of its commit.
    Unsure,
    RolledBack,
    Dead,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Row {
    Absent,
    /// Written in a transaction that is still open.
    Pending,
    Visible,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Relay {
    Idle,
    Holding(usize),
    /// Has invalidated for this row, and not deleted it.
    Invalidated(usize),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    outcomes: [Outcome; WRITERS],
    writers: [Writer; WRITERS],
    rows: [Row; WRITERS],
    /// The ids of the rows, in the order in which they were written, and the last id that the relay
    /// has seen. Only with a cursor.
    ids: [u8; WRITERS],
    cursor: u8,
    relay: Relay,
    replica: Changes,
    snapshot: Option<Changes>,
    entry: Entry,
    readers: [Reader; READERS],
    /// The changes that a reader's call must see.
    floors: [Changes; CALLS.len()],
    calls: [u8; CALLS.len()],
    /// The committed changes that every later read must see.
    announced: Changes,
    expired: bool,
    died: bool,
    broken: bool,
    stale: bool,
    uncommitted: bool,
    blind: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    Begin(usize),
    Look(usize),
    Compute(usize),
    Fill(usize),
    OpenSnapshot,
    Change(usize),
    Record(usize),
    Commit(usize),
    Rollback(usize),
    /// The connection breaks, or the future of the commit is dropped, while COMMIT is on its way.
    BreakCommit(usize),
    /// The database carries out a COMMIT whose connection broke, or rolls back.
    Decide(usize, Outcome),
    Invalidate(usize),
    Settle(usize),
    DeleteRow(usize),
    Die(usize),
    RelayTakes(usize),
    RelayInvalidates,
    RelayDeletes,
    RelayDies,
    Replicate,
    Expire,
}

impl Model for Transactions {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let fresh = State {
            outcomes: [Outcome::Open; WRITERS],
            writers: [Writer::Before; WRITERS],
            rows: [Row::Absent; WRITERS],
            ids: [0; WRITERS],
            cursor: 0,
            relay: Relay::Idle,
            replica: 0,
            snapshot: None,
            entry: Entry::Absent,
            readers: [Reader::Idle; READERS],
            floors: [0; CALLS.len()],
            calls: [0; CALLS.len()],
            announced: 0,
            expired: false,
            died: false,
            broken: false,
            stale: false,
            uncommitted: false,
            blind: false,
        };
        let cached = State {
            entry: Entry::Value(0),
            ..fresh.clone()
        };
        vec![fresh, cached]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for at in 0..READERS {
            self.reader_actions(state, at, actions);
        }
        for at in 0..WRITERS {
            self.writer_actions(state, at, actions);
        }
        self.relay_actions(state, actions);
        if state.snapshot.is_none() && self.setup == Setup::Primary {
            actions.push(Action::OpenSnapshot);
        }
        if self.setup == Setup::Replica && state.replica != state.committed() {
            actions.push(Action::Replicate);
        }
        let may_expire = self.setup != Setup::Outbox && !state.expired;
        if state.entry != Entry::Absent && may_expire {
            actions.push(Action::Expire);
        }
    }

    fn next_state(&self, before: &State, action: Action) -> Option<State> {
        let mut state = before.clone();
        match action {
            Action::OpenSnapshot => state.snapshot = Some(state.committed()),
            Action::Replicate => state.replica = state.committed(),
            Action::Expire => {
                state.entry = Entry::Absent;
                state.expired = true;
            }
            Action::Begin(at) | Action::Look(at) | Action::Compute(at) | Action::Fill(at) => {
                self.read(&mut state, at, action)?;
            }
            Action::RelayTakes(_)
            | Action::RelayInvalidates
            | Action::RelayDeletes
            | Action::RelayDies => self.relay(&mut state, action)?,
            writing => self.write(&mut state, writing)?,
        }
        state.announced |= self.announced(&state);
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = vec![
            Property::always(FRESH, |_, state: &State| !state.stale),
            Property::always(COMMITTED, |_, state: &State| !state.uncommitted),
            Property::always(ISOLATED, |_, state: &State| !state.blind),
            Property::sometimes(COMPLETE, |_, state: &State| state.entry == Entry::Value(3)),
        ];
        if self.setup == Setup::Outbox {
            properties.extend([
                Property::sometimes(RELAYED, |_, state: &State| {
                    state.reached(Writer::Dead) && state.relay != Relay::Idle
                }),
                Property::sometimes(UNKNOWN, |_, state: &State| state.reached(Writer::Unsure)),
            ]);
        }
        properties
    }
}
