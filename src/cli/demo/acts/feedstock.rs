//! The proposal is merged: the server makes its feedstock.

use serde_json::{Value, json};

use super::{FEEDSTOCK, FOLDER, ORG, STAGED};
use crate::cli::demo::fail::{self, Fail};
use crate::cli::demo::narrator::Narrator;
use crate::cli::demo::scene::{Mark, Scene, items, not_there, words};
use crate::cli::error::Result;
use crate::emulator::person::OpenedPull;
use crate::github::auth::Auth;

/// A feedstock that was made.
pub struct Made {
    /// Before the proposal was merged.
    pub mark: Mark,
    /// Number of the pull request that brought the recipe.
    pub number: i64,
    /// The commit that merged it.
    pub sha: String,
}

/// Merges the proposal, and tells arrows 16 to 22 in the order in which they happen: the feedstock
/// has the recipe before staged-recipes loses it.
///
/// # Errors
/// When one does not hold.
pub async fn create(
    scene: &mut Scene,
    tell: &mut Narrator<'_>,
    pull: &OpenedPull,
    trouble: Option<Fail>,
) -> Result<Made> {
    let mark = scene.mark().await?;
    if let Some(trouble) = trouble {
        fail::prepare(scene, tell, trouble).await?;
    }
    tell.arrow(16, async |checks| {
        let sha = scene.person.merge(STAGED, pull.number).await?;
        checks.holds(format!("#{} into main", pull.number), !sha.is_empty(), &sha)
    })
    .await?;
    tell.arrow(17, async |checks| {
        let ours = |payload: &Value| {
            payload["pull_request"]["number"] == pull.number && payload["repository"]["full_name"] == STAGED
        };
        let delivery = scene.delivery(mark, "pull_request", "closed", ours).await?;
        checks.quietly("it was merged", delivery["payload"]["pull_request"]["merged"] == true, &delivery)?;
        scene.taken(checks, &delivery).await
    })
    .await?;
    tell.arrow(18, async |checks| {
        let there = scene.wait("the repository", async || Ok(github(scene, "").await?)).await?;
        checks.holds(words(&there["full_name"]), there["owner"]["login"] == ORG, &there)
    })
    .await?;
    tell.arrow(19, async |checks| {
        let row = scene
            .wait("the feedstock's row", async || {
                let rows = items(&scene.api.get("/feedstocks/", &[]).await?);
                Ok(rows.into_iter().find(|row| row["spec"] == FEEDSTOCK))
            })
            .await?;
        checks.holds(format!("feedstock {}", row["id"]), row["id"].is_i64(), &row)
    })
    .await?;
    if trouble == Some(Fail::Crash) {
        fail::crash(scene, tell).await?;
    }
    let number = tell
        .arrow(20, async |checks| {
            let opened = scene.call(mark, "POST", &format!("/repos/{FEEDSTOCK}/pulls"), |_| true).await?;
            let number = opened["response"]["number"].as_i64().ok_or_else(|| not_there("number", &opened))?;
            let files = github(scene, &format!("/pulls/{number}/files")).await?.unwrap_or_default();
            let names: Vec<String> = items(&files).iter().map(|file| words(&file["filename"]).to_owned()).collect();
            let both =
                ["feedstock/recipe.py", "feedstock/meta.yaml"].iter().all(|name| names.iter().any(|n| n == name));
            checks.holds(format!("#{number}: {}", names.join(", ")), both, &files)?;
            Ok(number)
        })
        .await?;
    let sha = tell
        .arrow(22, async |checks| {
            let path = format!("/repos/{FEEDSTOCK}/pulls/{number}/merge");
            let merged = scene.call(mark, "PUT", &path, |call| call["response"]["merged"] == true).await?;
            let sha = words(&merged["response"]["sha"]).to_owned();
            checks.holds(format!("#{number}, by itself"), !sha.is_empty(), &merged)?;
            Ok(sha)
        })
        .await?;
    tell.arrow(21, async |checks| {
        let path = format!("/repos/{STAGED}/pulls/");
        let merged = scene.call(mark, "PUT", &path, |call| call["response"]["merged"] == true).await?;
        let cleanup = words(&merged["path"]).trim_end_matches("/merge").rsplit('/').next().unwrap_or_default();
        let left = scene.client.request(Auth::Anonymous, http::Method::GET, &contents(STAGED, FOLDER), None).await;
        let gone = left.as_ref().is_err_and(|error| error.status() == Some(404));
        checks.holds(format!("{FOLDER} is gone, by #{cleanup}"), gone, left.err())
    })
    .await?;
    if let Some(trouble) = trouble {
        fail::mended(scene, tell, trouble, mark).await?;
    }
    Ok(Made { mark, number, sha })
}

fn contents(repo: &str, path: &str) -> String {
    format!("/repos/{repo}/contents/{path}")
}

/// What anybody sees at `rest` of the feedstock's repository; `None` when it is not there.
async fn github(scene: &Scene, rest: &str) -> Result<Option<Value>> {
    let path = format!("/repos/{FEEDSTOCK}{rest}");
    match scene.client.request(Auth::Anonymous, http::Method::GET, &path, None).await {
        Ok(answer) => Ok(Some(serde_json::from_slice(&answer.body).unwrap_or(json!(null)))),
        Err(error) if error.status() == Some(404) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
