//! An answer on standard output.

use std::fmt::Write as _;
use std::io::{self, IsTerminal};

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use serde_json::Value;

use crate::cli::error::Result;
use crate::cli::jq::Filter;
use crate::cli::ui::{Tone, Ui};
use crate::github::Answer;

/// How answers are printed.
pub struct Output<'a> {
    ui: &'a Ui,
    filter: Option<Filter>,
    include: bool,
    silent: bool,
    pretty: bool,
    /// Where an error or a prompt comes next: it must not run into what was printed.
    terminal: bool,
}

impl<'a> Output<'a> {
    /// Through `filter`; with status and headers when `include`; without bodies when `silent`.
    pub fn new(ui: &'a Ui, filter: Option<Filter>, include: bool, silent: bool) -> Self {
        let terminal = io::stdout().is_terminal();
        let pretty = !ui.json() && (terminal || ui.color_out());
        Self { ui, filter, include, silent, pretty, terminal }
    }

    /// Prints status line and headers, if they are wanted.
    ///
    /// # Errors
    /// As [`Ui::raw`].
    pub fn head(&self, answer: &Answer) -> Result {
        if !self.include {
            return Ok(());
        }
        let mut lines: Vec<String> = answer
            .headers
            .iter()
            .map(|(name, value)| format!("{}: {}\r\n", train(name.as_str()), String::from_utf8_lossy(value.as_bytes())))
            .collect();
        lines.sort();
        let status = format!("{:?} {}", answer.version, answer.status);
        self.ui.raw(&format!("{}\n{}\r\n", status.trim_end(), lines.concat()))
    }

    /// Prints a body as it came, or what the filter makes of it.
    ///
    /// # Errors
    /// What the filter fails with; else as [`Ui::raw`].
    pub fn body(&self, headers: &HeaderMap, body: &[u8]) -> Result {
        match (&self.filter, is_json(headers)) {
            _ if self.silent || body.is_empty() => Ok(()),
            (Some(filter), true) => filter.run(body, |line| self.ui.bytes(line)),
            (Some(_), false) => {
                self.ui.warn("the answer is not JSON: --jq was left out");
                self.ui.bytes(body)
            }
            (None, json) => self.plain(json, body),
        }
    }

    /// Prints the body of a refusal, which no filter was made for.
    ///
    /// # Errors
    /// As [`Ui::raw`].
    pub fn refusal(&self, headers: &HeaderMap, body: &[u8]) -> Result {
        if self.silent || body.is_empty() { Ok(()) } else { self.plain(is_json(headers), body) }
    }

    fn plain(&self, json: bool, body: &[u8]) -> Result {
        match serde_json::from_slice::<Value>(body) {
            Ok(value) if json && self.pretty => {
                let mut text = String::new();
                self.indent(&mut text, &value, 0);
                self.ui.line(text)
            }
            _ if self.terminal && !body.ends_with(b"\n") => self.ui.bytes(&[body, b"\n"].concat()),
            _ => self.ui.bytes(body),
        }
    }

    fn indent(&self, out: &mut String, value: &Value, depth: usize) {
        let paint = |tone, text: &str| self.ui.paint_out(tone, text);
        let line = |out: &mut String, depth: usize| {
            out.push('\n');
            out.extend(std::iter::repeat_n("  ", depth));
        };
        match value {
            Value::Object(map) if !map.is_empty() => {
                out.push('{');
                for (number, (name, value)) in map.iter().enumerate() {
                    out.push_str(if number > 0 { "," } else { "" });
                    line(out, depth + 1);
                    let _ = write!(out, "{}: ", paint(Tone::Link, &Value::from(name.as_str()).to_string()));
                    self.indent(out, value, depth + 1);
                }
                line(out, depth);
                out.push('}');
            }
            Value::Array(items) if !items.is_empty() => {
                out.push('[');
                for (number, value) in items.iter().enumerate() {
                    out.push_str(if number > 0 { "," } else { "" });
                    line(out, depth + 1);
                    self.indent(out, value, depth + 1);
                }
                line(out, depth);
                out.push(']');
            }
            Value::String(_) => out.push_str(&paint(Tone::Good, &value.to_string())),
            Value::Null => out.push_str(&paint(Tone::Dim, "null")),
            other => out.push_str(&other.to_string()),
        }
    }
}

/// Whether the body is JSON.
pub fn is_json(headers: &HeaderMap) -> bool {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    media_type.ends_with("/json") || media_type.ends_with("+json")
}

/// `X-Ratelimit-Limit` of `x-ratelimit-limit`: headers as people write them.
fn train(name: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
    };
    name.split('-').map(word).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};

    use super::{is_json, train};

    #[test]
    fn json_is_known_by_its_media_type() {
        for (media_type, expected) in [
            ("application/json; charset=utf-8", true),
            ("application/vnd.github.v3+json", true),
            ("Application/JSON", true),
            ("application/vnd.github.raw+json; charset=utf-8", true),
            ("application/zip", false),
            ("text/plain", false),
        ] {
            let headers = HeaderMap::from_iter([(http::header::CONTENT_TYPE, HeaderValue::from_static(media_type))]);
            assert_eq!(is_json(&headers), expected, "{media_type}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }

    #[test]
    fn headers_are_written_as_trains() {
        assert_eq!(train("x-github-request-id"), "X-Github-Request-Id");
    }
}
