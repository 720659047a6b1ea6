//! What pangeo-forge-runner writes, line by line.
//!
//! With `--json` most lines are JSON objects, and of these most have only a `message`. Some lines
//! are not JSON at all: pip's chatter, argparse's complaints, plain tracebacks.

use std::collections::VecDeque;

use serde::Deserialize;
use serde_json::Value;

/// Longer lines are kept up to here, in bytes: memory is bounded whatever the program writes.
const LINE_MAX: usize = 1024 * 1024;
/// How much of the end of standard error is kept, in bytes.
const STDERR_TAIL: usize = 64 * 1024;

/// Which pipe a line came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

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
    #[serde(default)]
    job_name: Option<String>,
    #[serde(default)]
    job_id: Option<String>,
}

/// A job that a remote bakery has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Submitted {
    /// Its name there.
    pub job_name: Option<String>,
    /// Its id there.
    pub job_id: String,
}

/// What matters of the lines seen so far.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// `meta` of the last line with status `completed`.
    pub meta: Option<Value>,
    /// The last line with status `submitted`.
    pub submitted: Option<Submitted>,
    /// Last line of the last `failed` line's traceback, or its message.
    pub failed: Option<String>,
    /// The last `failed` line's traceback.
    pub trace: Option<String>,
    /// The last line of standard output that was not JSON.
    pub text: Option<String>,
    /// The end of standard error.
    stderr: Tail,
}

impl Outcome {
    /// Takes a line. Returns it as people read it; nothing when there is nothing to read.
    pub(super) fn take(&mut self, source: Source, line: &[u8]) -> Option<String> {
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end();
        if source == Source::Err {
            self.stderr.feed(text.as_bytes());
            self.stderr.feed(b"\n");
            return Some(text.to_owned());
        }
        if text.is_empty() {
            return None;
        }
        let Ok(line) = serde_json::from_str::<Line>(text) else {
            self.text = Some(text.trim_start().to_owned());
            return Some(text.to_owned());
        };
        let message = match &line.message {
            Value::Null => None,
            Value::String(message) => Some(message.trim_end().to_owned()),
            other => Some(other.to_string()),
        };
        let trace = line.exc_info.filter(|trace| !trace.trim().is_empty());
        let shown = [message.as_deref(), trace.as_deref().map(str::trim_end)];
        let shown = shown.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n");
        match line.status.as_deref() {
            Some("completed") if line.meta.is_some() => self.meta = line.meta,
            Some("submitted") => {
                if let Some(job_id) = line.job_id {
                    self.submitted = Some(Submitted { job_name: line.job_name, job_id });
                }
            }
            Some("failed") => {
                let last = trace.as_deref().and_then(last_line).or(message.as_deref().and_then(last_line));
                self.failed = last.map(str::to_owned).or(self.failed.take());
                self.trace = trace.or(self.trace.take());
            }
            _ => {}
        }
        (!shown.is_empty()).then_some(shown)
    }

    /// The last line of standard error that is not blank.
    pub(super) fn stderr_line(&self) -> Option<String> {
        last_line(&self.stderr.text()).map(str::to_owned)
    }

    /// The end of standard error, when there is something to read.
    pub(super) fn stderr(&self) -> Option<String> {
        Some(self.stderr.text()).filter(|text| !text.trim().is_empty())
    }
}

/// Splits a stream into lines.
#[derive(Debug, Default)]
pub(super) struct Lines {
    partial: Vec<u8>,
}

impl Lines {
    /// Takes the next piece of the stream, cut anywhere; the lines that it completes.
    pub(super) fn feed(&mut self, mut piece: &[u8]) -> Vec<Vec<u8>> {
        let mut whole = Vec::new();
        while let Some(end) = piece.iter().position(|byte| *byte == b'\n') {
            self.keep(&piece[..end]);
            whole.push(std::mem::take(&mut self.partial));
            piece = &piece[end + 1..];
        }
        self.keep(piece);
        whole
    }

    /// The stream is over; its last line may lack the line feed.
    pub(super) fn end(self) -> Option<Vec<u8>> {
        Some(self.partial).filter(|line| !line.is_empty())
    }

    fn keep(&mut self, piece: &[u8]) {
        let room = LINE_MAX.saturating_sub(self.partial.len());
        self.partial.extend_from_slice(&piece[..piece.len().min(room)]);
    }
}

/// The end of a stream, bounded.
#[derive(Debug, Default)]
struct Tail(VecDeque<u8>);

impl Tail {
    fn feed(&mut self, piece: &[u8]) {
        self.0.extend(&piece[piece.len().saturating_sub(STDERR_TAIL)..]);
        self.0.drain(..self.0.len().saturating_sub(STDERR_TAIL));
    }

    fn text(&self) -> String {
        let (one, two) = self.0.as_slices();
        String::from_utf8_lossy(&[one, two].concat()).into_owned()
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
        let mut outcome = Outcome::default();
        text.lines().for_each(|line| drop(outcome.take(Source::Out, line.as_bytes())));
        outcome
    }

    fn vector(name: &str) -> String {
        let path = format!("{}/tests/fixtures/runner/{name}", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(&path).expect(&path)
    }

    #[test]
    fn real_output_is_understood() {
        let ok = outcome(&vector("expand-ok.jsonl.txt"));
        assert_eq!(ok.meta.expect("meta")["recipes"][0]["id"], "tiny");
        let dict = outcome(&vector("expand-dict.jsonl.txt"));
        assert_eq!(dict.meta.expect("meta")["recipes"][1]["id"], "beta");
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
        assert!(raised.trace.expect("trace").starts_with("Traceback (most recent call last):\n"));
        assert!(raised.submitted.is_none());
    }

    #[test]
    fn a_local_bake_that_went_well_says_nothing_at_its_end() {
        for name in ["bake-direct-ok.jsonl.txt", "bake-zarr-ok.jsonl.txt", "bake-two-recipes.jsonl.txt"] {
            let baked = outcome(&vector(name));
            assert!(baked.failed.is_none() && baked.submitted.is_none() && baked.meta.is_none(), "{name}: {baked:?}");
        }
    }

    #[test]
    fn a_submitted_job_has_its_names() {
        let line = r#"{"message": "Submitted job 2024-01 for recipe a", "recipe": "a", "job_name": "a6170", "job_id": "2024-01", "status": "submitted"}"#;
        let submitted = Submitted { job_name: Some("a6170".into()), job_id: "2024-01".into() };
        assert_eq!(outcome(line).submitted, Some(submitted));
        assert_eq!(outcome(r#"{"status": "submitted"}"#).submitted, None, "no id, no job");
    }

    #[test]
    fn lines_read_as_people_read_them() {
        let mut outcome = Outcome::default();
        for (source, line, expected) in [
            (Source::Out, r#"{"message": "Target is x\n", "status": "setup"}"#, Some("Target is x")),
            (Source::Out, r#"{"message": "bad", "exc_info": "Traceback\nE: x\n"}"#, Some("bad\nTraceback\nE: x")),
            (Source::Out, r#"{"message": ["a"]}"#, Some("[\"a\"]")),
            (Source::Out, r#"{"status": "running"}"#, None),
            (Source::Out, "Looking in links: /x ", Some("Looking in links: /x")),
            (Source::Out, "  indented", Some("  indented")),
            (Source::Out, "", None),
            (Source::Err, "    raise x", Some("    raise x")),
        ] {
            assert_eq!(outcome.take(source, line.as_bytes()).as_deref(), expected, "{line}");
        }
        assert_eq!(outcome.stderr_line().as_deref(), Some("raise x"));
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
            assert!(lines.feed(&[b'x'; 65_536]).is_empty());
        }
        assert_eq!(lines.partial.len(), LINE_MAX);
        let mut tail = Tail::default();
        for _ in 0..3 {
            tail.feed(&[b'y'; STDERR_TAIL - 1]);
        }
        tail.feed(b"\nend\n\n");
        assert_eq!(tail.0.len(), STDERR_TAIL);
        assert_eq!(last_line(&tail.text()), Some("end"));
    }

    proptest! {
        #[test]
        fn cuts_do_not_matter(pieces in proptest::collection::vec(any::<Vec<u8>>(), 0..8)) {
            let split = |pieces: &[Vec<u8>]| {
                let mut lines = Lines::default();
                let mut whole: Vec<Vec<u8>> = pieces.iter().flat_map(|piece| lines.feed(piece)).collect();
                whole.extend(lines.end());
                whole
            };
            assert_eq!(split(&pieces), split(&[pieces.concat()]));
            let mut outcome = Outcome::default();
            split(&pieces).iter().for_each(|line| drop(outcome.take(Source::Out, line)));
        }
    }
}
