//! The log of an attempt, followed through breaks of the connection and restarts of the server.

use std::io::{IsTerminal, stdout};
use std::time::Duration;

use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::cli::api::Api;
use crate::cli::cx::Cx;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::runs;
use crate::cli::ui::Ui;

/// How long a server may be away.
const AWAY: Duration = Duration::from_secs(120);

/// Between two looks at an attempt that is not over.
const AGAIN: Duration = Duration::from_millis(500);

/// The log of one attempt.
pub struct Log<'a> {
    cx: &'a Cx,
    api: &'a Api,
    run: i64,
    attempt: i64,
    seen: Seen,
    out: Out,
}

/// The attempt `number` at `run`, or its newest.
///
/// # Errors
/// When there is none, or the server cannot be reached.
pub async fn attempt(api: &Api, run: i64, number: Option<i64>) -> Result<Value> {
    let attempts = runs::attempts(api, run).await?;
    let found = match number {
        Some(number) => attempts.into_iter().find(|attempt| attempt["number"] == number),
        None => attempts.into_iter().next_back(),
    };
    found.ok_or_else(|| match number {
        Some(number) => Error::new(Kind::NotFound, format!("recipe run {run} has no attempt {number}"))
            .hint(format!("pforge runs show {run}")),
        None => Error::new(Kind::NotFound, format!("nobody has asked for recipe run {run} yet"))
            .hint(format!("pforge runs retry {run} --watch")),
    })
}

impl<'a> Log<'a> {
    /// The log of attempt `number` at `run`, to be printed.
    pub fn new(cx: &'a Cx, api: &'a Api, run: i64, number: i64) -> Self {
        Self { cx, api, run, attempt: number, seen: Seen::default(), out: Out::new(cx) }
    }

    /// Prints what is there.
    ///
    /// # Errors
    /// When the server cannot be reached, refuses to show it, or breaks off.
    pub async fn print(&mut self) -> Result {
        if self.read(false).await? {
            return self.out.end(&self.cx.ui);
        }
        Err(Error::new(Kind::Upstream, "the log broke off").hint(format!("pforge runs logs {}", self.run)))
    }

    /// Prints what is there and what comes until the attempt is over, and gives the attempt. A server
    /// that goes away is waited for.
    ///
    /// # Errors
    /// When the server refuses to show it, or stays away.
    pub async fn follow(&mut self) -> Result<Value> {
        let mut answered = Instant::now();
        let mut told = false;
        loop {
            match self.look().await {
                Ok(Some(attempt)) => {
                    self.out.end(&self.cx.ui)?;
                    return Ok(attempt);
                }
                Ok(None) => {
                    answered = Instant::now();
                    told = false;
                }
                Err(error) if error.kind != Kind::Upstream || answered.elapsed() > AWAY => return Err(error),
                Err(error) if !told => {
                    self.cx.ui.warn(format!("{}; waiting for it", error.message));
                    told = true;
                }
                Err(_) => {}
            }
            sleep(AGAIN).await;
        }
    }

    /// Reads on; the attempt, when it is over and all of its log was read.
    async fn look(&mut self) -> Result<Option<Value>> {
        let attempt = attempt(self.api, self.run, Some(self.attempt)).await?;
        let over = !attempt["conclusion"].is_null();
        // Over before it was read: nothing comes after what is read then.
        let whole = self.read(!over).await?;
        Ok(Some(attempt).filter(|_| over && whole))
    }

    /// Reads the log from its beginning and prints what was not seen; whether it came to its end.
    async fn read(&mut self, follow: bool) -> Result<bool> {
        let mut query = vec![("attempt", self.attempt.to_string())];
        query.extend(follow.then(|| ("follow", "1".to_owned())));
        let mut stream = self.api.text_stream(&format!("/recipe_runs/{}/logs", self.run), &query).await?;
        self.seen.rewind();
        while let Some(bytes) = stream.next().await {
            let Ok(bytes) = bytes else { return Ok(false) };
            let fresh = self.seen.feed(&bytes);
            if fresh.anew {
                self.cx.ui.warn("the runner was begun anew, and with it the log");
            }
            self.out.put(&self.cx.ui, fresh.bytes)?;
        }
        Ok(true)
    }
}

/// What was printed, so that a log that is read again goes on where it was.
#[derive(Debug, Default)]
struct Seen {
    bytes: Vec<u8>,
    /// How much of it was read again.
    at: usize,
}

/// What of some bytes was not printed yet.
#[derive(Debug, PartialEq, Eq)]
struct Fresh<'a> {
    bytes: &'a [u8],
    /// Whether the log is another one than before: it is printed from its beginning.
    anew: bool,
}

impl Seen {
    /// The log is read from its beginning.
    fn rewind(&mut self) {
        self.at = 0;
    }

    /// Takes the next bytes of the log.
    fn feed<'a>(&'a mut self, next: &'a [u8]) -> Fresh<'a> {
        let known = &self.bytes[self.at..];
        let both = known.len().min(next.len());
        let anew = known[..both] != next[..both];
        if anew {
            self.bytes.truncate(self.at);
        }
        let fresh = if anew { next } else { &next[both..] };
        self.bytes.extend_from_slice(fresh);
        self.at += next.len();
        Fresh { bytes: if anew { &self.bytes } else { fresh }, anew }
    }
}

/// Prints the log: as it is, without what would steer a terminal, or as a JSON object a line.
struct Out {
    terminal: bool,
    /// The beginning of a line, for JSON.
    line: Option<Vec<u8>>,
}

impl Out {
    fn new(cx: &Cx) -> Self {
        Self { terminal: stdout().is_terminal(), line: cx.ui.json().then(Vec::new) }
    }

    fn put(&mut self, ui: &Ui, bytes: &[u8]) -> Result {
        match &mut self.line {
            Some(line) => {
                for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
                    line.extend_from_slice(piece);
                    if piece.ends_with(b"\n") {
                        tell(ui, line)?;
                    }
                }
                Ok(())
            }
            // The log is what foreign code wrote.
            None if self.terminal => ui.bytes(&bytes.iter().map(|byte| harmless(*byte)).collect::<Vec<_>>()),
            None => ui.bytes(bytes),
        }
    }

    fn end(&mut self, ui: &Ui) -> Result {
        match &mut self.line {
            Some(line) if !line.is_empty() => tell(ui, line),
            _ => Ok(()),
        }
    }
}

fn tell(ui: &Ui, line: &mut Vec<u8>) -> Result {
    let text = String::from_utf8_lossy(line).trim_end_matches(['\r', '\n']).to_owned();
    line.clear();
    ui.event(&json!({ "type": "log", "text": text }))
}

fn harmless(byte: u8) -> u8 {
    if byte.is_ascii_control() && !matches!(byte, b'\n' | b'\r' | b'\t') { b'?' } else { byte }
}

#[cfg(test)]
mod tests {
    use super::Seen;

    #[test]
    fn a_log_that_is_read_again_goes_on_where_it_was() {
        let mut seen = Seen::default();
        let mut printed = String::new();
        // Each reading, in pieces.
        for pieces in [&["one\n", "tw"][..], &["on"], &["one\nt", "wo\n"], &["one\ntwo\nthree\n"], &[]] {
            seen.rewind();
            for piece in pieces {
                let fresh = seen.feed(piece.as_bytes());
                assert!(!fresh.anew, "{piece}");
                printed += std::str::from_utf8(fresh.bytes).expect("text");
            }
        }
        assert_eq!(printed, "one\ntwo\nthree\n");
    }

    #[test]
    fn a_log_that_begins_anew_is_printed_from_its_beginning() {
        let mut seen = Seen::default();
        seen.feed(b"one\ntwo\n");
        seen.rewind();
        assert_eq!(seen.feed(b"one\n").bytes, b"");
        let fresh = seen.feed(b"2");
        assert_eq!((fresh.bytes, fresh.anew), (&b"one\n2"[..], true));
        let fresh = seen.feed(b"\n");
        assert_eq!((fresh.bytes, fresh.anew), (&b"\n"[..], false));
    }
}
