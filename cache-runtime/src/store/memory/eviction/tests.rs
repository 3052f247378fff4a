//! Properties of the policy, by small traces with the same keys in each run.

use super::*;
use crate::clock::NEVER;
use crate::store::memory::tests::Numbers;

/// Weight of an entry.
const WEIGHT: usize = 100;

/// A cache without values, under the policy.
struct Cache {
    policy: Policy,
    capacity: usize,
    /// How often each resident was read; `None` for keys that aren't cached.
    reads: Vec<Option<u8>>,
    compute: fn(u32) -> u32,
    evicted: Vec<u32>,
}

struct Reads<'a>(&'a mut Vec<Option<u8>>, fn(u32) -> u32);

fn access(key: u32, compute: fn(u32) -> u32) -> Access {
    let spread = (u64::from(key) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    Access {
        hash: fold(spread ^ (spread >> 31)),
        weight: WEIGHT,
        expires: NEVER,
        compute_micros: compute(key),
    }
}

impl Residents for Reads<'_> {
    fn access(&self, key: u32) -> Access {
        access(key, self.1)
    }

    fn take_reads(&mut self, key: u32) -> u8 {
        self.0[key as usize].replace(0).unwrap_or_default()
    }
}

impl Cache {
    fn new(entries: usize, goal: Eviction, compute: fn(u32) -> u32) -> Self {
        Self {
            policy: Policy::new(goal),
            capacity: entries * WEIGHT,
            reads: Vec::new(),
            compute,
            evicted: Vec::new(),
        }
    }

    /// Ask for a key, and store it if it isn't cached. Return whether it was.
    fn ask(&mut self, key: u32) -> bool {
        if self.reads.len() <= key as usize {
            self.reads.resize(key as usize + 1, None);
        }
        let access = access(key, self.compute);
        if let Some(reads) = &mut self.reads[key as usize] {
            *reads = (*reads + 1).min(3);
            if self.policy.sample.contains(access.hash) {
                self.policy.read(access, self.capacity, 0);
            }
            return true;
        }
        loop {
            let mut residents = Reads(&mut self.reads, self.compute);
            let victim = self.policy.victim(&mut residents, self.capacity, WEIGHT);
            let Some(victim) = victim else { break };
            self.policy.remove(victim, WEIGHT);
            self.reads[victim as usize] = None;
            self.evicted.push(victim);
        }
        self.reads[key as usize] = Some(0);
        self.policy.insert(key, access, None, self.capacity, 0);
        assert!(self.policy.weight() <= self.capacity);
        false
    }

    /// Ask for each key, and return the hit ratio in percent.
    fn hits(&mut self, keys: impl IntoIterator<Item = u32>) -> usize {
        let (mut hits, mut all) = (0, 0);
        for key in keys {
            all += 1;
            hits += usize::from(self.ask(key));
        }
        self.policy.assert_consistent();
        100 * hits / all
    }
}

fn by_hits(entries: usize) -> Cache {
    Cache::new(entries, Eviction::HitRatio, |_| 0)
}

/// LRU and CLOCK have no hit at all here.
#[test]
fn a_loop_over_more_keys_than_fit_keeps_a_part_of_them() {
    for (entries, least) in [(30, 2), (100, 8), (300, 26)] {
        let mut cache = by_hits(entries);
        let hits = cache.hits((0..30_000).map(|at| at % 1_000));
        assert!(hits >= least, "{hits} % with {entries} entries");
    }
}

#[test]
fn a_scan_leaves_what_is_read_often() {
    let mut cache = by_hits(200);
    let hot = |at: u32| at % 100;
    cache.hits((0..2_000).map(hot));
    cache.hits(1_000..3_000);
    let hits = cache.hits((0..100).map(hot));
    assert!(hits >= 80, "{hits} % of the hot keys are left");
}

/// Each key comes twice, the second time soon after the first one, and never again. A cache that
/// admits only what was asked for often has no hit.
#[test]
fn the_window_grows_where_only_recent_keys_return() {
    let mut cache = by_hits(200);
    let keys = (0..40_000).map(|at: u32| match at % 2 {
        0 => at / 2,
        _ => (at / 2).saturating_sub(80),
    });
    let hits = cache.hits(keys);
    assert!(hits >= 45, "{hits} % of at most 50 %");
    assert!(cache.policy.sample.window_share() > 0.9);
}

#[test]
fn the_window_shrinks_again_when_the_trace_becomes_a_loop() {
    let mut cache = by_hits(200);
    let recent = (0..20_000).map(|at: u32| (at / 2).saturating_sub(at % 2 * 80));
    cache.hits(recent);
    let of_loop = |at: u32| 20_000 + at % 1_000;
    cache.hits((0..30_000).map(of_loop));
    let hits = cache.hits((0..10_000).map(of_loop));
    assert!(hits >= 14, "{hits} % of at most 20 %");
}

/// Forty times as many entries as are simulated: the sample gets sparser.
#[test]
fn the_sample_is_bounded_in_a_large_store() {
    let mut cache = by_hits(10_000);
    let mut numbers = Numbers(11);
    cache.hits((0..50_000).map(|_| numbers.below(40_000) as u32));
    cache.policy.sample.assert_consistent();
    let nodes = cache.policy.sample.node_count();
    assert!(nodes <= 5 * 260, "{nodes} nodes");
}

/// Keys that take long to compute come as often as the others.
#[test]
fn what_took_long_to_compute_stays_if_that_is_the_goal() {
    let compute = |key: u32| {
        if key.is_multiple_of(10) {
            100_000
        } else {
            1_000
        }
    };
    let paid = |goal| {
        let mut cache = Cache::new(300, goal, compute);
        let mut numbers = Numbers(5);
        let mut paid = 0u64;
        for at in 0..60_000 {
            let key = numbers.below(2_000) as u32;
            if !cache.ask(key) && at > 10_000 {
                paid += u64::from(compute(key));
            }
        }
        paid
    };
    let (hit_ratio, compute_time) = (paid(Eviction::HitRatio), paid(Eviction::ComputeTime));
    assert!(
        compute_time * 2 < hit_ratio,
        "{compute_time} µs instead of {hit_ratio} µs"
    );
}

/// An insertion evicts a bounded number of entries, and looks at a bounded number, even if all of
/// them were read.
#[test]
fn an_entry_leaves_even_if_all_were_read() {
    let mut cache = by_hits(1_000);
    for round in 0..20 {
        cache.hits(0..1_000);
        cache.hits(0..1_000);
        cache.evicted.clear();
        cache.ask(2_000 + round);
        assert!(cache.evicted.len() <= 2);
    }
}

#[test]
fn an_entry_is_found_once_it_has_expired_and_not_before() {
    let mut numbers = Numbers(3);
    let mut expiry = Expiry::default();
    let mut expires: Vec<Moment> = Vec::new();
    let (mut now, mut left) = (0, Vec::new());
    for _ in 0..3_000 {
        // From milliseconds to years.
        let ttl = 1 << numbers.below(56);
        let number = expires.len() as u32;
        expires.push(if numbers.below(20) == 0 {
            NEVER
        } else {
            now + ttl
        });
        expiry.insert(number, expires[number as usize]);
        left.push(number);
        if numbers.below(4) == 0 {
            let at = numbers.below(left.len() as u64) as usize;
            expiry.remove(left.swap_remove(at));
        }
        now += 1 << numbers.below(50);
        while let Some(number) = expiry.next(now, |number| expires[number as usize]) {
            assert!(expires[number as usize] <= now);
            expiry.remove(number);
            left.retain(|other| *other != number);
        }
        let late = |number: &&u32| expires[**number as usize].saturating_add(1 << 23) <= now;
        assert_eq!(left.iter().find(late), None, "at {now}");
        for number in &left {
            let is_in = expires[*number as usize] != NEVER;
            assert_eq!(expiry.contains(*number), is_in);
        }
    }
}

#[test]
fn a_count_outlives_growth_and_is_halved_in_time() {
    let mut sketch = Sketch::default();
    for _ in 0..6 {
        sketch.add(77, 1_000);
    }
    assert_eq!(sketch.estimate(77), 6);
    sketch.grow(100_000);
    assert_eq!(sketch.estimate(77), 6);
    for other in 0..10_000 {
        sketch.add(u32::wrapping_mul(other, 2_654_435_761), 1_000);
    }
    assert!(sketch.estimate(77) <= 4, "{}", sketch.estimate(77));
    for _ in 0..40 {
        sketch.add(78, 1_000);
    }
    assert_eq!(sketch.estimate(78), 15, "the largest count");
}

#[test]
fn no_simulated_cache_outgrows_its_limit_where_sizes_differ() {
    let (mut sample, mut numbers) = (Sample::new(Eviction::HitRatio), Numbers(23));
    for _ in 0..50_000 {
        let key = numbers.below(2_000) as u32;
        let access = Access {
            hash: key.wrapping_mul(0x9e37_79b9),
            weight: 1 << (key % 13),
            expires: NEVER,
            compute_micros: 1,
        };
        if sample.contains(access.hash) {
            sample.record(access, 100_000, 0);
            sample.assert_consistent();
        }
    }
}
