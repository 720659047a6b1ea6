//! A scenario as it is written: YAML, read strictly.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::refs;
use crate::cli::duration;
use crate::cli::error::{Error, Result};
use crate::cli::trigger::origin::parts;
use crate::github::payloads::Catalogue;

/// Steps, and what they have in common.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it shows.
    #[serde(default)]
    pub name: Option<String>,
    /// `owner/name`, for every step.
    #[serde(default)]
    pub repo: Option<String>,
    /// Login, for every step.
    #[serde(default)]
    pub sender: Option<String>,
    /// Installation, for every step.
    #[serde(default)]
    pub installation: Option<i64>,
    /// What happens, in order.
    pub steps: Vec<Step>,
    /// The line on which each step begins, from 1.
    #[serde(skip)]
    pub lines: Vec<usize>,
}

/// One delivery.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What later steps call it.
    #[serde(default)]
    pub id: Option<String>,
    /// `event` or `event.action`.
    pub event: String,
    /// Changes of the payload, by path, in order.
    #[serde(default)]
    pub set: serde_json::Map<String, Value>,
    /// How long to wait before.
    #[serde(default, deserialize_with = "time")]
    pub delay: Option<Duration>,
    /// What must come of it.
    #[serde(default)]
    pub expect: Expect,
}

/// What must come of a delivery; the scenario stops where it does not.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expect {
    /// The status of the answer; any of success when it is not named.
    pub status: Option<u16>,
    /// The jobs that it becomes, by kind, and the state in which each ends. An empty map: none.
    pub jobs: Option<BTreeMap<String, State>>,
    /// How long the jobs may take; 30 s unless named.
    #[serde(deserialize_with = "time")]
    pub within: Option<Duration>,
}

/// The state of a job that is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is there, in whatever state.
    Queued,
    /// It ended well.
    Done,
    /// It gave up.
    Dead,
}

impl State {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Done => "done",
            Self::Dead => "dead",
        }
    }
}

fn time<'de, D: Deserializer<'de>>(from: D) -> std::result::Result<Option<Duration>, D::Error> {
    let value = Value::deserialize(from)?;
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    duration::argument(&text).map(Some).map_err(|told| serde::de::Error::custom(format!("{text}: {told}")))
}

impl Scenario {
    /// Reads `path`.
    ///
    /// # Errors
    /// When it cannot be read, is no scenario, names an event that does not exist, or refers to
    /// what is not there; with the line.
    pub fn read(catalogue: &Catalogue, path: &Path) -> Result<Self> {
        let shown = path.display().to_string();
        let text = fs::read_to_string(path)
            .map_err(|error| Error::failure(format!("cannot read {shown}")).caused_by(&error))?;
        Self::parse(catalogue, &text, &shown)
    }

    fn parse(catalogue: &Catalogue, text: &str, shown: &str) -> Result<Self> {
        let mut scenario: Self = serde_yaml::from_str(text).map_err(|error| {
            let line = error.location().map(|location| format!(":{}", location.line())).unwrap_or_default();
            Error::usage(format!("{shown}{line}: not a scenario")).because(error)
        })?;
        scenario.lines = lines(text, scenario.steps.len());
        if scenario.steps.is_empty() {
            return Err(Error::usage(format!("{shown}: a scenario without steps")));
        }
        let mut ids: BTreeSet<&str> = BTreeSet::new();
        for (index, step) in scenario.steps.iter().enumerate() {
            let here = |error: Error| {
                let line = scenario.lines.get(index).map(|line| format!(":{line}")).unwrap_or_default();
                error.context(format!("{shown}{line}: step {} cannot be read", index + 1))
            };
            let (event, action) = parts(&step.event);
            let known = catalogue.knows(event, action);
            known.map_err(|error| here(error.into()))?;
            for (path, value) in &step.set {
                path.parse::<crate::github::payloads::Path>().map_err(|error| here(error.into()))?;
                refs::check(value, &ids).map_err(here)?;
            }
            if let Some(id) = step.id.as_deref() {
                let plain = id.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
                if !plain || id.is_empty() || id == "env" {
                    return Err(here(Error::usage(format!("{id:?} cannot be the id of a step"))));
                }
                if !ids.insert(id) {
                    return Err(here(Error::usage(format!("there are two steps with the id {id}"))));
                }
            }
        }
        Ok(scenario)
    }
}

/// Where the steps begin: the items of the list below `steps`, by their indentation.
fn lines(text: &str, count: usize) -> Vec<usize> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut items = text.lines().enumerate().skip_while(|(_, line)| !line.starts_with("steps:")).skip(1).peekable();
    while items.peek().is_some_and(|(_, line)| !line.trim_start().starts_with("- ")) {
        items.next();
    }
    let Some(first) = items.peek().map(|(_, line)| indent(line)) else { return Vec::new() };
    let begins = items.filter(|(_, line)| indent(line) == first && line.trim_start().starts_with("- "));
    let lines: Vec<usize> = begins.map(|(index, _)| index + 1).collect();
    // Written in another style, they cannot be told apart: then no line is better than a wrong one.
    if lines.len() == count { lines } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::{Catalogue, Scenario};

    #[test]
    fn mistakes_are_told_with_their_line() {
        let catalogue = Catalogue::embedded().expect("embedded");
        let wrong = |text: &str| {
            let error = Scenario::parse(&catalogue, text, "f.yaml").expect_err(text);
            format!("{}: {}", error.message, error.causes.join("; "))
        };
        for (text, parts) in [
            ("steps: []\n", ["without steps", ""]),
            ("name: x\n", ["f.yaml:1", "missing field `steps`"]),
            ("steps:\n  - event: push\n    sets: {}\n", ["f.yaml:3", "unknown field `sets`"]),
            ("steps:\n  - event: push\n    delay: soon\n", ["f.yaml:2", "soon: not a time"]),
            ("steps:\n  - event: push\n  - event: pusj\n", ["f.yaml:3: step 2", "did you mean push"]),
            ("steps:\n  - event: push\n    set: {a: '${pr.x}'}\n", ["f.yaml:2: step 1", "no step pr before"]),
            ("steps:\n  - event: push\n    set: {a..b: 1}\n", ["f.yaml:2: step 1", "not a path"]),
            ("steps:\n  - {id: a, event: push}\n  - {id: a, event: push}\n", ["f.yaml:3: step 2", "two steps"]),
            ("steps:\n  - event: push\n    expect: {jobs: {x: finished}}\n", ["f.yaml:3", "unknown variant"]),
        ] {
            let told = wrong(text);
            assert!(parts.iter().all(|part| told.contains(part)), "{text}{told}");
        }
    }
}
