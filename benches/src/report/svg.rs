//! Bar charts as text. They follow the reader's light or dark mode and have a background of their
//! own, since the page around them may not.

use super::table::{Row, Table, figure};

const WIDTH: f64 = 860.0;
const NAMES: f64 = 330.0;
const FIGURES: f64 = 110.0;
const BAR: f64 = 18.0;
const STEP: f64 = 28.0;
const TOP: f64 = 56.0;

/// If the longest bar is more than this many times the shortest, lengths are logarithmic: otherwise
/// the short ones couldn't be seen.
const LINEAR: f64 = 15.0;

const STYLE: &str = "<style>
.page{fill:#ffffff;stroke:#d1d9e0}
text{font:13px system-ui,-apple-system,'Segoe UI',sans-serif;fill:#1f2328}
.title{font-size:15px;font-weight:600}.unit{fill:#59636e}
.ours{fill:#0969da}.peer{fill:#afb8c1}.spread{stroke:#1f2328;stroke-width:1;opacity:.55}
@media(prefers-color-scheme:dark){.page{fill:#0d1117;stroke:#3d444d}text{fill:#e6edf3}.unit{fill:#9198a1}.ours{fill:#4493f8}.peer{fill:#545d68}.spread{stroke:#e6edf3}}
</style>";

/// Draw one bar for each row. Those of `cache-runtime` stand out; a thin line spans p10 to p90.
pub fn chart(table: &Table) -> String {
    let height = TOP + STEP * table.rows.len() as f64 + 12.0;
    let scale = Scale::of(&table.rows);
    let note = if scale.logarithmic {
        ", logarithmic"
    } else {
        ""
    };
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" role=\"img\" aria-label=\"{title}\">\n\
         {STYLE}\n<rect class=\"page\" x=\"0.5\" y=\"0.5\" width=\"{inner}\" height=\"{lower}\" rx=\"6\"/>\n<text class=\"title\" x=\"12\" y=\"22\">{title}</text>\n\
         <text class=\"unit\" x=\"12\" y=\"42\">{unit}{note}</text>\n",
        title = escaped(&table.title),
        unit = escaped(&table.unit),
        inner = WIDTH - 1.0,
        lower = height - 1.0,
    );
    for (at, row) in table.rows.iter().enumerate() {
        svg += &bar(row, TOP + STEP * at as f64, &scale);
    }
    svg + "</svg>\n"
}

fn bar(row: &Row, y: f64, scale: &Scale) -> String {
    let class = if row.name.starts_with("cache-runtime") {
        "ours"
    } else {
        "peer"
    };
    let (length, middle) = (scale.length(row.median), y + BAR / 2.0);
    let mut text = format!(
        "<text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"end\">{}</text>\n\
         <rect class=\"{class}\" x=\"{NAMES}\" y=\"{y:.0}\" width=\"{length:.1}\" height=\"{BAR}\" rx=\"3\"/>\n",
        NAMES - 10.0,
        middle + 4.5,
        escaped(&row.name),
    );
    let mut end = length;
    if let Some((low, high)) = row.spread {
        let (low, high) = (scale.length(low), scale.length(high));
        end = end.max(high);
        text += &format!(
            "<line class=\"spread\" x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{middle:.1}\" y2=\"{middle:.1}\"/>\n",
            NAMES + low,
            NAMES + high,
        );
    }
    text + &format!(
        "<text x=\"{:.1}\" y=\"{:.0}\">{}</text>\n",
        NAMES + end + 8.0,
        middle + 4.5,
        figure(row.median),
    )
}

struct Scale {
    logarithmic: bool,
    /// Where a logarithmic scale begins: at half the shortest bar.
    from: f64,
    to: f64,
}

impl Scale {
    fn of(rows: &[Row]) -> Self {
        let tops = rows.iter().map(|row| {
            row.spread
                .map_or(row.median, |(_, high)| high.max(row.median))
        });
        let to = tops.fold(f64::MIN_POSITIVE, f64::max);
        let positive = rows
            .iter()
            .map(|row| row.median)
            .filter(|median| *median > 0.0);
        let shortest = positive.fold(to, f64::min);
        Self {
            logarithmic: to / shortest > LINEAR,
            from: shortest / 2.0,
            to,
        }
    }

    fn length(&self, value: f64) -> f64 {
        let part = if self.logarithmic {
            (value.max(self.from) / self.from).ln() / (self.to / self.from).ln()
        } else {
            value.max(0.0) / self.to
        };
        part.min(1.0) * (WIDTH - NAMES - FIGURES)
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(figures: &[f64]) -> (Vec<f64>, bool) {
        let mut table = Table::new("t", "a < b", "ns");
        for figure in figures {
            table.push("cache-runtime", *figure, None);
        }
        let scale = Scale::of(&table.rows);
        (
            figures.iter().map(|figure| scale.length(*figure)).collect(),
            scale.logarithmic,
        )
    }

    #[test]
    fn lengths_are_in_proportion_until_short_bars_would_vanish() {
        let (near, logarithmic) = lengths(&[10.0, 20.0]);
        assert!(!logarithmic && (near[1] / near[0] - 2.0).abs() < 1e-9);
        let (far, logarithmic) = lengths(&[10.0, 1_000.0, 100_000.0]);
        assert!(logarithmic && far[0] > 10.0 && far[1] > far[0] && far[2] > far[1]);
    }

    #[test]
    fn what_is_written_is_escaped() {
        assert!(chart(&Table::new("t", "a < \"b\"", "&")).contains("a &lt; &quot;b&quot;"));
    }
}
