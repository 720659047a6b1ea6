//! Commits arrive on a pull request: webhook, queued runs, check run.

use crate::apps::recipes::text::checks::CHECK_NAME;
use crate::cli::demo::narrator::Narrator;
use crate::cli::demo::scene::{Mark, Scene, words};
use crate::cli::error::Result;
use crate::util::text;

/// New commits on a pull request.
pub struct Arrival<'a> {
    /// `owner/name` of the pull request's repository.
    pub repo: &'a str,
    /// The newest commit.
    pub sha: &'a str,
    /// What GitHub calls it: `opened` or `synchronize`.
    pub action: &'a str,
    /// Before they were pushed.
    pub mark: Mark,
    /// What becomes of them.
    pub becomes: Becomes<'a>,
}

/// What becomes of commits.
pub enum Becomes<'a> {
    /// A queued run of each of these recipes.
    Queued(&'a [&'a str]),
    /// A check run that says these words.
    Refused(&'a str),
}

/// Tells the three arrows from `first` on. The ids of the runs, in the order of the recipes.
///
/// # Errors
/// When one does not hold.
pub async fn arrive(scene: &Scene, tell: &mut Narrator<'_>, first: u8, what: &Arrival<'_>) -> Result<Vec<i64>> {
    tell.arrow(first, async |checks| {
        let ours = |payload: &serde_json::Value| payload["pull_request"]["head"]["sha"] == what.sha;
        let delivery = scene.delivery(what.mark, "pull_request", what.action, ours).await?;
        scene.taken(checks, &delivery).await
    })
    .await?;
    let ids = tell
        .arrow(first + 1, async |checks| {
            let recipes = match what.becomes {
                Becomes::Queued(recipes) => recipes,
                Becomes::Refused(_) => &[],
            };
            // Once the check run is concluded, all runs that there will be are there.
            scene.concluded(what.repo, what.sha, CHECK_NAME).await?;
            let runs = scene.runs(what.sha).await?;
            let id = |recipe: &&str| runs.iter().find(|run| run["recipe_id"] == **recipe)?["id"].as_i64();
            let ids: Vec<i64> = recipes.iter().filter_map(id).collect();
            let right = ids.len() == recipes.len() && runs.len() == recipes.len();
            let queued = runs.iter().all(|run| run["status"] == "queued" && run["is_test"] == true);
            let told: Vec<String> =
                recipes.iter().zip(&ids).map(|(recipe, id)| format!("{recipe} (run {id})")).collect();
            let told = if told.is_empty() { "none: there is nothing to run".to_owned() } else { told.join(", ") };
            checks.holds(told, right && queued, &runs)?;
            Ok(ids)
        })
        .await?;
    tell.arrow(first + 2, async |checks| {
        let check = scene.concluded(what.repo, what.sha, CHECK_NAME).await?;
        let summary = words(&check["output"]["summary"]);
        match what.becomes {
            Becomes::Queued(recipes) => {
                checks.holds(format!("{CHECK_NAME}: success"), check["conclusion"] == "success", &check)?;
                let linked = ids.iter().all(|id| summary.contains(&format!("/recipe-run/{id}?")));
                checks.quietly("the runs are linked from it", linked, summary)?;
                for recipe in recipes {
                    let check = scene.concluded(what.repo, what.sha, recipe).await?;
                    checks.quietly("its recipes wait to be run", check["conclusion"] == "neutral", &check)?;
                }
                checks.holds("one for each recipe: “Not run yet”", true, ())
            }
            Becomes::Refused(why) => {
                let said = format!("{CHECK_NAME}: failure, “{}”", text::truncate(summary, 60));
                checks.holds(said, check["conclusion"] == "failure" && summary.contains(why), &check)
            }
        }
    })
    .await?;
    Ok(ids)
}
