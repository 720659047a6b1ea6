//! Feedstocks and bakeries of a server, by their name or id.

use std::collections::BTreeMap;

use serde_json::Value;

use super::api::Api;
use super::cx::Cx;
use super::error::{Error, Kind, Result};
use super::job::{age, field};
use super::runs;
use super::ui::Cell;
use crate::util::text::plural;

/// Longest list that is looked through for a name; beyond it only the server's own filter helps.
const LONGEST: usize = 10_000;

/// What has rows with a name.
#[derive(Clone, Copy, Debug)]
pub struct Noun {
    /// In messages.
    pub name: &'static str,
    /// Of its list.
    pub path: &'static str,
    /// The field with the name, which is also the list's filter.
    pub key: &'static str,
    /// The command of its list.
    pub list: &'static str,
}

/// Repositories whose recipes are run.
pub const FEEDSTOCK: Noun =
    Noun { name: "feedstock", path: "/feedstocks", key: "spec", list: "pforge feedstocks list" };

/// Where recipes are run.
pub const BAKERY: Noun = Noun { name: "bakery", path: "/bakeries", key: "name", list: "pforge bakeries list" };

impl Noun {
    /// The row that `which` names: an id, or a name without regard to case.
    ///
    /// # Errors
    /// When there is none, or the server cannot be reached.
    pub async fn find(&self, api: &Api, which: &str) -> Result<Value> {
        if let Ok(id) = which.parse::<i64>() {
            return api.get(&format!("{}/{id}", self.path), &[]).await.map_err(|error| match error.kind {
                Kind::NotFound => self.unknown(which, &[]),
                _ => error,
            });
        }
        let (rows, _) = api.rows(self.path, &[(self.key, which.to_owned())], LONGEST).await?;
        let same = |row: &&Value| field(row, self.key).eq_ignore_ascii_case(which);
        if let Some(row) = rows.iter().find(same) {
            return Ok(row.clone());
        }
        let (all, _) = api.rows(self.path, &[], LONGEST).await?;
        match all.iter().find(same) {
            Some(row) => Ok(row.clone()),
            None => Err(self.unknown(which, &all)),
        }
    }

    /// The row with everything that belongs to it.
    ///
    /// # Errors
    /// As [`Noun::find`].
    pub async fn detail(&self, api: &Api, which: &str) -> Result<Value> {
        let row = self.find(api, which).await?;
        if row.get("recipe_runs").is_some() {
            return Ok(row);
        }
        api.get(&format!("{}/{}", self.path, row["id"]), &[]).await
    }

    /// Removes the row that `which` names, after `sure` has said yes.
    ///
    /// # Errors
    /// When there is none, `sure` says no, or it still has runs.
    pub async fn remove(&self, api: &Api, which: &str, sure: impl FnOnce(&str) -> Result) -> Result<Value> {
        let row = self.find(api, which).await?;
        let name = field(&row, self.key).to_owned();
        sure(&name)?;
        api.delete(&format!("{}/{}", self.path, row["id"])).await.map_err(|error| match error.kind {
            Kind::Failure => Error::failure(format!("{} {name} was not removed: it has recipe runs", self.name))
                .because("they are the record of what was built")
                .hint(self.runs_of(&name)),
            _ => error.context(format!("{} {name} was not removed", self.name)),
        })?;
        Ok(row)
    }

    /// The command that lists the runs of one.
    pub fn runs_of(&self, name: &str) -> String {
        format!("pforge runs list --{} {name}", self.name)
    }

    fn unknown(&self, which: &str, known: &[Value]) -> Error {
        let told = Error::new(Kind::NotFound, format!("the server has no {} {which}", self.name));
        let near = known.iter().map(|row| field(row, self.key)).map(|name| (strsim::jaro(name, which), name));
        let near = near.filter(|(nearness, _)| *nearness > 0.8).max_by(|a, b| a.0.total_cmp(&b.0));
        match near {
            Some((_, name)) => told.because(format!("there is {name}")).hint(self.list),
            None => told.hint(self.list),
        }
    }
}

/// How many runs are shown of one feedstock or bakery.
const SHOWN: usize = 10;

/// Prints how the runs in `row` ended, and the newest of them.
///
/// # Errors
/// When nobody reads it any more.
pub fn tell_runs(cx: &Cx, row: &Value) -> Result {
    let all = row["recipe_runs"].as_array().map_or(&[][..], Vec::as_slice);
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for run in all {
        *counts.entry(runs::state(run)).or_default() += 1;
    }
    let counts: Vec<String> = counts.iter().map(|(state, count)| format!("{count} {state}")).collect();
    let of = if counts.is_empty() { String::new() } else { format!(": {}", counts.join(", ")) };
    cx.ui.line(format!("  {}{of}", plural(all.len() as u64, "run")))?;
    if all.is_empty() {
        return Ok(());
    }
    cx.ui.line("")?;
    let now = cx.clock.now();
    let cells = all.iter().rev().take(SHOWN).map(|run| {
        vec![
            Cell::from(run["id"].to_string()),
            Cell::toned(runs::state(run), runs::tone(runs::state(run))),
            runs::kind(run).into(),
            field(run, "recipe_id").into(),
            runs::commit(run).into(),
            age(run, "started_at", now).into(),
            runs::took_words(run, "completed_at", now).into(),
        ]
    });
    cx.ui.table(&["run", "state", "kind", "recipe", "commit", "age", "took"], &cells.collect::<Vec<_>>())
}
