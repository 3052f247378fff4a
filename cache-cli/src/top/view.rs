//! The screen of `top`, drawn from its state alone.

use std::cmp::Ordering;
use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Cell, Paragraph, Row, Table};

use super::rates::{Fleet, Rated};
use crate::entry::time;
use crate::output::{duration, printable};

/// Number of processes that are shown, at most.
const PROCESSES: usize = 8;

/// State of the screen.
pub(crate) struct State {
    pub(crate) prefix: String,
    pub(crate) fleet: Fleet,
    pub(crate) order: Order,
    pub(crate) reversed: bool,
    /// Number of functions above the first one that is shown.
    pub(crate) scrolled: usize,
    /// Why the fleet couldn't be read lately.
    pub(crate) error: Option<String>,
    pub(crate) color: bool,
}

/// Order of the functions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Order {
    Calls,
    HitRate,
    Misses,
    Saved,
    Name,
}

impl Order {
    /// Return the order that a key chooses.
    pub(crate) fn of_key(key: char) -> Option<Self> {
        match key {
            'c' => Some(Self::Calls),
            'h' => Some(Self::HitRate),
            'm' => Some(Self::Misses),
            's' => Some(Self::Saved),
            'n' => Some(Self::Name),
            _ => None,
        }
    }

    /// Compare: the largest first, but the lowest hit rate, which asks for attention.
    fn compare(self, one: &Rated, other: &Rated) -> Ordering {
        let rate = |of: &Rated| of.hit_rate.unwrap_or(f64::INFINITY);
        match self {
            Self::Calls => other.calls_per_second.total_cmp(&one.calls_per_second),
            Self::HitRate => rate(one).total_cmp(&rate(other)),
            Self::Misses => other.misses_per_second.total_cmp(&one.misses_per_second),
            Self::Saved => other.saved.total_cmp(&one.saved),
            Self::Name => one.name.cmp(&other.name),
        }
    }
}

impl State {
    /// Return the functions in the order that was chosen.
    fn functions(&self) -> Vec<Rated> {
        let mut functions = self.fleet.functions();
        functions.sort_by(|one, other| {
            let order = self.order.compare(one, other);
            let order = if self.reversed {
                order.reverse()
            } else {
                order
            };
            order.then_with(|| one.name.cmp(&other.name))
        });
        functions
    }

    fn style(&self, style: Style) -> Style {
        if self.color { style } else { Style::new() }
    }
}

/// Draw the screen.
pub(crate) fn draw(frame: &mut Frame<'_>, state: &State) {
    let shown = state.fleet.processes().len().min(PROCESSES) as u16;
    let [head, processes, functions, keys] = Layout::vertical([
        Constraint::Length(2),
        Constraint::Length(shown + 2),
        Constraint::Min(3),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    draw_head(frame, head, state);
    draw_processes(frame, processes, state);
    draw_functions(frame, functions, state);
    let text = "q quit   sort: c calls  h hits  m misses  s saved  n name   r reverse   ↑↓ scroll";
    let style = state.style(Style::new().add_modifier(Modifier::DIM));
    frame.render_widget(Paragraph::new(Line::styled(text, style)), keys);
}

fn draw_head(frame: &mut Frame<'_>, area: Rect, state: &State) {
    let total = state.fleet.total();
    let count = state.fleet.processes().len();
    let mut spans = vec![Span::raw(format!(
        "{}   {count} {}   {}/s calls   {} hits   {} saved",
        printable(&state.prefix),
        if count == 1 { "process" } else { "processes" },
        number(total.calls_per_second),
        percent(total.hit_rate),
        duration(time(total.saved)),
    ))];
    if let Some(error) = &state.error {
        let style = state.style(Style::new().fg(Color::Red));
        spans.push(Span::styled(format!("   {}", printable(error)), style));
    }
    frame.render_widget(Paragraph::new(Line::from(spans)), area);
}

fn draw_processes(frame: &mut Frame<'_>, area: Rect, state: &State) {
    let all = state.fleet.processes();
    let rows = all.iter().take(PROCESSES).map(|process| {
        let (last, total) = (&process.last, process.total());
        let up = Duration::from_millis(last.taken.saturating_sub(last.started));
        let (breaker, style) = match last.breaker_open {
            true => ("open", state.style(Style::new().fg(Color::Red))),
            false => ("closed", Style::new()),
        };
        Row::new([
            Cell::from(printable(&last.instance)),
            right(last.pid.to_string(), 7),
            Cell::from(printable(&last.version)),
            right(duration(up), 8),
            right(number(total.calls_per_second), 9),
            right(percent(total.hit_rate), 7),
            Cell::from(breaker).style(style),
            right(last.replay_queue.to_string(), 6),
        ])
    });
    let widths = [
        Constraint::Fill(1),
        Constraint::Length(7),
        Constraint::Length(8),
        Constraint::Length(8),
        Constraint::Length(9),
        Constraint::Length(7),
        Constraint::Length(7),
        Constraint::Length(6),
    ];
    let more = all.len().saturating_sub(PROCESSES);
    let first = match more {
        0 => "PROCESS".to_owned(),
        more => format!("PROCESS (and {more} more)"),
    };
    let heading = [
        Cell::from(first),
        right("PID", 7),
        Cell::from("VERSION"),
        right("UP", 8),
        right("CALLS/S", 9),
        right("HITS", 7),
        Cell::from("BREAKER"),
        right("QUEUE", 6),
    ];
    frame.render_widget(
        Table::new(rows, widths).header(header(state, heading)),
        area,
    );
}

fn draw_functions(frame: &mut Frame<'_>, area: Rect, state: &State) {
    let functions = state.functions();
    let room = usize::from(area.height.saturating_sub(1));
    let scrolled = state.scrolled.min(functions.len().saturating_sub(room));
    let rows = functions.iter().skip(scrolled).take(room).map(|function| {
        let at = |fraction| function.total.compute.quantile(fraction);
        let took = |fraction| at(fraction).map_or_else(|| "-".to_owned(), duration);
        let low = function.hit_rate.is_some_and(|rate| rate < 0.5);
        let style = match low && function.calls_per_second > 0.0 {
            true => state.style(Style::new().fg(Color::Yellow)),
            false => Style::new(),
        };
        Row::new([
            Cell::from(printable(&function.name)),
            right(number(function.calls_per_second), 9),
            right(percent(function.hit_rate), 7).style(style),
            right(number(function.misses_per_second), 9),
            right(duration(time(function.saved)), 8),
            right(took(0.5), 8),
            right(took(0.99), 8),
        ])
    });
    let widths = [
        Constraint::Fill(1),
        Constraint::Length(9),
        Constraint::Length(7),
        Constraint::Length(9),
        Constraint::Length(8),
        Constraint::Length(8),
        Constraint::Length(8),
    ];
    let marked = |order: Order, name: &str| match state.order == order {
        true => format!("{name}{}", if state.reversed { '▲' } else { '▼' }),
        false => name.to_owned(),
    };
    let heading = [
        Cell::from(marked(Order::Name, "FUNCTION")),
        right(marked(Order::Calls, "CALLS/S"), 9),
        right(marked(Order::HitRate, "HITS"), 7),
        right(marked(Order::Misses, "MISSES/S"), 9),
        right(marked(Order::Saved, "SAVED"), 8),
        right("P50", 8),
        right("P99", 8),
    ];
    frame.render_widget(
        Table::new(rows, widths).header(header(state, heading)),
        area,
    );
}

fn header<const N: usize>(state: &State, cells: [Cell<'static>; N]) -> Row<'static> {
    Row::new(cells).style(state.style(Style::new().add_modifier(Modifier::BOLD)))
}

fn right(text: impl Into<String>, width: usize) -> Cell<'static> {
    Cell::from(format!("{:>width$}", text.into()))
}

fn number(value: f64) -> String {
    match value {
        v if v >= 1e6 => format!("{:.1}M", v / 1e6),
        v if v >= 1e4 => format!("{:.1}k", v / 1e3),
        v if v >= 100.0 => format!("{v:.0}"),
        v => format!("{v:.1}"),
    }
}

fn percent(fraction: Option<f64>) -> String {
    fraction.map_or_else(
        || "-".to_owned(),
        |fraction| format!("{:.1}%", fraction * 100.0),
    )
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::*;
    use crate::top::rates::tests::{published, snapshot};

    fn state() -> State {
        let mut fleet = Fleet::default();
        fleet.update(published(vec![snapshot("one", 10_000, (90, 10))]));
        fleet.update(published(vec![
            snapshot("one", 15_000, (140, 20)),
            snapshot("two", 2_000, (0, 8)),
        ]));
        State {
            prefix: "quickpost".to_owned(),
            fleet,
            order: Order::Calls,
            reversed: false,
            scrolled: 0,
            error: None,
            color: true,
        }
    }

    /// Return the lines of a screen of this height.
    fn lines(state: &State, height: u16) -> Vec<String> {
        let backend = TestBackend::new(84, height);
        let mut terminal = Terminal::new(backend).expect("it opens");
        terminal.draw(|frame| draw(frame, state)).expect("it draws");
        let buffer = terminal.backend().buffer().clone();
        let rows = buffer.content.chunks(84);
        let text = |row: &[ratatui::buffer::Cell]| row.iter().map(|cell| cell.symbol()).collect();
        rows.map(|row| {
            let line: String = text(row);
            line.trim_end().to_owned()
        })
        .collect()
    }

    #[test]
    fn the_screen_shows_the_fleet_its_processes_and_its_functions() {
        let shown = lines(&state(), 12);
        assert_eq!(
            shown[0],
            "quickpost   2 processes   18.0/s calls   63.9% hits   3s saved"
        );
        let words = |line: usize| shown[line].split_whitespace().collect::<Vec<_>>();
        assert_eq!(words(2)[0], "PROCESS");
        assert_eq!(
            words(3),
            ["one", "7", "0.1.0", "15s", "12.0", "83.3%", "closed", "0"]
        );
        assert_eq!(words(6)[..2], ["FUNCTION", "CALLS/S▼"]);
        assert_eq!(
            words(7),
            ["blog::post", "16.0", "62.5%", "6.0", "3s", "-", "-"]
        );
        assert_eq!(words(8)[0], "blog::idle");
        assert!(shown[11].starts_with("q quit"), "{}", shown[11]);
    }

    #[test]
    fn keys_choose_the_order_and_scrolling_ends_at_the_last_function() {
        let mut state = state();
        state.order = Order::of_key('n').expect("it is an order");
        assert!(lines(&state, 12)[7].starts_with("blog::idle"));
        state.reversed = true;
        assert!(lines(&state, 12)[7].starts_with("blog::post"));
        state.scrolled = 100;
        assert!(
            lines(&state, 9)[7].starts_with("blog::idle"),
            "{:?}",
            lines(&state, 9)
        );
        assert_eq!(Order::of_key('x'), None);
    }

    #[test]
    fn a_small_screen_and_an_empty_fleet_are_drawn() {
        let mut state = state();
        lines(&state, 1);
        state.fleet = Fleet::default();
        state.error = Some("the store is unavailable".to_owned());
        assert!(lines(&state, 10)[0].ends_with("the store is unavailable"));
    }
}
