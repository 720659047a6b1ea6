//! The end: nothing is left over, and the dataset opens.

use serde_json::{Value, json};

use super::FEEDSTOCK;
use crate::cli::demo::dataset;
use crate::cli::demo::narrator::Narrator;
use crate::cli::demo::scene::{Scene, items, not_there, words};
use crate::cli::error::Result;
use crate::util::text::plural;

/// Looks at all that is there when nothing is left to do.
///
/// # Errors
/// When anything was lost, left open or not understood.
pub async fn settle(scene: &Scene, tell: &mut Narrator<'_>) -> Result {
    tell.aside("settle", "nothing is left over", async |checks| {
        let sent = scene.settled().await?;
        let jobs = scene.jobs(&[]).await?;
        let done = jobs.iter().filter(|job| job["state"] == "done").count();
        checks.holds(format!("{} done", plural(done as u64, "job")), done == jobs.len(), &jobs)?;
        let unknown = scene.person.unknown().await?;
        checks.holds("GitHub understood every call", unknown.is_empty(), &unknown)?;
        let kept = items(&scene.api.get("/deliveries", &[("limit", "1000".to_owned())]).await?["items"]);
        for delivery in sent.iter().filter(|d| d["status_code"] != 401 && d["event"] != "ping") {
            let there = kept.iter().any(|k| k["guid"] == delivery["guid"]);
            checks.quietly("every delivery is kept", there, delivery)?;
        }
        checks.holds(format!("{} deliveries, none lost", kept.len()), true, ())
    })
    .await
}

/// Opens the dataset of a production run, and sums up.
///
/// # Errors
/// When it does not open.
pub async fn sum_up(scene: &Scene, tell: &mut Narrator<'_>, runs: &[Value]) -> Result {
    let recipe = scene.example.recipes[0];
    let run = runs.iter().find(|run| run["recipe_id"] == recipe).ok_or_else(|| not_there("run", runs))?;
    let opened = tell
        .aside("dataset", "the dataset of production is opened", async |checks| {
            let path = scene.dataset(run)?;
            let variables = dataset::open(&path)?;
            let variable = variables.iter().find(|variable| variable.name == "sst").or(variables.first());
            let variable = variable.map(ToString::to_string).unwrap_or_default();
            checks.holds(variable.clone(), !variable.is_empty(), &variables)?;
            Ok((path, variable))
        })
        .await?;
    let runs = items(&scene.api.get("/recipe_runs/", &[("limit", "100".to_owned())]).await?);
    let tests = runs.iter().filter(|run| run["is_test"] == true && run["status"] == "completed").count();
    let production = runs.iter().filter(|run| run["is_test"] == false && run["conclusion"] == "success").count();
    let pulls = scene.pulls(super::STAGED).await? + scene.pulls(FEEDSTOCK).await?;
    let (path, variable) = opened;
    let facts = [
        ("dataset", format!("{variable} · {}", words(&run["dataset_public_url"]))),
        ("feedstock", format!("{FEEDSTOCK}, made from {}", super::STAGED)),
        ("pull requests", pulls.to_string()),
        (
            "recipe runs",
            format!("{tests} tests, {production} in production, {} queued", runs.len() - tests - production),
        ),
    ];
    let document = json!({
        "dataset": { "path": path, "variable": variable },
        "repositories": [super::STAGED, FEEDSTOCK],
        "pull_requests": pulls,
        "recipe_runs": { "tests": tests, "production": production },
    });
    tell.summary(&facts, document)
}
