//! The steps of the readers, the writer and the rebuild.

use super::*;

impl Apart {
    pub(super) fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    /// The member of a token.
    pub(super) fn member(&self, token: Token) -> Members {
        match self.has(Flaw::NoTokens) {
            true => Members(1),
            false => Members::of(token),
        }
    }

    /// The members whose tokens are still in use.
    pub(super) fn alive(&self, entry: Entry) -> Members {
        match self.has(Flaw::NoTokens) {
            true => Members(u16::from(entry != Entry::Absent)),
            false => entry.tokens(),
        }
    }

    pub(super) fn take(&self, state: &mut State, reader: usize) {
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
        self.needs_rebuild(state);
    }

    pub(super) fn claim(&self, state: &mut State, reader: usize) {
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

    pub(super) fn needs_rebuild(&self, state: &mut State) {
        if !state.whole && state.rebuild == Rebuild::Over {
            state.rebuild = Rebuild::NotBegun;
        }
    }

    pub(super) fn fill(&self, state: &mut State, reader: usize, token: Token, version: u8) {
        let is_held = match state.entry {
            Entry::Lease(lease) => lease == token,
            Entry::Value { claim, .. } => claim == Some(token),
            Entry::Absent => false,
        };
        if is_held {
            state.refreshed |= state.entry != Entry::Lease(token);
            // A token that no fill has, as in entries of releases that didn't record it.
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

    pub(super) fn finish(&self, state: &mut State, reader: usize, version: u8) {
        state.stale |= version < state.floors[reader];
        state.readers[reader] = Reader::Idle;
    }

    /// One step of the rebuild. The other model shows that two rebuilds don't harm each other.
    pub(super) fn rebuild(&self, state: &mut State) -> Rebuild {
        match state.rebuild {
            Rebuild::NotBegun => {
                state.building = true;
                Rebuild::Begun
            }
            Rebuild::Begun => Rebuild::Read(match state.entry {
                Entry::Value { token, .. } if self.has(Flaw::RebuildWithoutClaim) => {
                    Members::of(token)
                }
                entry => self.alive(entry),
            }),
            Rebuild::Read(found) => {
                state.members.0 |= found.0;
                Rebuild::Enlisted
            }
            Rebuild::Enlisted | Rebuild::Over => {
                state.whole |= state.building;
                state.building = false;
                Rebuild::Over
            }
        }
    }

    pub(super) fn writer(&self, state: &mut State) {
        state.writer = match state.writer {
            Writer::Before | Writer::Returned => return,
            Writer::Written => match (state.whole, state.members) {
                (false, _) => {
                    self.needs_rebuild(state);
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

    pub(super) fn reader_actions(&self, state: &State, at: usize, actions: &mut Vec<Action>) {
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

    pub(super) fn read(&self, state: &mut State, action: Action) -> Option<()> {
        match action {
            Action::Begin(at) => {
                state.calls[at] += 1;
                state.floors[at] = u8::from(state.writer == Writer::Returned);
                state.readers[at] = Reader::Looking;
            }
            Action::Look(at) => match state.entry {
                Entry::Value { version, .. } => self.finish(state, at, version),
                // The lease of another process: poll again.
                Entry::Lease(_) => {}
                Entry::Absent => state.readers[at] = Reader::Missed,
            },
            Action::Take(at) => self.take(state, at),
            Action::Claim(at) => self.claim(state, at),
            Action::Register(at) => match state.readers[at] {
                Reader::Granted(token) => {
                    state.members.0 |= self.member(token).0;
                    state.readers[at] = Reader::Leading(token);
                    self.needs_rebuild(state);
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
