//! What pangeo-forge-runner writes, line by line.
//!
//! With `--json` most lines are JSON objects, and of these most have only a `message`. Some lines
//! are not JSON at all: pip's chatter, argparse's complaints, plain tracebacks.

use std::collections::VecDeque;

use serde::Deserialize;
use serde_json::Value;

/// Longer lines are kept up to here, in bytes: memory is bounded whatever the program writes.
const LINE_MAX: usize = 1024 * 1024;

/// One line as the runner documents it; everything is optional in practice.
#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    message: Value,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    exc_info: Option<String>,
    #[serde(default)]
    meta: Option<Value>,
}

/// What matters of the lines seen so far.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// `meta` of the last line with status `completed`.
    pub meta: Option<Value>,
    /// Last line of the last `failed` line's traceback, or its message.
    pub failed: Option<String>,
    /// The last line that was not JSON.
    pub text: Option<String>,
}

impl Outcome {
    fn take(&mut self, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        let Ok(line) = serde_json::from_str::<Line>(text) else {
            self.text = Some(text.to_owned());
            return;
        };
        match line.status.as_deref() {
            Some("completed") if line.meta.is_some() => self.meta = line.meta,
            Some("failed") => {
                let trace = line.exc_info.as_deref().and_then(last_line).map(str::to_owned);
                let message = || line.message.as_str().and_then(last_line).map(str::to_owned);
                self.failed = trace.or_else(message).or(self.failed.take());
            }
            _ => {}
        }
    }
}

/// Splits a stream into lines and keeps what matters of them.
#[derive(Debug, Default)]
pub(super) struct Lines {
    partial: Vec<u8>,
    outcome: Outcome,
}

impl Lines {
    /// Takes the next piece of the stream, cut anywhere.
    pub(super) fn feed(&mut self, mut piece: &[u8]) {
        while let Some(end) = piece.iter().position(|byte| *byte == b'\n') {
            self.keep(&piece[..end]);
            self.outcome.take(&std::mem::take(&mut self.partial));
            piece = &piece[end + 1..];
        }
        self.keep(piece);
    }

    /// The stream is over; its last line may lack the line feed.
    pub(super) fn end(mut self) -> Outcome {
        self.outcome.take(&self.partial);
        self.outcome
    }

    fn keep(&mut self, piece: &[u8]) {
        let room = LINE_MAX.saturating_sub(self.partial.len());
        self.partial.extend_from_slice(&piece[..piece.len().min(room)]);
    }
}

/// The end of a stream, bounded.
#[derive(Debug)]
pub(super) struct Tail {
    bytes: VecDeque<u8>,
    max: usize,
}

impl Tail {
    /// Keeps the last `max` bytes.
    pub(super) fn new(max: usize) -> Self {
        Self { bytes: VecDeque::new(), max }
    }

    /// Takes the next piece.
    pub(super) fn feed(&mut self, piece: &[u8]) {
        self.bytes.extend(&piece[piece.len().saturating_sub(self.max)..]);
        self.bytes.drain(..self.bytes.len().saturating_sub(self.max));
    }

    /// The last line that is not blank.
    pub(super) fn last_line(self) -> Option<String> {
        let bytes = Vec::from(self.bytes);
        last_line(&String::from_utf8_lossy(&bytes)).map(str::to_owned)
    }
}

/// The last line that is not blank: of a Python traceback, the exception.
fn last_line(text: &str) -> Option<&str> {
    text.lines().rev().map(str::trim).find(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;

    fn outcome(text: &str) -> Outcome {
        let mut lines = Lines::default();
        lines.feed(text.as_bytes());
        lines.end()
    }

    fn vector(name: &str) -> String {
        let path = format!("{}/tests/fixtures/runner/{name}", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(&path).expect(&path)
    }

    #[test]
    fn real_output_is_understood() {
        let ok = outcome(&vector("expand-ok.jsonl.txt"));
        assert_eq!(ok.meta.unwrap()["recipes"][0]["id"], "tiny");
        let dict = outcome(&vector("expand-dict.jsonl.txt"));
        assert_eq!(dict.meta.unwrap()["recipes"][1]["id"], "beta");
        let bad = outcome(&vector("expand-bad.jsonl.txt"));
        assert!(bad.meta.is_none());
        assert_eq!(
            bad.failed.as_deref(),
            Some(
                "traitlets.traitlets.TraitError: The 'recipes' trait of a MetaYaml instance expected a list, \
                 not the NoneType None."
            )
        );
        let raised = outcome(&vector("bake-recipe-raises.jsonl.txt"));
        assert_eq!(raised.failed.as_deref(), Some("RuntimeError: boom 0 [while running 'Create|Map(boom)/Map(boom)']"));
    }

    #[test]
    fn noise_is_tolerated() {
        let noisy = "Looking in links: /x\n[1]\n{\"message\": 5}\n\n{\"status\": \"completed\"}\n\
                     {\"status\": \"completed\", \"meta\": {\"recipes\": []}}\n{\"status\": 7}\nlast words";
        let outcome = outcome(noisy);
        assert_eq!(outcome.meta, Some(serde_json::json!({ "recipes": [] })));
        assert_eq!(outcome.text.as_deref(), Some("last words"));
        assert_eq!(outcome.failed, None);
    }

    #[test]
    fn a_failure_without_a_trace_has_its_message() {
        let line = r#"{"status":"failed","message":"Error during running: x","exc_info":null}"#;
        assert_eq!(outcome(line).failed.as_deref(), Some("Error during running: x"));
        let empty = r#"{"status":"failed","exc_info":"\n \n"}"#;
        assert_eq!(outcome(empty).failed, None);
    }

    #[test]
    fn memory_is_bounded() {
        let mut lines = Lines::default();
        for _ in 0..40 {
            lines.feed(&[b'x'; 65_536]);
        }
        assert_eq!(lines.partial.len(), LINE_MAX);
        let mut tail = Tail::new(8);
        tail.feed(b"0123456789abcdef");
        tail.feed(b"\nend\n\n");
        assert_eq!(tail.last_line().as_deref(), Some("end"));
    }

    proptest! {
        #[test]
        fn cuts_do_not_matter(pieces in proptest::collection::vec(any::<Vec<u8>>(), 0..8)) {
            let mut cut = Lines::default();
            pieces.iter().for_each(|piece| cut.feed(piece));
            let mut whole = Lines::default();
            whole.feed(&pieces.concat());
            let (cut, whole) = (cut.end(), whole.end());
            assert_eq!((cut.text, cut.failed, cut.meta), (whole.text, whole.failed, whole.meta));
        }
    }
}
