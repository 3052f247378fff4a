//! The steps of readers, writers and relays.

use std::mem;

use super::{
    Action, CALLS, Changes, Entry, Flaw, IN_SNAPSHOT, IN_WRITER, Outcome, Reader, Relay, Row,
    Setup, State, Transactions, WRITERS, Writer,
};

fn change(writer: usize) -> Changes {
    1 << writer
}

impl State {
    /// The changes that the database shows to a transaction that begins now.
    pub(super) fn committed(&self) -> Changes {
        (0..WRITERS)
            .filter(|at| self.outcomes[*at] == Outcome::Committed)
            .map(change)
            .sum()
    }

    /// Whether the change of a writer in this state is committed.
    pub(super) fn reached(&self, writer: Writer) -> bool {
        (0..WRITERS).any(|at| self.writers[at] == writer && self.outcomes[at] == Outcome::Committed)
    }

    fn clear(&mut self) {
        self.entry = Entry::Absent;
    }

    /// Give a caller its value.
    fn serve(&mut self, reader: usize, value: Changes) {
        self.readers[reader] = Reader::Idle;
        match self.view(reader) {
            Some(view) => self.blind |= value != view,
            None => {
                self.stale |= mem::take(&mut self.floors[reader]) & !value != 0;
                self.uncommitted |= value & !self.committed() != 0;
            }
        }
    }

    /// The changes that a reader's transaction sees, if the reader is in one.
    fn view(&self, reader: usize) -> Option<Changes> {
        match reader {
            IN_SNAPSHOT => Some(self.snapshot.unwrap_or_default()),
            IN_WRITER => Some(self.committed() | change(0)),
            _ => None,
        }
    }
}

/// Reads.
impl Transactions {
    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    pub(super) fn reader_actions(&self, state: &State, at: usize, actions: &mut Vec<Action>) {
        let may_begin = match at {
            IN_SNAPSHOT => state.snapshot.is_some(),
            IN_WRITER => matches!(state.writers[0], Writer::Changed | Writer::Recorded),
            _ => state.calls[at] < CALLS[at],
        };
        match state.readers[at] {
            Reader::Idle if may_begin => actions.push(Action::Begin(at)),
            Reader::Idle => {}
            Reader::Looking => actions.push(Action::Look(at)),
            Reader::Leading => actions.push(Action::Compute(at)),
            Reader::Computed(_) => actions.push(Action::Fill(at)),
        }
    }

    pub(super) fn read(&self, state: &mut State, at: usize, action: Action) -> Option<()> {
        match (action, state.readers[at]) {
            (Action::Begin(_), _) => self.begin(state, at),
            (Action::Look(_), _) => match state.entry {
                Entry::Value(value) => state.serve(at, value),
                // Another caller computes: poll again.
                Entry::Lease(_) => return None,
                Entry::Absent => {
                    state.entry = Entry::Lease(at);
                    state.readers[at] = Reader::Leading;
                }
            },
            (_, Reader::Leading) => {
                let queried = match self.setup {
                    Setup::Replica => state.replica,
                    Setup::Primary | Setup::Outbox => state.committed(),
                };
                let value = state.view(at).unwrap_or(queried);
                state.readers[at] = Reader::Computed(value);
            }
            (_, Reader::Computed(value)) => {
                if state.entry == Entry::Lease(at) {
                    state.entry = Entry::Value(value);
                }
                state.serve(at, value);
            }
            _ => return None,
        }
        Some(())
    }

    fn begin(&self, state: &mut State, at: usize) {
        let cached = match at {
            IN_SNAPSHOT => self.has(Flaw::FillInSnapshot),
            IN_WRITER => self.has(Flaw::FillInTransaction),
            _ => {
                state.calls[at] += 1;
                state.floors[at] = state.announced;
                true
            }
        };
        match (state.view(at), state.entry) {
            _ if cached => state.readers[at] = Reader::Looking,
            (Some(_), Entry::Value(value)) if self.has(Flaw::HitInTransaction) => {
                state.serve(at, value);
            }
            (view, _) => state.serve(at, view.unwrap_or_default()),
        }
    }
}

/// Writes.
impl Transactions {
    pub(super) fn writer_actions(&self, state: &State, at: usize, actions: &mut Vec<Action>) {
        let outbox = self.setup == Setup::Outbox;
        let faults = outbox && at == 0;
        // A read inside of the transaction ends before the transaction does.
        let reading = at == 0 && state.readers[IN_WRITER] != Reader::Idle;
        match state.writers[at] {
            Writer::Before => actions.push(Action::Change(at)),
            Writer::Changed if outbox && !self.has(Flaw::NoOutbox) => {
                actions.push(Action::Record(at));
            }
            Writer::Changed | Writer::Recorded if self.has(Flaw::InvalidateBeforeCommit) => {
                actions.push(Action::Invalidate(at));
            }
            Writer::Changed | Writer::Recorded if !reading => {
                actions.push(Action::Commit(at));
                if at == 0 {
                    actions.push(Action::Rollback(at));
                }
                if faults && !state.broken {
                    actions.push(Action::BreakCommit(at));
                }
            }
            Writer::Early => actions.push(Action::Commit(at)),
            Writer::Committed | Writer::InDoubt => actions.push(Action::Invalidate(at)),
            Writer::Settling => actions.push(Action::Settle(at)),
            _ => {}
        }
        if state.outcomes[at] == Outcome::Undecided {
            actions.extend([
                Action::Decide(at, Outcome::Committed),
                Action::Decide(at, Outcome::RolledBack),
            ]);
        }
        let may_delete = match state.writers[at] {
            Writer::Returned => true,
            Writer::Committed => self.has(Flaw::DeleteFirst),
            Writer::Unsure => self.has(Flaw::DeleteInDoubt),
            _ => false,
        };
        if may_delete && state.rows[at] == Row::Visible {
            actions.push(Action::DeleteRow(at));
        }
        let over = matches!(
            state.writers[at],
            Writer::Before | Writer::RolledBack | Writer::Dead
        );
        if faults && !state.died && !over {
            actions.push(Action::Die(at));
        }
    }

    pub(super) fn write(&self, state: &mut State, action: Action) -> Option<()> {
        match action {
            Action::Change(at) => state.writers[at] = Writer::Changed,
            Action::Record(at) => self.record(state, at),
            Action::Commit(at) => {
                state.writers[at] = match state.writers[at] {
                    Writer::Early => Writer::Returned,
                    _ => Writer::Committed,
                };
                self.decide(state, at, Outcome::Committed);
            }
            Action::Rollback(at) => {
                state.writers[at] = Writer::RolledBack;
                self.decide(state, at, Outcome::RolledBack);
            }
            Action::BreakCommit(at) => {
                state.broken = true;
                state.writers[at] = Writer::InDoubt;
                state.outcomes[at] = Outcome::Undecided;
            }
            Action::Decide(at, outcome) => self.decide(state, at, outcome),
            Action::Invalidate(at) => {
                state.clear();
                state.writers[at] = match state.writers[at] {
                    Writer::Changed | Writer::Recorded => Writer::Early,
                    Writer::InDoubt => Writer::Unsure,
                    _ if self.setup == Setup::Replica && !self.has(Flaw::NoSettle) => {
                        Writer::Settling
                    }
                    _ => Writer::Returned,
                };
            }
            Action::Settle(at) => {
                let replicated = state.replica & change(at) != 0;
                if !replicated && !self.has(Flaw::LagBeyondSettle) {
                    return None;
                }
                state.clear();
                state.writers[at] = Writer::Returned;
            }
            Action::DeleteRow(at) => state.rows[at] = Row::Absent,
            Action::Die(at) => {
                state.died = true;
                state.writers[at] = Writer::Dead;
                if at == 0 {
                    state.readers[IN_WRITER] = Reader::Idle;
                }
                if state.outcomes[at] == Outcome::Open {
                    self.decide(state, at, Outcome::RolledBack);
                }
            }
            _ => return None,
        }
        Some(())
    }

    fn record(&self, state: &mut State, at: usize) {
        state.writers[at] = Writer::Recorded;
        let exists = (0..WRITERS).any(|other| other != at && state.rows[other] == Row::Visible);
        if self.has(Flaw::OneRowPerObject) && exists {
            return;
        }
        state.rows[at] = match self.has(Flaw::RowApart) {
            true => Row::Visible,
            false => Row::Pending,
        };
        if self.has(Flaw::Cursor) {
            state.ids[at] = 1 + state.ids.iter().max().copied().unwrap_or_default();
        }
    }

    fn decide(&self, state: &mut State, at: usize, outcome: Outcome) {
        state.outcomes[at] = outcome;
        if state.rows[at] == Row::Pending {
            state.rows[at] = match outcome {
                Outcome::Committed => Row::Visible,
                _ => Row::Absent,
            };
        }
    }

    /// The committed changes whose invalidation is over: each read that begins from now on must see
    /// them.
    pub(super) fn announced(&self, state: &State) -> Changes {
        let visible = |at: &usize| self.setup != Setup::Replica || state.replica & change(*at) != 0;
        (0..WRITERS)
            .filter(|at| state.outcomes[*at] == Outcome::Committed && visible(at))
            .filter(|at| match state.writers[*at] {
                Writer::Returned => true,
                Writer::Dead | Writer::Unsure => !self.will_be_relayed(state, *at),
                _ => false,
            })
            .map(change)
            .sum()
    }
}

/// Relays.
impl Transactions {
    fn will_be_relayed(&self, state: &State, at: usize) -> bool {
        matches!(state.relay, Relay::Holding(held) | Relay::Invalidated(held) if held == at)
            || self.is_taken(state, at)
    }

    /// Whether a relay that looks now takes the row. The row's age makes no difference: a relay may
    /// take the row of a process that lives.
    fn is_taken(&self, state: &State, at: usize) -> bool {
        let ahead = !self.has(Flaw::Cursor) || state.ids[at] > state.cursor;
        state.rows[at] == Row::Visible && ahead
    }

    pub(super) fn relay_actions(&self, state: &State, actions: &mut Vec<Action>) {
        match state.relay {
            Relay::Idle => {
                let taken = (0..WRITERS).filter(|at| self.is_taken(state, *at));
                actions.extend(taken.map(Action::RelayTakes));
                return;
            }
            Relay::Holding(_) => actions.push(Action::RelayInvalidates),
            Relay::Invalidated(_) => actions.push(Action::RelayDeletes),
        }
        if !state.died {
            actions.push(Action::RelayDies);
        }
    }

    pub(super) fn relay(&self, state: &mut State, action: Action) -> Option<()> {
        match (action, state.relay) {
            (Action::RelayTakes(at), _) => {
                state.relay = Relay::Holding(at);
                if self.has(Flaw::RelayDeletesFirst) {
                    state.rows[at] = Row::Absent;
                }
                if self.has(Flaw::Cursor) {
                    state.cursor = state.ids[at];
                }
            }
            (Action::RelayInvalidates, Relay::Holding(at)) => {
                state.clear();
                state.relay = Relay::Invalidated(at);
            }
            (Action::RelayDeletes, Relay::Invalidated(at)) => {
                state.rows[at] = Row::Absent;
                state.relay = Relay::Idle;
            }
            // Another relay continues: nothing of a relay outlives it but the rows.
            (Action::RelayDies, _) => {
                state.died = true;
                state.relay = Relay::Idle;
            }
            _ => return None,
        }
        Some(())
    }
}
