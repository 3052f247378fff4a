//! A hot key over several expiries: the cost of each expiry, with and without early refresh.

use std::time::Duration;

use crate::read::refresh::early::{in_unit, is_due_by, mixed};

const TTL: f64 = 10.0;
/// Seconds that a computation takes.
const COMPUTE: f64 = 0.1;
/// Callers per second.
const RATE: f64 = 5_000.0;
const EXPIRIES: f64 = 8.0;

/// Random numbers from a seed, the same in each run.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        in_unit(mixed(self.0))
    }
}

#[derive(Debug, Default)]
struct SimulationOutcome {
    computations: usize,
    /// The most computations that ran at a time.
    peak: usize,
    /// Callers that found no value, and waited or computed.
    waited: usize,
}

/// Simulate callers at random moments. `early`: a hit may find the value due. `claimed`: only one
/// caller at a time computes.
fn simulate(seed: u64, early: bool, claimed: bool) -> SimulationOutcome {
    let mut dice = Dice(seed);
    let mut outcome = SimulationOutcome::default();
    // The value is cached at first. `underway`: the times at which running computations end.
    let (mut now, mut expiry) = (0.0, TTL);
    let mut underway: Vec<f64> = Vec::new();
    while now < TTL * EXPIRIES {
        now += -dice.next().ln() / RATE;
        underway.retain(|&end| {
            if end <= now {
                expiry = f64::max(expiry, end + TTL);
            }
            end > now
        });
        let left = expiry - now;
        let wants = if left > 0.0 {
            let (left, compute) = (
                Duration::from_secs_f64(left),
                Duration::from_secs_f64(COMPUTE),
            );
            early && is_due_by(left, compute, dice.next())
        } else {
            outcome.waited += 1;
            true
        };
        let others = !underway.is_empty();
        if wants && !(claimed && others) {
            outcome.computations += 1;
            underway.push(now + COMPUTE);
            outcome.peak = outcome.peak.max(underway.len());
        }
    }
    outcome
}

#[test]
fn the_expiry_of_a_hot_key_causes_a_burst_only_without_early_refresh() {
    for seed in 1..=20 {
        // At each expiry, every caller that arrives during the first computation computes too.
        let burst = simulate(seed, false, false);
        assert!(burst.peak > 300, "{burst:?}");
        assert!(burst.waited > 2_000, "{burst:?}");
        // Single-flight alone prevents the computations, not the waits.
        let single = simulate(seed, false, true);
        assert_eq!(single.peak, 1);
        assert!(single.waited > 2_000, "{single:?}");

        // Randomness alone, as in the paper: a few callers compute, and none ever waits.
        let chance = simulate(seed, true, false);
        assert!(chance.peak <= 20, "{chance:?}");
        assert_eq!(chance.waited, 0, "{chance:?}");
        // With the claim: one computes.
        let both = simulate(seed, true, true);
        assert_eq!(both.peak, 1, "{both:?}");
        assert_eq!(both.waited, 0, "{both:?}");
        // And not often: about once a TTL, which ends a little earlier.
        assert!(both.computations <= EXPIRIES as usize + 2, "{both:?}");
    }
}
