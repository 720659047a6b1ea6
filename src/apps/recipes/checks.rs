//! The check run of a recipe, which tells how its test stands at a commit.
//!
//! It has the recipe's id as its name and the run's as its `external_id`. Its id is kept with the
//! run before anything else; when that got lost in a crash it is found again on the commit, and
//! when GitHub lost it a new one is made.

use std::collections::HashMap;

use chrono::{DateTime, SubsecRound, Utc};

use super::jobs::{Cx, github_failure};
use super::links::Links;
use super::rows::feedstocks;
use super::rows::origin::{self, Origin};
use super::rows::recipe_runs::RecipeRun;
use super::text::run::not_run;
use crate::github::Repository;
use crate::github::api::checks::{Action, Conclude, NewCheckRun, Output, Progress};
use crate::jobs::Failure;

/// What `check_run.requested_action` tells when the button is pressed.
pub const RUN_TEST: &str = "run_test";
/// Check runs that are made before anybody asks for the run, per commit. GitHub lets an App create
/// some 80 things in a minute; those of further recipes are made when they are run.
const ANNOUNCED_MAX: usize = 50;
const BUTTON: Action =
    Action { label: "Run test", description: "Run a small part of this recipe", identifier: RUN_TEST };

/// How the test of a recipe stands.
#[derive(Clone, Debug)]
pub struct Face {
    /// What GitHub calls the conclusion, and a button to run it (again); `None` while it runs.
    pub conclusion: Option<&'static str>,
    /// What it shows.
    pub output: Output,
}

/// `external_id` of a recipe's check run.
pub fn external_id(run: i64) -> String {
    format!("recipe-run/{run}")
}

/// Which run a check run with this `external_id` tells of; `None` for those that are no recipe's.
pub fn run_of(external_id: &str) -> Option<i64> {
    external_id.strip_prefix("recipe-run/")?.parse().ok()
}

/// Makes the check runs that `runs`, all on one commit of `repository`, lack: completed and neutral,
/// because nothing happens until somebody asks.
///
/// # Errors
/// When GitHub or the database refuse.
pub async fn announce(cx: &Cx, links: &Links, repository: &Repository, runs: &[RecipeRun]) -> Result<(), Failure> {
    let mut lacking = Vec::new();
    for run in runs.iter().take(ANNOUNCED_MAX) {
        if origin::get(&cx.db, run.id).await?.is_some_and(|origin| origin.check_run_id.is_none()) {
            lacking.push(run);
        }
    }
    let Some(first) = lacking.first() else { return Ok(()) };
    // One that was made and not written down is found by the name that we gave it.
    let there = repository.all_check_runs(&first.head_sha).await.map_err(github_failure)?;
    let there: HashMap<String, i64> =
        there.into_iter().filter_map(|check| Some((check.external_id?, check.id))).collect();
    for run in lacking {
        let id = match there.get(&external_id(run.id)) {
            Some(id) => *id,
            None => {
                let face = Face { conclusion: Some("neutral"), output: not_run(&run.recipe_id) };
                create(repository, links, run, &face, cx.clock.now().trunc_subsecs(0)).await?
            }
        };
        remember(cx, run, id).await?;
    }
    Ok(())
}

/// Makes the check run of `run` show `face`; its id. Idempotent.
///
/// # Errors
/// When the feedstock is gone, or GitHub or the database refuse.
pub async fn show(cx: &Cx, links: &Links, run: &RecipeRun, face: &Face) -> Result<i64, Failure> {
    let feedstock = feedstocks::get(&cx.db, run.feedstock_id).await?;
    let feedstock = feedstock.ok_or_else(|| Failure::permanent(format!("feedstock {} is gone", run.feedstock_id)))?;
    let origin = origin::get(&cx.db, run.id).await?.unwrap_or_default();
    let repository = cx.github()?.repository(&feedstock.spec, origin.installation_id);
    let now = cx.clock.now().trunc_subsecs(0);
    if let Some(known) = origin.check_run_id
        && set(&repository, known, face, now).await?
    {
        return Ok(known);
    }
    let external_id = external_id(run.id);
    let there = repository.check_runs(&run.head_sha, &run.recipe_id).await.map_err(github_failure)?;
    let ours = there.into_iter().find(|check| check.external_id.as_deref() == Some(external_id.as_str()));
    let id = match &ours {
        Some(check) => check.id,
        None => create(&repository, links, run, face, now).await?,
    };
    remember(cx, run, id).await?;
    if ours.is_some() {
        set(&repository, id, face, now).await?;
    }
    Ok(id)
}

async fn create(
    repository: &Repository,
    links: &Links,
    run: &RecipeRun,
    face: &Face,
    now: DateTime<Utc>,
) -> Result<i64, Failure> {
    let new = NewCheckRun {
        name: run.recipe_id.clone(),
        head_sha: run.head_sha.clone(),
        status: if face.conclusion.is_some() { "completed" } else { "in_progress" },
        conclusion: face.conclusion,
        started_at: now,
        external_id: Some(external_id(run.id)),
        details_url: Some(links.dashboard(run)),
        output: face.output.clone(),
        actions: face.conclusion.is_some().then_some(BUTTON).into_iter().collect(),
    };
    Ok(repository.create_check_run(&new).await.map_err(github_failure)?.id)
}

async fn remember(cx: &Cx, run: &RecipeRun, id: i64) -> Result<(), Failure> {
    Ok(origin::set(&cx.db, run.id, &Origin { check_run_id: Some(id), ..Origin::default() }).await?)
}

/// Changes the check run `id`; `false` when GitHub has no such one (any more).
async fn set(repository: &Repository, id: i64, face: &Face, now: DateTime<Utc>) -> Result<bool, Failure> {
    let output = face.output.clone();
    let changed = match face.conclusion {
        Some(conclusion) => {
            let end = Conclude { status: "completed", conclusion, completed_at: now, output, actions: vec![BUTTON] };
            repository.conclude_check_run(id, &end).await
        }
        None => {
            let progress = Progress {
                status: Some("in_progress"),
                started_at: Some(now),
                output: Some(output),
                ..Progress::default()
            };
            repository.update_check_run(id, &progress).await
        }
    };
    match changed {
        Ok(_) => Ok(true),
        Err(error) if error.status() == Some(404) => Ok(false),
        Err(error) => Err(github_failure(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_run_names_its_run() {
        assert_eq!(run_of(&external_id(7)), Some(7));
        assert_eq!(run_of("delivery:1:g:recipes.synchronize"), None);
        assert_eq!(run_of("recipe-run/x"), None);
        // GitHub's limits.
        assert!(BUTTON.label.len() <= 20 && BUTTON.description.len() <= 40 && BUTTON.identifier.len() <= 20);
    }
}
