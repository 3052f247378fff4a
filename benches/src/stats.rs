//! Medians and ratios.

/// One contender's times, round by round. All contenders of a table share their rounds.
#[derive(Clone, Debug)]
pub struct Samples {
    pub name: String,
    pub rounds: Vec<f64>,
}

impl Samples {
    pub fn new(name: impl Into<String>, rounds: Vec<f64>) -> Self {
        Self {
            name: name.into(),
            rounds,
        }
    }

    pub fn median(&self) -> f64 {
        quantile(&self.rounds, 0.5)
    }

    /// The median of the ratios, taken round by round: a disturbance of a round affects both.
    pub fn ratio_to(&self, other: &Self) -> f64 {
        let ratios = self.rounds.iter().zip(&other.rounds).map(|(a, b)| a / b);
        quantile(&ratios.collect::<Vec<_>>(), 0.5)
    }

    /// The median of the differences, taken round by round.
    pub fn above(&self, other: &Self) -> f64 {
        let differences = self.rounds.iter().zip(&other.rounds).map(|(a, b)| a - b);
        quantile(&differences.collect::<Vec<_>>(), 0.5)
    }

    pub fn map(&self, change: impl Fn(f64) -> f64) -> Self {
        Self::new(
            self.name.clone(),
            self.rounds.iter().copied().map(change).collect(),
        )
    }
}

/// Return the contender of that name.
///
/// # Panics
///
/// Panics if there is none: a section names what it measured.
pub fn named<'a>(all: &'a [Samples], name: &str) -> &'a Samples {
    all.iter()
        .find(|samples| samples.name == name)
        .unwrap_or_else(|| panic!("no contender is called {name}"))
}

/// Return a quantile, interpolated linearly between samples.
pub fn quantile(samples: &[f64], at: f64) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else {
        return f64::NAN;
    };
    let place = at * last as f64;
    let (below, above) = (place.floor() as usize, place.ceil() as usize);
    sorted[below] + (sorted[above] - sorted[below]) * place.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_samples() {
        assert_eq!(quantile(&[3.0, 1.0, 2.0], 0.5), 2.0);
        assert_eq!(quantile(&[1.0, 2.0], 0.5), 1.5);
        assert_eq!(quantile(&[1.0, 2.0, 3.0, 4.0, 5.0], 0.25), 2.0);
    }

    #[test]
    fn ratios_are_taken_round_by_round() {
        let (a, b) = (
            Samples::new("a", vec![2.0, 20.0, 6.0]),
            Samples::new("b", vec![1.0, 10.0, 2.0]),
        );
        assert_eq!(a.ratio_to(&b), 2.0);
        assert_eq!(a.above(&b), 4.0);
    }
}
