//! From snapshots of processes to rates: the difference between two snapshots of one process.

use std::collections::HashMap;

use cache_runtime::observe::{FunctionSnapshot, Snapshot};

use crate::source::Published;

/// The processes, each with its last two snapshots.
#[derive(Default)]
pub(crate) struct Fleet {
    processes: Vec<Process>,
    /// The sums of their functions, where those of each process aren't known.
    sums: Option<Process>,
}

pub(crate) struct Process {
    pub(crate) last: Snapshot,
    /// The one before; none of a process that is new.
    before: Option<Snapshot>,
}

/// Counts of one function, or of one process, and their rates.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Rated {
    pub(crate) name: String,
    pub(crate) calls_per_second: f64,
    pub(crate) misses_per_second: f64,
    /// Fraction of the calls between the snapshots that ran no body; of all calls, if there was none.
    pub(crate) hit_rate: Option<f64>,
    /// Seconds of computation that were saved since the processes started.
    pub(crate) saved: f64,
    /// The sums since the processes started.
    pub(crate) total: FunctionSnapshot,
    /// Hits between the snapshots.
    recent_hits: f64,
}

impl Fleet {
    /// Take over what the processes have published.
    pub(crate) fn update(&mut self, published: Published) {
        self.sums = published.sums.map(|sums| match self.sums.take() {
            Some(process) => process.succeeded_by(sums),
            None => Process::new(sums),
        });
        let published = published.processes;
        let mut known: HashMap<String, Process> = std::mem::take(&mut self.processes)
            .into_iter()
            .map(|process| (process.last.instance.clone(), process))
            .collect();
        let published = published.into_iter();
        self.processes = published
            .map(|snapshot| match known.remove(&snapshot.instance) {
                Some(process) => process.succeeded_by(snapshot),
                None => Process::new(snapshot),
            })
            .collect();
        self.processes
            .sort_by(|one, other| one.last.instance.cmp(&other.last.instance));
    }

    pub(crate) fn processes(&self) -> &[Process] {
        &self.processes
    }

    /// Return the processes whose functions make the sums.
    fn summed(&self) -> &[Process] {
        match &self.sums {
            Some(sums) => std::slice::from_ref(sums),
            None => &self.processes,
        }
    }

    /// Return the functions of all processes, in the order of their names.
    pub(crate) fn functions(&self) -> Vec<Rated> {
        let mut functions: HashMap<&str, Rated> = HashMap::new();
        for process in self.summed() {
            for function in &process.last.functions {
                let rated = functions.entry(&function.function).or_default();
                rated.add(process, function);
            }
        }
        let functions = functions.into_iter().map(|(name, mut rated)| {
            rated.name = name.to_owned();
            rated.finished()
        });
        let mut functions: Vec<Rated> = functions.collect();
        functions.sort_by(|one, other| one.name.cmp(&other.name));
        functions
    }

    /// Return the sum of all functions.
    pub(crate) fn total(&self) -> Rated {
        let mut rated = Rated::default();
        for process in self.summed() {
            for function in &process.last.functions {
                rated.add(process, function);
            }
        }
        rated.finished()
    }
}

impl Process {
    fn new(snapshot: Snapshot) -> Self {
        Self {
            last: snapshot,
            before: None,
        }
    }

    /// Take over the next snapshot, unless it is the same one again.
    fn succeeded_by(self, snapshot: Snapshot) -> Self {
        if self.last.taken >= snapshot.taken {
            return self;
        }
        Self {
            before: Some(self.last),
            last: snapshot,
        }
    }

    /// Return the sum of the process's functions.
    pub(crate) fn total(&self) -> Rated {
        let mut rated = Rated::default();
        for function in &self.last.functions {
            rated.add(self, function);
        }
        rated.finished()
    }

    fn before(&self, function: &str) -> Option<&FunctionSnapshot> {
        let mut functions = self.before.as_ref()?.functions.iter();
        functions.find(|one| one.function == function)
    }

    /// Return the seconds between the snapshots; of a new process, since its start.
    fn seconds(&self) -> f64 {
        let from = self
            .before
            .as_ref()
            .map_or(self.last.started, |before| before.taken);
        let millis = self.last.taken.saturating_sub(from).max(1);
        millis as f64 / 1e3
    }
}

impl Rated {
    fn add(&mut self, process: &Process, function: &FunctionSnapshot) {
        let nothing = FunctionSnapshot::default();
        let before = process.before(&function.function).unwrap_or(&nothing);
        let seconds = process.seconds();
        let hits = |of: &FunctionSnapshot| of.calls().saturating_sub(of.misses + of.bypasses);
        let rate = |now: u64, then: u64| now.saturating_sub(then) as f64 / seconds;
        self.calls_per_second += rate(function.calls(), before.calls());
        self.misses_per_second += rate(function.misses, before.misses);
        self.recent_hits += rate(hits(function), hits(before));
        self.saved += function.saved_seconds;
        self.total.add(function);
    }

    fn finished(mut self) -> Self {
        let all = self.total.calls();
        self.hit_rate = match self.calls_per_second > 0.0 {
            true => Some(self.recent_hits / self.calls_per_second),
            false => (all > 0).then(|| self.total.hit_rate()),
        };
        self
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use serde_json::json;

    pub(crate) fn published(processes: Vec<Snapshot>) -> Published {
        Published {
            processes,
            sums: None,
        }
    }

    /// Return a snapshot with the calls of two functions.
    pub(crate) fn snapshot(instance: &str, taken: u64, (hits, misses): (u64, u64)) -> Snapshot {
        serde_json::from_value(json!({
            "instance": instance, "pid": 7, "version": "0.1.0", "started": 0, "taken": taken,
            "functions": [
                {"function": "blog::post", "hits": hits, "misses": misses, "saved_seconds": 1.5},
                {"function": "blog::idle", "hits": 3, "misses": 1},
            ],
        }))
        .expect("it is a snapshot")
    }

    #[test]
    fn rates_are_those_between_the_last_two_snapshots_of_each_process() {
        let mut fleet = Fleet::default();
        fleet.update(published(vec![
            snapshot("a", 10_000, (90, 10)),
            snapshot("b", 10_000, (0, 0)),
        ]));
        assert_eq!(
            fleet.functions()[1].calls_per_second,
            10.0,
            "since the start"
        );
        fleet.update(published(vec![
            snapshot("a", 15_000, (140, 10)),
            snapshot("b", 14_000, (0, 40)),
        ]));
        let post = &fleet.functions()[1];
        assert_eq!(post.name, "blog::post");
        assert_eq!(
            (post.calls_per_second, post.misses_per_second),
            (20.0, 10.0)
        );
        assert_eq!((post.hit_rate, post.saved), (Some(0.5), 3.0));
        let idle = &fleet.functions()[0];
        assert_eq!((idle.calls_per_second, idle.hit_rate), (0.0, Some(0.75)));
        // The same snapshots again: nothing was published meanwhile.
        fleet.update(published(vec![
            snapshot("a", 15_000, (140, 10)),
            snapshot("b", 14_000, (0, 40)),
        ]));
        assert_eq!(fleet.functions()[1].calls_per_second, 20.0);
        fleet.update(published(vec![snapshot("b", 14_000, (0, 40))]));
        assert_eq!(fleet.processes().len(), 1);
    }
}
