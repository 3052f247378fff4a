use serde::{Deserialize, Serialize};

use crate::stats::{Samples, named, quantile};

/// The results of a section, or of a part of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Table {
    /// The name of its place in `docs/benchmarks.md`, and of its chart.
    pub name: String,
    pub title: String,
    pub unit: String,
    /// The row to which ratios are taken.
    pub reference: Option<String>,
    /// The heading of `Row::remark`, if there is one.
    pub remarks: Option<String>,
    pub rows: Vec<Row>,
    pub goals: Vec<Goal>,
}

/// One contender.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Row {
    pub name: String,
    pub median: f64,
    /// The tenth and the ninetieth percentile of the rounds.
    pub spread: Option<(f64, f64)>,
    /// The median of the ratios to the reference, taken round by round.
    pub ratio: Option<f64>,
    pub remark: Option<String>,
}

/// A target for `cache-runtime`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Goal {
    pub what: String,
    pub figure: f64,
    pub limit: f64,
    /// The limit is an upper bound; otherwise a lower one.
    pub at_most: bool,
}

impl Goal {
    pub fn at_most(what: &str, figure: f64, limit: f64) -> Self {
        Self {
            what: what.to_owned(),
            figure,
            limit,
            at_most: true,
        }
    }

    pub fn at_least(what: &str, figure: f64, limit: f64) -> Self {
        Self {
            at_most: false,
            ..Self::at_most(what, figure, limit)
        }
    }

    pub fn met(&self) -> bool {
        if self.at_most {
            self.figure <= self.limit
        } else {
            self.figure >= self.limit
        }
    }

    /// Format the limit with its direction.
    pub fn bound(&self) -> String {
        let sign = if self.at_most { "≤" } else { "≥" };
        format!("{sign} {}", figure(self.limit))
    }
}

impl Table {
    pub fn new(name: &str, title: &str, unit: &str) -> Self {
        Self {
            name: name.to_owned(),
            title: title.to_owned(),
            unit: unit.to_owned(),
            reference: None,
            remarks: None,
            rows: Vec::new(),
            goals: Vec::new(),
        }
    }

    /// Build a table with a row for each contender, and ratios to `reference`.
    pub fn of(name: &str, title: &str, unit: &str, all: &[Samples], reference: &str) -> Self {
        let base = named(all, reference);
        let row = |samples: &Samples| Row {
            name: samples.name.clone(),
            median: samples.median(),
            spread: Some((
                quantile(&samples.rounds, 0.1),
                quantile(&samples.rounds, 0.9),
            )),
            ratio: Some(samples.ratio_to(base)),
            remark: None,
        };
        Self {
            reference: Some(reference.to_owned()),
            rows: all.iter().map(row).collect(),
            ..Self::new(name, title, unit)
        }
    }

    /// Add one figure that has no rounds.
    pub fn push(&mut self, name: &str, figure: f64, remark: Option<String>) {
        self.rows.push(Row {
            name: name.to_owned(),
            median: figure,
            spread: None,
            ratio: None,
            remark,
        });
    }

    /// Set the ratios of figures without rounds, to the row `reference`.
    pub fn relate(&mut self, reference: &str) {
        let base = self
            .rows
            .iter()
            .find(|row| row.name == reference)
            .map(|row| row.median);
        for row in &mut self.rows {
            row.ratio = base.map(|base| row.median / base);
        }
        self.reference = Some(reference.to_owned());
    }

    pub fn remark(&mut self, heading: &str, remark: impl Fn(&str) -> String) {
        self.remarks = Some(heading.to_owned());
        for row in &mut self.rows {
            row.remark = Some(remark(&row.name));
        }
    }

    pub fn goal(mut self, goal: Goal) -> Self {
        self.goals.push(goal);
        self
    }

    /// Return the headings, then the cells of each row.
    pub fn cells(&self) -> Vec<Vec<String>> {
        let mut heading = vec![String::new(), self.unit.clone()];
        let spread = self.rows.iter().any(|row| row.spread.is_some());
        heading.extend(spread.then(|| "p10 to p90".to_owned()));
        heading.extend(self.reference.is_some().then(|| "ratio".to_owned()));
        heading.extend(self.remarks.clone());
        let cells = self.rows.iter().map(|row| {
            let mut cells = vec![row.name.clone(), figure(row.median)];
            if spread {
                let range = |(low, high)| format!("{} to {}", figure(low), figure(high));
                cells.push(row.spread.map_or_else(String::new, range));
            }
            if self.reference.is_some() {
                cells.push(row.ratio.map_or_else(String::new, figure));
            }
            if self.remarks.is_some() {
                cells.push(row.remark.clone().unwrap_or_default());
            }
            cells
        });
        std::iter::once(heading).chain(cells).collect()
    }
}

/// Format with three significant digits, and thousands separated.
pub fn figure(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        return "?".to_owned();
    }
    match size {
        _ if size >= 100.0 => grouped(value.round() as i64),
        _ if size >= 10.0 => format!("{value:.1}"),
        _ if size > 0.0 && size < 0.01 => format!("{value:.5}"),
        _ if size > 0.0 && size < 0.1 => format!("{value:.3}"),
        _ => format!("{value:.2}"),
    }
}

fn grouped(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if value < 0 { format!("-{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_three_digits() {
        let shown = [
            0.00034, 0.0234, 0.517, 2.71777, 27.1999, 271.999, 2719.99, -2500.0,
        ]
        .map(figure);
        assert_eq!(
            shown,
            [
                "0.00034", "0.023", "0.52", "2.72", "27.2", "272", "2,720", "-2,500"
            ]
        );
    }

    #[test]
    fn a_goal_is_met_on_its_side_of_the_bound() {
        assert!(Goal::at_most("", 0.75, 0.75).met() && !Goal::at_most("", 0.76, 0.75).met());
        assert!(Goal::at_least("", 0.95, 0.95).met() && !Goal::at_least("", 0.94, 0.95).met());
        assert!(!Goal::at_most("", f64::NAN, 1.0).met());
    }
}
