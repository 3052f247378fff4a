//! How thorough a run is.

use std::path::Path;

use crate::round::Plan;

/// How thorough a run is.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    pub quick: bool,
    /// Folder of the traces for the section `hit-ratio`.
    pub traces: Option<&'static Path>,
}

impl Settings {
    /// Plan `rounds` rounds of `batch` calls; a smoke run makes a few rounds.
    pub fn plan(self, rounds: usize, batch: usize) -> Plan {
        let (warm_up, rounds) = if self.quick {
            (1, 5)
        } else {
            (rounds / 10 + 2, rounds)
        };
        Plan {
            warm_up,
            rounds,
            batch,
            lead: false,
            all_first: false,
        }
    }

    /// Choose a size: a smoke run takes the smaller one.
    pub fn of(self, whole: usize, quick: usize) -> usize {
        if self.quick { quick } else { whole }
    }
}
