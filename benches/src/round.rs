//! Interleaved rounds. In each round every contender runs a short batch over the same keys, in an
//! order that rotates, so that a disturbance of the machine affects all of them alike.

use std::future::Future;
use std::hint::black_box;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

use crate::model::{ENTRIES, Sequence};
use crate::stats::Samples;

/// Runs for these keys and returns how long it took.
type Batch<'a> = Box<dyn FnMut(&[usize]) -> Duration + 'a>;

/// One implementation that is measured.
pub struct Contender<'a> {
    name: String,
    /// Run only one in `thinner` of a round's keys: a slow contender would take the section's time.
    thinner: usize,
    batch: Batch<'a>,
}

impl<'a> Contender<'a> {
    /// A contender that is called once for each key.
    pub fn call<T>(name: &str, mut call: impl FnMut(usize) -> T + 'a) -> Self {
        Self::timed(name, move |keys| {
            let started = Instant::now();
            for &key in keys {
                black_box(call(black_box(key)));
            }
            started.elapsed()
        })
    }

    /// A contender that is awaited once for each key, one after the other, on the runtime's thread.
    pub fn future<F: Future>(
        name: &str,
        runtime: &'a Runtime,
        mut call: impl FnMut(usize) -> F + 'a,
    ) -> Self {
        Self::timed(name, move |keys| {
            runtime.block_on(async {
                let started = Instant::now();
                for &key in keys {
                    black_box(call(black_box(key)).await);
                }
                started.elapsed()
            })
        })
    }

    /// A contender that measures its own time.
    pub fn timed(name: &str, batch: impl FnMut(&[usize]) -> Duration + 'a) -> Self {
        Self {
            name: name.to_owned(),
            thinner: 1,
            batch: Box::new(batch),
        }
    }

    /// Run only one in `thinner` keys.
    pub fn thinned(mut self, thinner: usize) -> Self {
        self.thinner = thinner;
        self
    }

    fn run(&mut self, keys: &[usize]) -> f64 {
        let keys = &keys[..(keys.len() / self.thinner).max(1)];
        (self.batch)(keys).as_nanos() as f64 / keys.len() as f64
    }
}

/// How many rounds of how many calls, and what comes before them.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub warm_up: usize,
    pub rounds: usize,
    pub batch: usize,
    /// Read each key once before each batch, untimed, so that the batch doesn't measure what the
    /// previous contender left in the processor's caches.
    pub lead: bool,
    /// Let each contender read every key once first, so that only hits are measured.
    pub all_first: bool,
}

impl Plan {
    /// Measure hits only.
    pub fn over_all_keys(self) -> Self {
        Self {
            all_first: true,
            ..self
        }
    }

    /// Measure nothing: only store the entries of `over_all_keys`.
    pub fn without_rounds(self) -> Self {
        Self {
            warm_up: 0,
            rounds: 0,
            ..self
        }
    }

    /// Start each batch with the contender's own entries in the processor's caches.
    pub fn warmed(self) -> Self {
        Self { lead: true, ..self }
    }
}

/// Measure the nanoseconds per key of each contender in each round.
pub fn measure(plan: Plan, mut contenders: Vec<Contender<'_>>) -> Vec<Samples> {
    let mut sequence = Sequence::new(1);
    let mut samples: Vec<Samples> = contenders
        .iter()
        .map(|contender| Samples::new(contender.name.clone(), Vec::with_capacity(plan.rounds)))
        .collect();
    if plan.all_first {
        let all: Vec<usize> = (0..ENTRIES).collect();
        for contender in &mut contenders {
            (contender.batch)(&all);
        }
    }
    for round in 0..plan.warm_up + plan.rounds {
        let lead = plan.lead.then(|| sequence.each_key());
        let keys = sequence.keys(plan.batch);
        for turn in 0..contenders.len() {
            let at = (turn + round) % contenders.len();
            if let Some(lead) = &lead {
                contenders[at].run(lead);
            }
            let nanoseconds = contenders[at].run(&keys);
            if round >= plan.warm_up {
                samples[at].rounds.push(nanoseconds);
            }
        }
    }
    samples
}
