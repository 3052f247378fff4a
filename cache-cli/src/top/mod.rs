//! `top`: all processes on one screen.

mod rates;
mod view;

use std::io::{self, IsTerminal as _};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::failure::Failure;
use crate::output::Output;
use crate::source::Source;
use rates::Fleet;
use view::{Order, State, draw};

/// How often the counters are read. The processes publish them every five seconds.
const INTERVAL: Duration = Duration::from_secs(1);
/// How long a key is waited for, at most.
const KEY: Duration = Duration::from_millis(200);

pub(crate) async fn run(source: Source<'_>, output: &Output) -> Result<ExitCode, Failure> {
    if output.json || !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        let text =
            "`top` needs a terminal; `stats` prints the counters once, and `stats --json` as JSON";
        return Err(Failure::Usage(text.to_owned()));
    }
    let mut state = State {
        prefix: source.name(),
        fleet: Fleet::default(),
        order: Order::Calls,
        reversed: false,
        scrolled: 0,
        error: None,
        color: output.is_colored(),
    };
    // A first read that fails is an error of the command: it opens no screen.
    state.fleet.update(source.fleet().await?);
    let mut terminal = ratatui::try_init()
        .map_err(|error| Failure::Failed(format!("the terminal can't be used: {error}")))?;
    let done = show(&mut terminal, &mut state, source).await;
    ratatui::restore();
    done.map(|()| ExitCode::SUCCESS)
}

async fn show(
    terminal: &mut DefaultTerminal,
    state: &mut State,
    source: Source<'_>,
) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::Failed(format!("the terminal can't be used: {error}"));
    let mut read = Instant::now();
    loop {
        terminal.draw(|frame| draw(frame, state)).map_err(failed)?;
        if event::poll(KEY).map_err(failed)?
            && let Event::Key(key) = event::read().map_err(failed)?
            && key.kind == KeyEventKind::Press
            && !state.press(key)
        {
            return Ok(());
        }
        if read.elapsed() >= INTERVAL {
            match source.fleet().await {
                Ok(fleet) => {
                    state.fleet.update(fleet);
                    state.error = None;
                }
                Err(failure) => state.error = Some(crate::redact(failure.text())),
            }
            read = Instant::now();
        }
    }
}

impl State {
    /// React to a key. Returns false for the end.
    fn press(&mut self, key: KeyEvent) -> bool {
        match key.code {
            KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => return false,
            KeyCode::Char('q') | KeyCode::Esc => return false,
            KeyCode::Char('r') => self.reversed = !self.reversed,
            KeyCode::Char(key) => {
                if let Some(order) = Order::of_key(key) {
                    self.order = order;
                    self.scrolled = 0;
                }
            }
            KeyCode::Down => self.scrolled += 1,
            KeyCode::Up => self.scrolled = self.scrolled.saturating_sub(1),
            KeyCode::PageDown => self.scrolled += 10,
            KeyCode::PageUp => self.scrolled = self.scrolled.saturating_sub(10),
            KeyCode::Home => self.scrolled = 0,
            _ => {}
        }
        let functions = self.fleet.functions().len();
        self.scrolled = self.scrolled.min(functions.saturating_sub(1));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn q_and_ctrl_c_end_it_and_c_sorts() {
        let mut state = State {
            prefix: String::new(),
            fleet: Fleet::default(),
            order: Order::Name,
            reversed: false,
            scrolled: 0,
            error: None,
            color: false,
        };
        assert!(state.press(KeyCode::Char('c').into()));
        assert_eq!(state.order, Order::Calls);
        assert!(state.press(KeyCode::Down.into()));
        assert_eq!(state.scrolled, 0, "there is no function to scroll to");
        assert!(!state.press(KeyCode::Char('q').into()));
        let interrupt = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert!(!state.press(interrupt));
    }
}
