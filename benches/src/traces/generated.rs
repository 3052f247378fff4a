//! Traces of several kinds: by popularity, loops, scans, by recency, and mixed ones.

use super::Trace;
use crate::model::Sequence;

/// Keys of a scan, which no other part of a trace uses, begin here.
const SCANNED: u64 = 1 << 40;

/// Generate a trace of each kind, with about this many accesses.
pub(super) fn all(len: usize) -> Vec<Trace> {
    let keys = len / 5;
    let zipf = |skew: f64| {
        let mut zipf = Zipf::new(keys, skew);
        let keys = (0..len).map(|_| zipf.next());
        Trace::new(&format!("zipf {skew}"), keys.collect::<Vec<_>>())
    };
    vec![
        zipf(0.7),
        zipf(0.9),
        zipf(1.1),
        Trace::new("loop", (0..len).map(|at| at % (len / 20))),
        Trace::new("loops", loops(len)),
        Trace::new("zipf and scans", zipf_and_scans(len)),
        Trace::new("zipf and a loop", zipf_and_a_loop(len)),
        Trace::new("recent", recent(len)),
        Trace::new("working set", working_set(len)),
        Trace::new("phases", phases(len)),
    ]
}

/// Keys by Zipf's law.
struct Zipf {
    sums: Vec<f64>,
    random: Sequence,
}

impl Zipf {
    fn new(keys: usize, skew: f64) -> Self {
        let mut sum = 0.0;
        let mut add = |rank: usize| {
            sum += 1.0 / (rank as f64).powf(skew);
            sum
        };
        Self {
            sums: (1..=keys).map(&mut add).collect(),
            random: Sequence::new(7),
        }
    }

    fn next(&mut self) -> u64 {
        let all = self.sums.last().copied().unwrap_or_default();
        let drawn = unit(&mut self.random) * all;
        self.sums.partition_point(|sum| *sum < drawn) as u64
    }
}

/// Return a number from 0 to 1.
fn unit(random: &mut Sequence) -> f64 {
    const PARTS: usize = 1 << 30;
    random.next_below(PARTS) as f64 / PARTS as f64
}

/// Loops of several sizes, one after another.
fn loops(len: usize) -> Vec<u64> {
    let mut random = Sequence::new(11);
    let sizes = [len / 1_000, len / 250, len / 110, len / 66, len / 25];
    let mut keys = Vec::new();
    while keys.len() < len {
        let which = random.next_below(sizes.len());
        for _ in 0..2 + random.next_below(5) {
            keys.extend((0..sizes[which]).map(|at| ((which as u64) << 32) + at as u64));
        }
    }
    keys
}

/// Popular keys, interrupted by scans of keys that never return.
fn zipf_and_scans(len: usize) -> Vec<u64> {
    let (mut zipf, mut scanned) = (Zipf::new(len / 10, 0.9), SCANNED);
    let mut keys = Vec::new();
    while keys.len() < len {
        keys.extend((0..len / 33).map(|_| zipf.next()));
        let end = scanned + (len / 100) as u64;
        keys.extend(scanned..end);
        scanned = end;
    }
    keys
}

fn zipf_and_a_loop(len: usize) -> Vec<u64> {
    let mut zipf = Zipf::new(len / 10, 0.9);
    let round = (len / 16) as u64;
    let of_loop = |at: usize| SCANNED + (at as u64 / 2) % round;
    (0..len)
        .map(|at| {
            if at % 2 == 0 {
                zipf.next()
            } else {
                of_loop(at)
            }
        })
        .collect()
}

/// Keys that return once or twice, most of them soon.
fn recent(len: usize) -> Vec<u64> {
    let mut random = Sequence::new(29);
    let (mut keys, mut latest) = (Vec::new(), 0u64);
    while keys.len() < len {
        latest += 1;
        keys.push(latest);
        if random.next_below(3) > 0 {
            let back = unit(&mut random).powi(3) * (len / 50) as f64;
            keys.push(latest.saturating_sub(back as u64));
        }
    }
    keys
}

/// A working set that moves, and a few keys from elsewhere.
fn working_set(len: usize) -> Vec<u64> {
    let mut random = Sequence::new(67);
    let key = |at: usize| {
        if random.next_below(20) == 0 {
            return SCANNED + random.next_below(len / 33) as u64;
        }
        let within = unit(&mut random) * unit(&mut random) * (len / 160) as f64;
        (at / 40) as u64 + within as u64
    };
    (0..len).map(key).collect()
}

/// A loop, popular keys, recent keys, and the same again.
fn phases(len: usize) -> Vec<u64> {
    let (mut zipf, mut random) = (Zipf::new(len / 16, 0.9), Sequence::new(47));
    let (mut keys, mut latest) = (Vec::new(), 2 * SCANNED);
    while keys.len() < len {
        keys.extend((0..len / 10).map(|at| SCANNED + (at % (len / 60)) as u64));
        keys.extend((0..len / 10).map(|_| zipf.next()));
        for _ in 0..len / 20 {
            latest += 1;
            keys.extend([latest, latest - random.next_below(len / 500) as u64]);
        }
    }
    keys
}
