//! A payload without anybody's names in it that still hangs together.
//!
//! What is not known to be everybody's is replaced: words, numbers of things, commits, node ids,
//! addresses. The same value becomes the same value everywhere, inside addresses and texts too. What
//! a program decides by stays: the shape, types, events, actions, states, flags and times.

use serde_json::{Map, Number, Value};

use self::names::Names;
use self::words::is_enumerated;

mod address;
mod names;
#[cfg(test)]
mod tests;
mod words;

/// Numbers from which an id is somebody's; smaller ones are in every test.
const LONG: u64 = 1000;

/// Keys whose values are names or texts, whatever they look like.
const NAMES: [&str; 27] = [
    "after",
    "app_name",
    "base_ref",
    "before",
    "body",
    "branch",
    "company",
    "description",
    "display_title",
    "email",
    "full_name",
    "head_branch",
    "label",
    "location",
    "login",
    "master_branch",
    "message",
    "name",
    "note",
    "old_name",
    "ref",
    "ref_name",
    "slug",
    "summary",
    "text",
    "title",
    "username",
];

/// Keys whose values say of which form something is; GitHub does not enumerate them.
const FORMS: [&str; 9] = [
    "code",
    "content_type",
    "diff_hunk_type",
    "media_type",
    "mode",
    "original_environment_type",
    "package_type",
    "spdx_id",
    "state_reason",
];

/// Endings of keys whose numbers measure, and name nothing.
const MEASURES: [&str; 16] = [
    "_at",
    "_count",
    "_in_cents",
    "_minutes",
    "additions",
    "changed_files",
    "changes",
    "column",
    "commits",
    "deletions",
    "distinct_size",
    "duration",
    "line",
    "position",
    "size",
    "timestamp",
];

/// `payload` without names; what stands at the paths `keep` (`pull_request.labels`) stays. The paths
/// of `keep` that are not there.
pub fn scrub<'a>(payload: &Value, keep: &'a [String]) -> (Value, Vec<&'a str>) {
    let mut scrubber = Scrubber { names: Names::default(), keep, met: vec![false; keep.len()] };
    scrubber.meet("", payload);
    scrubber.names.settle();
    let made = scrubber.value(&mut Vec::new(), payload);
    let absent = keep.iter().zip(&scrubber.met).filter(|(_, met)| !**met).map(|(path, _)| path.as_str()).collect();
    (made, absent)
}

struct Scrubber<'a> {
    names: Names,
    keep: &'a [String],
    met: Vec<bool>,
}

impl Scrubber<'_> {
    /// Everything is met before anything is named.
    fn meet(&mut self, key: &str, value: &Value) {
        match value {
            Value::String(text) if is_node_id(key) && !text.is_empty() => {
                self.names.opaque(text);
            }
            Value::String(text) => self.names.meet(text),
            Value::Number(number) => self.names.meet(&number.to_string()),
            Value::Array(items) => items.iter().for_each(|item| self.meet(key, item)),
            Value::Object(map) => map.iter().for_each(|(key, value)| self.meet(key, value)),
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn value(&mut self, path: &mut Vec<String>, value: &Value) -> Value {
        if self.kept(path) {
            return value.clone();
        }
        match value {
            Value::Object(map) => {
                let mut made = Map::with_capacity(map.len());
                for (key, value) in map {
                    path.push(key.clone());
                    made.insert(key.clone(), self.value(path, value));
                    path.pop();
                }
                Value::Object(made)
            }
            Value::Array(items) => {
                let mut made = Vec::with_capacity(items.len());
                for (number, item) in items.iter().enumerate() {
                    path.push(number.to_string());
                    made.push(self.value(path, item));
                    path.pop();
                }
                Value::Array(made)
            }
            Value::String(text) => Value::String(self.string(key(path), text)),
            Value::Number(number) => Value::Number(self.number(key(path), number)),
            Value::Null | Value::Bool(_) => value.clone(),
        }
    }

    /// Whether `path` is one of those to keep; positions in lists may be left out of them.
    fn kept(&mut self, path: &[String]) -> bool {
        if self.keep.is_empty() {
            return false;
        }
        let full = path.join(".");
        let plain: Vec<&str> = path.iter().filter(|part| part.parse::<usize>().is_err()).map(String::as_str).collect();
        let plain = plain.join(".");
        let found = self.keep.iter().position(|keep| !path.is_empty() && (*keep == full || *keep == plain));
        if let Some(found) = found {
            self.met[found] = true;
        }
        found.is_some()
    }

    fn string(&mut self, key: &str, text: &str) -> String {
        if text.is_empty() || is_time(text) {
            return text.to_owned();
        }
        if let Some(known) = self.names.known_opaque(text) {
            return known.clone();
        }
        if !NAMES.contains(&key) && (is_enumerated(text) || FORMS.contains(&key) || is_color(key, text)) {
            return text.to_owned();
        }
        if is_uuid(text) {
            return uuid(&self.names.opaque(text));
        }
        if is_address(text) && !text.contains(char::is_whitespace) {
            return self.names.address(text);
        }
        self.prose(text)
    }

    /// Words, with addresses and mail addresses among them.
    fn prose(&mut self, text: &str) -> String {
        let mut made = String::new();
        for part in text.split_inclusive(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '<' | '>' | '"' | ','))
        {
            let ends = |c: char| c.is_whitespace() || "()<>[]\"'`,.;:!?".contains(c);
            let word = part.trim_end_matches(ends);
            let after = &part[word.len()..];
            made += &match word.split_once('@') {
                _ if is_address(word) => self.names.address(word),
                Some((who, rest)) if !who.is_empty() && rest.contains('.') && !rest.contains('@') => {
                    // `git@github.com:owner/repo.git` is written like one.
                    let (host, path) = rest.split_at(rest.find(':').unwrap_or(rest.len()));
                    let known = host == "users.noreply.github.com";
                    let host = if known { host.to_owned() } else { self.names.host(host) };
                    format!("{}@{host}{}", self.names.text(who), self.names.text(path))
                }
                _ => self.names.text(word),
            };
            made.push_str(after);
        }
        made
    }

    fn number(&mut self, key: &str, number: &Number) -> Number {
        let measures = MEASURES.iter().any(|ending| key.ends_with(ending));
        match number.as_u64().filter(|value| *value >= LONG && !measures) {
            Some(value) => {
                self.names.number(&value.to_string()).parse::<u64>().map_or_else(|_| number.clone(), Number::from)
            }
            None => number.clone(),
        }
    }
}

/// The name that a value has; the items of a list have the list's.
fn key(path: &[String]) -> &str {
    path.iter().rev().find(|part| part.parse::<usize>().is_err()).map_or("", String::as_str)
}

fn is_node_id(key: &str) -> bool {
    key == "node_id" || key.ends_with("_node_id")
}

fn is_address(text: &str) -> bool {
    let scheme = text.split_once("://").map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| matches!(scheme, "http" | "https" | "git" | "ssh" | "svn" | "ws" | "wss"))
}

fn is_color(key: &str, text: &str) -> bool {
    key == "color" && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'#')
}

/// `2026-11-21T09:30:00Z`, `2026-11-21`, with an offset, with fractions.
fn is_time(text: &str) -> bool {
    let digits =
        |range: std::ops::Range<usize>| text.get(range).is_some_and(|part| part.bytes().all(|b| b.is_ascii_digit()));
    let date =
        digits(0..4) && text.get(4..5) == Some("-") && digits(5..7) && text.get(7..8) == Some("-") && digits(8..10);
    let rest = text.get(10..).unwrap_or_default();
    let time =
        rest.starts_with(['T', ' ']) && rest[1..].bytes().all(|b| b.is_ascii_digit() || b":.+-Z UTC".contains(&b));
    date && (rest.is_empty() || time)
}

fn is_uuid(text: &str) -> bool {
    let parts: Vec<usize> = text.split('-').map(str::len).collect();
    parts == [8, 4, 4, 4, 12] && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

/// A UUID whose number is the one at the end of `opaque`.
fn uuid(opaque: &str) -> String {
    let number = opaque.trim_start_matches(|c: char| !c.is_ascii_digit());
    let number: u64 = number.parse().unwrap_or_default();
    format!("00000000-0000-4000-8000-{number:012}")
}
