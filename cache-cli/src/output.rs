//! Text and JSON on standard output.

use std::io::{self, IsTerminal, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use crate::failure::Failure;
use crate::redact::redact;

/// How a command prints.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    pub(crate) json: bool,
    color: bool,
}

/// Color of a text on a terminal.
#[derive(Clone, Copy)]
pub(crate) enum Color {
    Red = 31,
    Green = 32,
    Yellow = 33,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        let forbidden = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            json,
            color: !json && !forbidden && io::stdout().is_terminal(),
        }
    }

    /// Return the text in a color, where that is wanted.
    pub(crate) fn colored(self, text: &str, color: Color) -> String {
        match self.color {
            true => format!("\x1b[{}m{text}\x1b[0m", color as u8),
            false => text.to_owned(),
        }
    }

    #[cfg(feature = "top")]
    pub(crate) fn is_colored(self) -> bool {
        self.color
    }

    /// Print a text. A reader that has gone away is no error, as in `cachectl ls | head`.
    pub(crate) fn text(self, text: &str) {
        let _ = io::stdout().write_all(text.as_bytes());
        let _ = io::stdout().flush();
    }

    /// Print a line. Returns false if the reader has gone away.
    pub(crate) fn line(self, line: &str) -> bool {
        let mut to = io::stdout().lock();
        writeln!(to, "{line}").and_then(|()| to.flush()).is_ok()
    }

    /// Print a text for the person at the terminal, if there is one.
    pub(crate) fn hint(self, text: &str) {
        if io::stdout().is_terminal() {
            let _ = write!(io::stderr(), "{text}");
        }
    }

    pub(crate) fn bytes(self, bytes: &[u8]) {
        let _ = io::stdout().write_all(bytes);
        let _ = io::stdout().flush();
    }

    /// Print a value as JSON.
    pub(crate) fn json(self, value: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(value);
        let text = text.map_err(|error| Failure::Failed(error.to_string()))?;
        self.text(&(text + "\n"));
        Ok(())
    }

    /// Print an error, and return the exit code.
    pub(crate) fn failure(self, failure: &Failure) -> ExitCode {
        #[derive(Serialize)]
        struct Shown<'a> {
            error: &'a str,
        }
        let text = redact(failure.text());
        let shown = match self.json {
            true => serde_json::to_string(&Shown { error: &text }).unwrap_or_default(),
            false => format!("error: {}", printable(&text)),
        };
        let _ = writeln!(io::stderr(), "{shown}");
        ExitCode::from(failure.code())
    }
}

/// Return the text with control characters escaped: a key can hold anything, and must not steer the
/// terminal.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => shown.push_str("\\n"),
            // Besides control characters, those that change the direction of the text.
            c if c.is_control()
                || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') =>
            {
                shown.extend(c.escape_unicode());
            }
            c => shown.push(c),
        }
    }
    shown
}

/// Return rows below a heading, in aligned columns. `right` says which columns are numbers. Keys are
/// never wrapped or cut, so that they can be searched and copied.
pub(crate) fn table(heading: &[&str], right: &[bool], rows: &[Vec<String>]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(heading);
    table.add_rows(rows);
    for (column, right) in table.column_iter_mut().zip(right) {
        column.set_padding((0, 2));
        if *right {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
        .lines()
        .fold(String::new(), |text, line| text + line.trim_end() + "\n")
}

/// Return a number of entries in words.
pub(crate) fn entries(count: u64) -> String {
    match count {
        1 => "1 entry".to_owned(),
        count => format!("{count} entries"),
    }
}

/// Return a duration with two units at most: `4m 57s`, `12.3ms`.
pub(crate) fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 if time.is_zero() => "0s".to_owned(),
        0 if time.as_micros() < 1_000 => format!("{}us", time.as_micros()),
        0 => format!("{:.1}ms", time.as_secs_f64() * 1e3),
        1..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m {}s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{}h {}m", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{}d {}h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}

/// Return a size: `312 B`, `4.0 KiB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let (mut value, mut unit) = (bytes as f64 / 1024.0, 0);
    while value >= 1024.0 && unit < UNITS.len() - 1 {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_by_the_width_that_terminals_give_to_characters() {
        let rows = [["港", "7"], ["ab", "12"], ["a", "3"]];
        let rows = rows.map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(
            table(&["KEY", "N"], &[false, true], &rows),
            "KEY   N\n港    7\nab   12\na     3\n"
        );
    }

    #[test]
    fn a_key_cannot_steer_the_terminal() {
        let shown = printable("a\x1b[2Jb\r\n\u{202e}c");
        assert_eq!(shown, "a\\u{1b}[2Jb\\u{d}\\n\\u{202e}c");
    }

    #[test]
    fn times_and_sizes_have_units() {
        let of = |millis| duration(Duration::from_millis(millis));
        assert_eq!(
            [of(0), of(12), of(59_999), of(297_000), of(90_061_000)],
            ["0s", "12.0ms", "59s", "4m 57s", "1d 1h"]
        );
        assert_eq!(
            [size(1023), size(4096), size(3 << 30)],
            ["1023 B", "4.0 KiB", "3.0 GiB"]
        );
    }
}
