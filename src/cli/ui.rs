//! The only printer: data on standard output, everything else on standard error.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::{self, BufRead, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use super::env::Env;
use super::error::{Error, Kind, Result};
use crate::secrets::Ask;
use crate::util::Secret;

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum When {
    /// On a terminal, unless `NO_COLOR` says otherwise.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How the user wants things printed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// One JSON document or NDJSON on standard output.
    pub json: bool,
    /// No status, no hints.
    pub quiet: bool,
    /// Never ask.
    pub no_input: bool,
    /// Colour.
    pub color: When,
}

/// What a text is, for its colour.
#[derive(Clone, Copy, Debug)]
pub enum Tone {
    /// Of less interest.
    Dim,
    /// A name or a heading.
    Strong,
    /// Good.
    Good,
    /// Needs a look.
    Warn,
    /// Bad.
    Bad,
    /// Something to paste or open.
    Link,
}

/// A cell of a table: its text and its colour.
#[derive(Clone, Debug)]
pub struct Cell(pub String, pub Option<Tone>);

impl Cell {
    /// A cell in a colour.
    pub fn toned(text: impl Into<String>, tone: Tone) -> Self {
        Self(text.into(), Some(tone))
    }

    fn width(&self) -> usize {
        self.0.chars().count()
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self(text.into(), None)
    }
}

/// The printer.
#[derive(Clone, Debug)]
pub struct Ui {
    options: Options,
    color_out: bool,
    color_err: bool,
    interactive: bool,
    live: bool,
    /// Where data is kept that goes to standard error instead of standard output.
    captured: Option<Captured>,
}

/// The data that a command printed.
#[derive(Clone, Debug, Default)]
pub struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    /// Takes it.
    pub fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Ui {
    /// A printer for this process's streams.
    pub fn new(options: Options, env: &Env) -> Self {
        let (out, err) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        Self {
            options,
            color_out: colored(options.color, out, env),
            color_err: colored(options.color, err, env),
            interactive: err && io::stdin().is_terminal() && !options.no_input && !options.json,
            live: err && !options.quiet && !options.json && env.get("TERM") != Some("dumb"),
            captured: None,
        }
    }

    /// A printer for a command within a command: its data is captured, and shown beside the data
    /// of the outer one; as text, whatever `--json` says.
    pub fn capturing(&self) -> (Self, Captured) {
        let captured = Captured::default();
        let options = Options { json: false, ..self.options };
        let ui = Self { options, captured: Some(captured.clone()), color_out: false, ..self.clone() };
        (ui, captured)
    }

    /// Whether data is printed as JSON.
    pub fn json(&self) -> bool {
        self.options.json
    }

    /// Whether somebody is there to be asked.
    pub fn interactive(&self) -> bool {
        self.interactive
    }

    /// Whether standard error takes colour.
    pub fn color_err(&self) -> bool {
        self.color_err
    }

    /// Whether standard output takes colour.
    pub fn color_out(&self) -> bool {
        self.color_out
    }

    /// Prints `text` as it is on standard output.
    ///
    /// # Errors
    /// When nobody reads it any more: end the command then, with exit code 0.
    pub fn raw(&self, text: &str) -> Result {
        self.bytes(text.as_bytes())
    }

    /// Prints `bytes` as they are on standard output.
    ///
    /// # Errors
    /// As [`Ui::raw`].
    pub fn bytes(&self, bytes: &[u8]) -> Result {
        if let Some(captured) = &self.captured {
            captured.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
            self.tell_part(&String::from_utf8_lossy(bytes));
            return Ok(());
        }
        let mut out = io::stdout().lock();
        out.write_all(bytes)?;
        Ok(out.flush()?)
    }

    /// Prints one line of data.
    ///
    /// # Errors
    /// As [`Ui::raw`].
    pub fn line(&self, text: impl Display) -> Result {
        self.raw(&format!("{text}\n"))
    }

    /// Prints one JSON document, indented.
    ///
    /// # Errors
    /// As [`Ui::raw`].
    pub fn document(&self, value: &impl Serialize) -> Result {
        self.line(serde_json::to_string_pretty(value).map_err(|error| Error::new(Kind::Bug, error.to_string()))?)
    }

    /// Prints one line of a stream of JSON values.
    ///
    /// # Errors
    /// As [`Ui::raw`].
    pub fn event(&self, value: &impl Serialize) -> Result {
        self.line(serde_json::to_string(value).map_err(|error| Error::new(Kind::Bug, error.to_string()))?)
    }

    /// Prints rows in aligned columns under `headings`, one line each.
    ///
    /// # Errors
    /// As [`Ui::raw`].
    pub fn table(&self, headings: &[&str], rows: &[Vec<Cell>]) -> Result {
        let head: Vec<Cell> = headings.iter().map(|name| Cell(name.to_uppercase(), Some(Tone::Dim))).collect();
        let all = || [&head].into_iter().chain(rows);
        let wide = |column: usize| all().filter_map(|row| row.get(column)).map(Cell::width).max().unwrap_or_default();
        let widths: Vec<usize> = (0..headings.len()).map(wide).collect();
        let line = |row: &Vec<Cell>| {
            let last = row.iter().rposition(|cell| !cell.0.is_empty()).unwrap_or_default();
            let mut line = String::new();
            for (column, cell) in row.iter().enumerate().take(last + 1) {
                line += &cell.1.map_or_else(|| cell.0.clone(), |tone| self.paint_out(tone, &cell.0));
                if column < last {
                    line.extend(std::iter::repeat_n(' ', widths[column] - cell.width() + 2));
                }
            }
            line + "\n"
        };
        self.raw(&all().map(line).collect::<String>())
    }

    /// Prints `text` as it is on standard error, also under `--quiet`.
    pub fn verbatim(&self, text: &str) {
        self.tell_part(text);
    }

    /// Tells what happens, unless `--quiet`.
    pub fn status(&self, text: impl Display) {
        if !self.options.quiet {
            self.tell(&text.to_string());
        }
    }

    /// Tells several labelled facts, aligned, unless `--quiet`.
    pub fn facts(&self, facts: &[(&str, String)]) {
        let wide = facts.iter().map(|(label, _)| label.len()).max().unwrap_or_default();
        for (label, fact) in facts {
            self.status(format!("  {}  {fact}", self.paint(Tone::Dim, &format!("{label:<wide$}"))));
        }
    }

    /// Tells what to do next, unless `--quiet`.
    pub fn hint(&self, text: impl Display) {
        self.status(format!("{} {text}", self.paint(Tone::Link, "hint:")));
    }

    /// Tells what should be looked at, also under `--quiet`.
    pub fn warn(&self, text: impl Display) {
        self.tell(&format!("{} {text}", self.paint(Tone::Warn, "warning:")));
    }

    /// Renders an error: what, why, what to try.
    pub fn error(&self, error: &Error) {
        if self.options.json {
            return self.tell(&error.to_json().to_string());
        }
        let mut text = format!("{} {}", self.paint(Tone::Bad, "error:"), error.message);
        for cause in &error.causes {
            text += &format!("\n  {} {cause}", self.paint(Tone::Dim, "caused by:"));
        }
        for command in &error.tries {
            text += &format!("\n  {} {command}", self.paint(Tone::Link, "try:"));
        }
        self.tell(&text);
    }

    /// Asks a yes-or-no question. `assent` is the flag that answers it beforehand.
    ///
    /// # Errors
    /// A usage error that names the flag, where nobody can be asked; [`Kind::Interrupted`] when
    /// the input ends.
    pub fn confirm(&self, question: &str, assent: &str) -> Result<bool> {
        if !self.interactive {
            return Err(Error::usage(format!("there is nobody to ask “{question}”: say {assent}")));
        }
        let answer = self.ask(&format!("{question} [y/N]"))?;
        Ok(matches!(answer.to_lowercase().as_str(), "y" | "yes"))
    }

    /// Asks `question` and reads a line. Only where [`Ui::interactive`] says that somebody is there.
    ///
    /// # Errors
    /// [`Kind::Interrupted`] when the input ends.
    pub fn ask(&self, question: &str) -> Result<String> {
        self.tell_part(&format!("{question} "));
        let mut answer = String::new();
        if io::stdin().lock().read_line(&mut answer)? == 0 {
            return Err(Error::new(Kind::Interrupted, "no answer"));
        }
        Ok(answer.trim().to_owned())
    }

    /// Asks for a secret text at the terminal, without showing it. `instead` is the flag that gives it
    /// otherwise.
    ///
    /// # Errors
    /// A usage error that names the flag, where nobody can be asked or nothing is answered.
    pub fn ask_secret(&self, what: &str, instead: &str) -> Result<Secret> {
        if !self.interactive {
            return Err(Error::usage(format!("there is nobody to ask for the {what}: use {instead}")));
        }
        let answer = rpassword::prompt_password(format!("{what}: "))?;
        let answer = Secret::new(answer);
        match answer.expose().trim() {
            "" => Err(Error::usage(format!("no {what} was given"))),
            text => Ok(Secret::new(text)),
        }
    }

    /// Asks for the passphrase of a named file at the terminal, without showing it. The answer is
    /// `None` where nobody can be asked; data on standard input does not matter.
    pub fn passphrases(&self) -> Ask {
        let asks = io::stderr().is_terminal() && !self.options.no_input && !self.options.json;
        Box::new(move |what| {
            let answer = asks.then(|| rpassword::prompt_password(format!("Passphrase for {what}: ")));
            answer?.ok().filter(|text| !text.is_empty()).map(Secret::new)
        })
    }

    /// A spinner with `text`, on a terminal; nothing elsewhere. Gone when dropped.
    pub fn spinner(&self, text: &str) -> Spinner {
        let bar = if self.live {
            let bar = ProgressBar::new_spinner().with_message(text.to_owned());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed:.dim}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        } else {
            ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden())
        };
        Spinner(bar)
    }

    /// A bar with `text` that goes up to `total`, on a terminal; nothing elsewhere. Gone when dropped.
    pub fn progress(&self, text: &str, total: usize) -> Progress {
        let bar = if self.live {
            let bar = ProgressBar::new(total as u64).with_message(text.to_owned());
            if let Ok(style) = ProgressStyle::with_template("{msg} {bar:24.cyan/dim} {pos}/{len} {prefix} {eta:.dim}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(250));
            bar
        } else {
            ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden())
        };
        Progress(bar)
    }

    /// Lines that are renewed, on a terminal; nothing elsewhere. Gone when dropped.
    pub fn board(&self) -> Board {
        let bars = MultiProgress::new();
        if !self.live {
            bars.set_draw_target(ProgressDrawTarget::hidden());
        }
        Board { bars, lines: Mutex::default() }
    }

    /// `text` in its colour, for standard error.
    pub fn paint(&self, tone: Tone, text: &str) -> String {
        paint(self.color_err, tone, text)
    }

    /// `text` in its colour, for standard output.
    pub fn paint_out(&self, tone: Tone, text: &str) -> String {
        paint(self.color_out, tone, text)
    }

    fn tell(&self, text: &str) {
        self.tell_part(&format!("{text}\n"));
    }

    fn tell_part(&self, text: &str) {
        // Nothing can be told about a standard error that is closed.
        let mut err = io::stderr().lock();
        let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
    }
}

/// See [`Ui::spinner`].
#[derive(Debug)]
pub struct Spinner(ProgressBar);

impl Spinner {
    /// Runs `print` with the spinner out of the way.
    pub fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        self.0.suspend(print)
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// See [`Ui::progress`].
#[derive(Debug)]
pub struct Progress(ProgressBar);

impl Progress {
    /// One more is done; `what` is said of it.
    pub fn step(&self, what: &str) {
        self.0.set_prefix(what.to_owned());
        self.0.inc(1);
    }

    /// Runs `print` with the bar out of the way.
    pub fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        self.0.suspend(print)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// See [`Ui::board`].
#[derive(Debug)]
pub struct Board {
    bars: MultiProgress,
    lines: Mutex<BTreeMap<i64, ProgressBar>>,
}

impl Board {
    /// The line `id` says `text`; a new one comes last.
    pub fn set(&self, id: i64, text: String) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let line = lines.entry(id).or_insert_with(|| {
            let bar = self.bars.add(ProgressBar::new_spinner());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        line.set_message(text);
    }

    /// The line `id` goes.
    pub fn done(&self, id: i64) {
        if let Some(line) = self.lines.lock().unwrap_or_else(PoisonError::into_inner).remove(&id) {
            line.finish_and_clear();
            self.bars.remove(&line);
        }
    }

    /// Runs `print` with the lines out of the way.
    pub fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bars.suspend(print)
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        let lines = std::mem::take(&mut *self.lines.lock().unwrap_or_else(PoisonError::into_inner));
        lines.into_values().for_each(|line| line.finish_and_clear());
    }
}

/// Whether to use colour on a stream. Order of authority: the flag, `NO_COLOR`,
/// `CLICOLOR_FORCE`, `CLICOLOR`, `TERM`, and whether it is a terminal.
pub fn colored(when: When, terminal: bool, env: &Env) -> bool {
    match when {
        When::Always => true,
        When::Never => false,
        When::Auto if env.get("NO_COLOR").is_some() => false,
        When::Auto if env.get("CLICOLOR_FORCE").is_some_and(|value| value != "0") => true,
        When::Auto => terminal && env.get("CLICOLOR") != Some("0") && env.get("TERM") != Some("dumb"),
    }
}

fn paint(colored: bool, tone: Tone, text: &str) -> String {
    if !colored || text.is_empty() {
        return text.to_owned();
    }
    let style = match tone {
        Tone::Dim => Style::new().dimmed(),
        Tone::Strong => Style::new().bold(),
        Tone::Good => AnsiColor::Green.on_default(),
        Tone::Warn => AnsiColor::Yellow.on_default().bold(),
        Tone::Bad => AnsiColor::Red.on_default().bold(),
        Tone::Link => AnsiColor::Cyan.on_default(),
    };
    format!("{style}{text}{style:#}")
}

#[cfg(test)]
mod tests {
    use super::{Env, Tone, When, colored, paint};

    #[test]
    fn colour_obeys_flag_then_environment_then_terminal() {
        let none = Env::default();
        let cases: [(When, bool, Env, bool); 10] = [
            (When::Auto, true, none.clone(), true),
            (When::Auto, false, none.clone(), false),
            (When::Auto, true, [("NO_COLOR", "1")].into(), false),
            (When::Auto, true, [("NO_COLOR", "")].into(), true),
            (When::Auto, false, [("CLICOLOR_FORCE", "1")].into(), true),
            (When::Auto, true, [("CLICOLOR", "0")].into(), false),
            (When::Auto, true, [("TERM", "dumb")].into(), false),
            (When::Auto, false, [("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")].into(), false),
            (When::Always, false, [("NO_COLOR", "1")].into(), true),
            (When::Never, true, none, false),
        ];
        for (when, terminal, env, expected) in cases {
            assert_eq!(colored(when, terminal, &env), expected, "{when:?} terminal={terminal} {env:?}");
        }
    }

    #[test]
    fn without_colour_the_text_is_bare() {
        assert_eq!(paint(false, Tone::Bad, "x"), "x");
        assert_eq!(paint(true, Tone::Good, "x"), "\u{1b}[32mx\u{1b}[0m");
    }
}
