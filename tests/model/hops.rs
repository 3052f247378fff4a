//! A key whose slot moves between two masters while a rebuild scans one after the other. A rebuild
//! that is accepted must have found the key, which exists all the time.

use stateright::{Model, Property};

pub(crate) const FOUND: &str = "an accepted rebuild has found the key";
pub(crate) const ACCEPTED: &str = "a rebuild is accepted although its slot is being moved";

/// The number of moves of the slot, there and back.
const MOVES: u8 = 3;
/// The number of times a rebuild begins.
const BEGINNINGS: u8 = 2;

/// A piece taken out of the rebuild.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Flaw {
    /// The rebuild never starts over.
    NoLooks,
    /// The rebuild scans once although the slot is being moved.
    OneRound,
    /// The rebuild checks the slot's owner, and not the epoch.
    NoEpoch,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Hops {
    pub(crate) flaw: Option<Flaw>,
}

/// The rebuild's view of the slot: its owner, the number of moves so far, and whether it is being
/// moved.
type Sight = (u8, u8, bool);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    /// The master that owns the slot, and the master that has the key.
    owner: u8,
    key: u8,
    moving: bool,
    moves: u8,
    /// The rebuild's view of the slot at its beginning.
    sight: Option<Sight>,
    /// The number of steps done: scans, and the checks after them.
    scanned: u8,
    /// The number of rounds to do, each a scan of both masters.
    rounds: u8,
    found: bool,
    begun: u8,
    accepted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    BeginMove,
    Hop,
    EndMove,
    BeginRebuild,
    /// Scan one master, in one step: its keys don't come and go in between.
    Scan,
    /// Check the slot again after a scan.
    Look,
}

impl Hops {
    fn sight(&self, state: &State) -> Sight {
        match self.flaw {
            Some(Flaw::NoLooks) => (0, 0, state.moving && state.sight.is_none()),
            Some(Flaw::NoEpoch) => (state.owner, 0, state.moving),
            _ => (state.owner, state.moves, state.moving),
        }
    }
}

impl Model for Hops {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        // The rebuild scans the second master first.
        vec![State {
            owner: 0,
            key: 0,
            moving: false,
            moves: 0,
            sight: None,
            scanned: 0,
            rounds: 0,
            found: false,
            begun: 0,
            accepted: false,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.accepted {
            return;
        }
        match state.moving {
            false if state.moves < MOVES => actions.push(Action::BeginMove),
            true if state.key == state.owner => actions.push(Action::Hop),
            true => actions.push(Action::EndMove),
            false => {}
        }
        match state.sight {
            None if state.begun < BEGINNINGS => actions.push(Action::BeginRebuild),
            None => {}
            // An odd number: the check after the scan is due.
            Some(_) if state.scanned % 2 == 1 => actions.push(Action::Look),
            Some(_) => actions.push(Action::Scan),
        }
    }

    fn next_state(&self, before: &State, action: Action) -> Option<State> {
        let mut state = before.clone();
        match action {
            Action::BeginMove => state.moving = true,
            Action::Hop => state.key = 1 - state.owner,
            Action::EndMove => {
                state.moving = false;
                state.owner = state.key;
                state.moves += 1;
            }
            Action::BeginRebuild => {
                let twice = state.moving && self.flaw != Some(Flaw::OneRound);
                state.sight = Some(self.sight(before));
                state.rounds = if twice { 2 } else { 1 };
                (state.scanned, state.found) = (0, false);
                state.begun += 1;
            }
            Action::Scan => {
                let master = 1 - (state.scanned / 2) % 2;
                state.found |= state.key == master;
                state.scanned += 1;
            }
            Action::Look => {
                state.scanned += 1;
                let same = state.sight == Some(self.sight(before));
                if !same && self.flaw != Some(Flaw::NoLooks) {
                    state.sight = None;
                } else if state.scanned == 4 * state.rounds {
                    state.accepted = true;
                }
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(FOUND, |_, state: &State| !state.accepted || state.found),
            Property::sometimes(ACCEPTED, |_, state: &State| state.accepted && state.moving),
        ]
    }
}
