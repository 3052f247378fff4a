//! Interleaved rounds: every contender runs a short batch in each round, over the same keys, in an order that rotates. What
//! disturbs the machine for a while, or what warms it, meets all of them alike.

use std::future::Future;
use std::hint::black_box;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

use crate::model::{ENTRIES, Sequence};
use crate::stats::Samples;

/// Runs for these keys, and says how long it took.
type Batch<'a> = Box<dyn FnMut(&[usize]) -> Duration + 'a>;

/// One who is measured.
pub struct Contender<'a> {
    name: String,
    /// It runs only one in so many of the round's keys: a slow one would take up the section's time.
    thinner: usize,
    batch: Batch<'a>,
}

impl<'a> Contender<'a> {
    /// Something that is called once for each key.
    pub fn call<T>(name: &str, mut call: impl FnMut(usize) -> T + 'a) -> Self {
        Self::timed(name, move |keys| {
            let started = Instant::now();
            for &key in keys {
                black_box(call(black_box(key)));
            }
            started.elapsed()
        })
    }

    /// Something that is awaited once for each key, one after the other, on the runtime's own thread.
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

    /// Something that takes its own time.
    pub fn timed(name: &str, batch: impl FnMut(&[usize]) -> Duration + 'a) -> Self {
        Self {
            name: name.to_owned(),
            thinner: 1,
            batch: Box::new(batch),
        }
    }

    /// Only one in so many keys.
    pub fn thinned(mut self, thinner: usize) -> Self {
        self.thinner = thinner;
        self
    }

    fn run(&mut self, keys: &[usize]) -> f64 {
        let keys = &keys[..(keys.len() / self.thinner).max(1)];
        (self.batch)(keys).as_nanos() as f64 / keys.len() as f64
    }
}

/// How much of it.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub warm_up: usize,
    pub rounds: usize,
    pub batch: usize,
    /// Whether each key is asked for once before each batch, untimed: what the contender before left in the processor's caches is not
    /// what is measured.
    pub lead: bool,
    /// Whether each contender first meets every key once, so that all that is measured are hits.
    pub all_first: bool,
}

impl Plan {
    /// Hits only.
    pub fn over_all_keys(self) -> Self {
        Self {
            all_first: true,
            ..self
        }
    }

    /// Nothing is measured: what `over_all_keys` stores is there then.
    pub fn without_rounds(self) -> Self {
        Self {
            warm_up: 0,
            rounds: 0,
            ..self
        }
    }

    /// With its own entries in the processor's caches, as far as they fit.
    pub fn warmed(self) -> Self {
        Self {
            lead: true,
            ..self
        }
    }
}

/// Nanoseconds for each key, of each contender, in each round.
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
