//! Somebody comments `/run RECIPE_ID`: the bakery is asked, answers, and the pull request is told.

use serde_json::Value;

use super::asides::reacted;
use crate::cli::demo::narrator::Narrator;
use crate::cli::demo::scene::{Scene, words};
use crate::cli::error::{Error, Result};
use crate::util::text;

/// A test run that is asked for.
pub struct Asked<'a> {
    /// `owner/name` of the pull request's repository.
    pub repo: &'a str,
    /// Number of the pull request.
    pub number: i64,
    /// Its newest commit.
    pub sha: &'a str,
    /// Which recipe.
    pub recipe: &'a str,
    /// The recipe's run.
    pub run: i64,
    /// Who asks.
    pub by: &'a str,
    /// How it ends.
    pub ends: Ends<'a>,
}

/// How a run ends.
#[derive(Clone, Copy)]
pub enum Ends<'a> {
    /// With a dataset.
    Success,
    /// With these words in what the pull request is told.
    Failure(&'a str),
}

impl Ends<'_> {
    fn conclusion(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure(_) => "failure",
        }
    }
}

/// Asks, and tells the seven arrows from `first` on. The run as it is afterwards.
///
/// # Errors
/// When one does not hold.
pub async fn test(scene: &Scene, tell: &mut Narrator<'_>, first: u8, asked: &Asked<'_>) -> Result<Value> {
    let Asked { repo, number, sha, recipe, run, .. } = *asked;
    let conclusion = asked.ends.conclusion();
    let mark = scene.mark().await?;
    let comment = tell
        .arrow(first, async |checks| {
            let command = format!("/run {recipe}");
            let comment = scene.person.comment(repo, number, &command, Some(asked.by)).await?;
            checks.holds(format!("“{command}” on #{number}"), comment > 0, comment)?;
            Ok(comment)
        })
        .await?;
    tell.arrow(first + 1, async |checks| {
        let ours = |payload: &Value| payload["comment"]["id"] == comment;
        let delivery = scene.delivery(mark, "issue_comment", "created", ours).await?;
        scene.taken(checks, &delivery).await
    })
    .await?;
    tell.arrow(first + 2, async |checks| {
        let begun = scene.run(run, "to be begun", |run| run["status"] != "queued").await?;
        checks.holds(format!("run {run}"), begun["recipe_id"] == recipe, &begun)?;
        // The state may be over already; that it was there is in GitHub's records.
        let shown = |call: &Value| {
            let (request, response) = (&call["request"], &call["response"]);
            request["status"] == "in_progress" && response["name"] == recipe && response["head_sha"] == sha
        };
        scene.call(mark, "PATCH", &format!("/repos/{repo}/check-runs/"), shown).await?;
        checks.holds(format!("the check run {recipe} shows it"), true, ())
    })
    .await?;
    tell.arrow(first + 3, async |checks| {
        let job = format!("a bake of run {run}");
        scene
            .wait(&job, async || {
                let bakes = scene.jobs(&[("kind", "recipes.bake")]).await?;
                Ok(bakes.iter().any(|job| job["payload"]["recipe_run_id"] == run).then_some(()))
            })
            .await?;
        let said = runner_said(scene, run).await?;
        checks.holds(format!("runner: “{said}”"), !said.is_empty(), &said)
    })
    .await?;
    tell.arrow(first + 4, async |checks| {
        let ours = |payload: &Value| payload["recipe_run_id"] == run;
        let job = scene.done("recipes.report", ours).await?;
        let said = match words(&job["payload"]["reason"]) {
            "" => conclusion.to_owned(),
            reason => format!("{conclusion}: {}", text::truncate(reason, 60)),
        };
        checks.holds(said, job["payload"]["conclusion"] == conclusion, &job)
    })
    .await?;
    let ended = tell
        .arrow(first + 5, async |checks| {
            let ended = scene.run(run, "to be completed", |run| run["status"] == "completed").await?;
            checks.holds(format!("completed: {conclusion}"), ended["conclusion"] == conclusion, &ended)?;
            Ok(ended)
        })
        .await?;
    tell.arrow(first + 6, async |checks| {
        let told = scene
            .wait("the comment that tells how it ended", async || {
                let comments = scene.person.comments(repo, number).await?;
                let ours = |comment: &Value| words(&comment["body"]).contains(&format!("recipe-run/{run}/attempt/"));
                Ok(comments.into_iter().find(ours))
            })
            .await?;
        let body = words(&told["body"]);
        match asked.ends {
            Ends::Success => checks.holds("a comment that opens the dataset", body.contains("open_dataset"), body)?,
            Ends::Failure(why) => {
                checks.holds("a comment with the trace", body.contains(why), body)?;
                reacted(scene, repo, number, comment, "confused").await?;
                checks.holds("😕", true, ())?;
            }
        }
        let check = scene.concluded(repo, sha, recipe).await?;
        checks.holds(format!("check run {recipe}: {conclusion}"), check["conclusion"] == conclusion, &check)
    })
    .await?;
    Ok(ended)
}

/// The line of a run's log that says that the runner works, or the last one when it never did.
///
/// # Errors
/// When the runner says nothing in time.
pub async fn runner_said(scene: &Scene, run: i64) -> Result<String> {
    scene
        .wait(&format!("the log of run {run}"), async || {
            // Before the log: one that is over does not grow any more.
            let over = scene.api.get(&format!("/recipe_runs/{run}"), &[]).await?["status"] == "completed";
            let log = scene.api.bytes(&format!("/recipe_runs/{run}/logs")).await.unwrap_or_default();
            let log = String::from_utf8_lossy(&log).into_owned();
            let mut lines = log.lines().map(str::trim).filter(|line| !line.is_empty());
            let works = lines.clone().find(|line| line.contains("Running job for recipe"));
            let last = || lines.next_back().filter(|_| over);
            match works.or_else(last) {
                None if over => Err(said_nothing(scene, run).await?),
                line => Ok(line.map(|line| text::truncate(line, 60))),
            }
        })
        .await
}

/// The run is over, and nothing is in its log: it never came to that.
async fn said_nothing(scene: &Scene, run: i64) -> Result<Error> {
    let reports = scene.jobs(&[("kind", "recipes.report")]).await?;
    let report = reports.iter().find(|job| job["payload"]["recipe_run_id"] == run);
    let payload = report.map_or(&Value::Null, |job| &job["payload"]);
    let reason = Some(words(&payload["reason"])).filter(|reason| !reason.is_empty());
    let reason = reason.unwrap_or_else(|| words(&payload["conclusion"]));
    Ok(Error::failure(format!("the runner said nothing, and run {run} is over")).because(reason))
}
