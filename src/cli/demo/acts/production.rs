//! A feedstock's pull request was merged: its recipes run in production.

use serde_json::Value;

use super::FEEDSTOCK;
use crate::cli::demo::acts::test_run::runner_said;
use crate::cli::demo::narrator::{Checks, Narrator};
use crate::cli::demo::scene::{Mark, Scene, not_there, words};
use crate::cli::error::Result;

/// A merge into the feedstock.
#[derive(Clone, Copy)]
pub struct Merged<'a> {
    /// Before it.
    pub mark: Mark,
    /// Number of the pull request.
    pub number: i64,
    /// The commit that merged it.
    pub sha: &'a str,
}

/// Tells the first production runs: arrows 23 to 29. The runs as they are afterwards.
///
/// # Errors
/// When one does not hold.
pub async fn first(scene: &Scene, tell: &mut Narrator<'_>, merged: Merged<'_>) -> Result<Vec<Value>> {
    tell.arrow(23, async |checks| webhook(scene, checks, merged).await).await?;
    let runs = tell
        .arrow(24, async |checks| {
            let runs = created(scene, merged).await?;
            let told: Vec<String> =
                runs.iter().map(|run| format!("{} (run {})", words(&run["recipe_id"]), run["id"])).collect();
            checks.holds(told.join(", "), runs.iter().all(|run| run["is_test"] == false), &runs)?;
            Ok(runs)
        })
        .await?;
    tell.arrow(25, async |checks| {
        for recipe in scene.example.recipes {
            let id = deployment(scene, merged, recipe).await?;
            checks.quietly("a deployment of each", id > 0, id)?;
        }
        checks.holds(format!("environments {}", scene.example.recipes.join(", ")), true, ())
    })
    .await?;
    tell.arrow(26, async |checks| {
        for run in &runs {
            let said = runner_said(scene, id_of(run)).await?;
            checks.quietly("the runner works", said.contains(words(&run["recipe_id"])), &said)?;
        }
        checks.holds(
            format!("runner: “Running job for recipe …”, for {}", scene.example.recipes.join(" and ")),
            true,
            (),
        )
    })
    .await?;
    tell.arrow(27, async |checks| {
        for run in &runs {
            reported(scene, checks, run).await?;
        }
        checks.holds("success, of each", true, ())
    })
    .await?;
    let ended = tell
        .arrow(28, async |checks| {
            let ended = completed(scene, checks, &runs).await?;
            checks.holds("completed: success, each with its dataset", true, ())?;
            Ok(ended)
        })
        .await?;
    tell.arrow(29, async |checks| {
        for recipe in scene.example.recipes {
            deployed(scene, checks, merged, recipe).await?;
        }
        checks.holds("each environment: success, linked to its run", true, ())
    })
    .await?;
    Ok(ended)
}

/// Tells that production runs again: arrows 13 and 14 of the second diagram.
///
/// # Errors
/// When one does not hold.
pub async fn again(scene: &Scene, tell: &mut Narrator<'_>, merged: Merged<'_>) -> Result<Vec<Value>> {
    tell.arrow(13, async |checks| webhook(scene, checks, merged).await).await?;
    tell.arrow(14, async |checks| {
        let runs = created(scene, merged).await?;
        let ids: Vec<String> = runs.iter().map(|run| run["id"].to_string()).collect();
        checks.holds(format!("runs {}", ids.join(", ")), runs.iter().all(|run| run["is_test"] == false), &runs)?;
        for run in &runs {
            reported(scene, checks, run).await?;
        }
        let ended = completed(scene, checks, &runs).await?;
        checks.holds("completed: success", true, ())?;
        for recipe in scene.example.recipes {
            deployed(scene, checks, merged, recipe).await?;
        }
        checks.holds("deployments: success", true, ())?;
        Ok(ended)
    })
    .await
}

async fn webhook(scene: &Scene, checks: &mut Checks, merged: Merged<'_>) -> Result {
    let ours = |payload: &Value| {
        let pull = &payload["pull_request"];
        payload["repository"]["full_name"] == FEEDSTOCK && pull["number"] == merged.number && pull["merged"] == true
    };
    let delivery = scene.delivery(merged.mark, "pull_request", "closed", ours).await?;
    scene.taken(checks, &delivery).await
}

/// The production runs of the merge, in the order of the recipes.
async fn created(scene: &Scene, merged: Merged<'_>) -> Result<Vec<Value>> {
    let recipes = scene.example.recipes;
    scene
        .wait("the production runs", async || {
            let runs = scene.runs(merged.sha).await?;
            let of = |recipe: &str| runs.iter().find(|run| run["recipe_id"] == recipe).cloned();
            let found: Vec<Value> = recipes.iter().filter_map(|recipe| of(recipe)).collect();
            Ok((found.len() == recipes.len() && runs.len() == recipes.len()).then_some(found))
        })
        .await
}

/// The id of the deployment of a recipe.
async fn deployment(scene: &Scene, merged: Merged<'_>, recipe: &str) -> Result<i64> {
    let ours = |call: &Value| call["response"]["environment"] == recipe;
    let path = format!("/repos/{FEEDSTOCK}/deployments");
    let call = scene.call(merged.mark, "POST", &path, ours).await?;
    call["response"]["id"].as_i64().ok_or_else(|| not_there("id of the deployment", &call))
}

async fn reported(scene: &Scene, checks: &mut Checks, run: &Value) -> Result {
    let job = scene.done("recipes.report", |payload| payload["recipe_run_id"] == run["id"]).await?;
    checks.quietly("its bakery reports success", job["payload"]["conclusion"] == "success", &job)
}

async fn completed(scene: &Scene, checks: &mut Checks, runs: &[Value]) -> Result<Vec<Value>> {
    let mut ended = Vec::new();
    for run in runs {
        let run = scene.run(id_of(run), "to be completed", |run| run["status"] == "completed").await?;
        checks.quietly("it succeeded", run["conclusion"] == "success", &run)?;
        checks.quietly("it has a dataset", scene.dataset(&run).is_ok(), &run["dataset_public_url"])?;
        ended.push(run);
    }
    Ok(ended)
}

/// The newest status of the recipe's deployment is success, and leads to its run.
async fn deployed(scene: &Scene, checks: &mut Checks, merged: Merged<'_>, recipe: &str) -> Result {
    let id = deployment(scene, merged, recipe).await?;
    let path = format!("/repos/{FEEDSTOCK}/deployments/{id}/statuses");
    let ended = |call: &Value| call["request"]["state"] == "success";
    let call = scene.call(merged.mark, "POST", &path, ended).await?;
    let linked = words(&call["request"]["environment_url"]).contains("/recipe-run/");
    checks.quietly("it is linked to its run", linked, &call["request"])
}

fn id_of(run: &Value) -> i64 {
    run["id"].as_i64().unwrap_or_default()
}
