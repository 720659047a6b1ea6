//! A change was merged into a feedstock: deploy its recipes to production.
//!
//! Each recipe gets a row, a deployment on GitHub and an attempt; each of these is looked for before
//! it is made, so that the job may be begun again anywhere. A recipe that cannot be started does not
//! keep the others from it. What became of them is told on the merged pull request.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::commit::{check_ids, check_text};
use super::pull::NOT_A_RECIPE;
use super::request::request;
use super::tell::keep_comment;
use super::{Cx, MergedPull, github_failure, runner_failure};
use crate::apps::recipes::links::Links;
use crate::apps::recipes::rows::attempts::{self, End, NewAttempt};
use crate::apps::recipes::rows::origin::{self, Origin};
use crate::apps::recipes::rows::recipe_runs::{self, NewRecipeRun, RecipeRun};
use crate::apps::recipes::rows::{Conclusion, bakeries, feedstocks};
use crate::apps::recipes::runner::{ExpandRequest, RunnerFailure};
use crate::apps::recipes::text::production::{self as text, Started};
use crate::github::Repository;
use crate::github::api::deployments::{NewDeployment, NewStatus};
use crate::jobs::job::Retry;
use crate::jobs::{Done, Failure, Job, Task};

/// Under which name is saved what is to be deployed.
const PLAN: &str = "plan";
/// Under which name is saved what became of each recipe.
const RECIPES: &str = "recipes";

/// A change was merged into a feedstock: deploy its recipes to production.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeployProd(pub MergedPull);

/// What is to be deployed.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Plan {
    feedstock_id: i64,
    bakery_id: i64,
    recipes: Vec<String>,
}

/// What became of a recipe.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Outcome {
    /// Its run waits for its bakery.
    Queued(i64),
    /// It cannot be started, because of this.
    Failed(String),
}

/// Why nothing is deployed.
enum Stop {
    /// Somebody must act: the pull request says so.
    Tell(String),
    /// The attempt failed.
    Fail(Failure),
}

impl<E: Into<Failure>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Fail(error.into())
    }
}

impl Job for DeployProd {
    const KIND: &'static str = "recipes.deploy_prod";
    /// Above the longest time that a runner may be given.
    const TIMEOUT: Duration = Duration::from_secs(3600);
    type Cx = Cx;

    async fn run(&self, cx: &Cx, task: &mut Task) -> Result<Done, Failure> {
        if !self.0.changes_only(cx, "feedstock/").await? {
            return Ok(Done(NOT_A_RECIPE.to_owned()));
        }
        let plan = match self.plan(cx, task).await {
            Ok(plan) => plan,
            Err(Stop::Fail(failure)) => return Err(failure),
            Err(Stop::Tell(reason)) => {
                self.comment(cx, &text::failed(&self.0.merge_commit_sha, &reason)).await?;
                return Ok(Done(format!("nothing was started: {reason}")));
            }
        };
        let links = Links::of(cx).await?;
        let mut outcomes: BTreeMap<String, Outcome> = task.saved(RECIPES).unwrap_or_default();
        let mut again: Option<Failure> = None;
        for recipe_id in &plan.recipes {
            // One that failed is tried again when the job is put back.
            if matches!(outcomes.get(recipe_id), Some(Outcome::Queued(_))) {
                continue;
            }
            let outcome = match self.start(cx, &links, &plan, recipe_id).await {
                Ok(run) => Outcome::Queued(run),
                Err(failure) if failure.retry == Retry::Never => {
                    self.fail(cx, &links, &plan, recipe_id, &failure.reason).await?;
                    Outcome::Failed(failure.reason)
                }
                Err(failure) => {
                    again.get_or_insert(failure);
                    continue;
                }
            };
            outcomes.insert(recipe_id.clone(), outcome);
            task.save(RECIPES, &outcomes).await?;
        }
        if let Some(failure) = again {
            return Err(failure);
        }
        self.comment(cx, &self.summary(cx, &links, &plan, &outcomes).await?).await?;
        let queued = outcomes.values().filter(|outcome| matches!(outcome, Outcome::Queued(_))).count();
        Ok(Done(format!("{queued} of {} production runs queued", plan.recipes.len())))
    }

    async fn give_up(&self, cx: &Cx, task: &mut Task, failure: &Failure) {
        if let Err(error) = self.last_words(cx, task, &failure.reason).await {
            tracing::warn!(job = task.id, reason = error.reason, "nobody was told that a deployment failed");
        }
    }
}

impl DeployProd {
    fn repository(&self, cx: &Cx) -> Result<Repository, Failure> {
        Ok(cx.github()?.repository(&self.0.base_full_name, self.0.installation_id))
    }

    /// What is to be deployed, found out once.
    async fn plan(&self, cx: &Cx, task: &mut Task) -> Result<Plan, Stop> {
        if let Some(plan) = task.saved(PLAN) {
            return Ok(plan);
        }
        let runner = cx.runner.as_ref().ok_or_else(|| Failure::permanent("no recipe runner is configured"))?;
        let request = ExpandRequest {
            repo_html_url: self.0.base_html_url.clone(),
            head_sha: self.0.merge_commit_sha.clone(),
            feedstock_subdir: None,
            base_full_name: self.0.base_full_name.clone(),
            installation_id: self.0.installation_id,
        };
        // What is merged has been looked at: its code may be executed where that is set up.
        let expanded = match (runner.expand_meta(&request).await, &cx.trusted_runner) {
            (Err(RunnerFailure::ByCode(_)), Some(trusted)) => trusted.expand_meta(&request).await,
            (expanded, _) => expanded,
        };
        let meta = match expanded {
            Ok(meta) => meta,
            Err(error) => return Err(Stop::Tell(runner_failure(error)?)),
        };
        let feedstock = feedstocks::by_spec(&cx.db, &self.0.base_full_name).await?;
        let name = meta.bakery.map(|bakery| bakery.id);
        let bakery = match &name {
            Some(name) => {
                check_text("bakery", name).map_err(Stop::Tell)?;
                bakeries::by_name(&cx.db, name).await?
            }
            None => None,
        };
        let (Some(feedstock), Some(bakery)) = (&feedstock, bakery) else {
            let spec = &self.0.base_full_name;
            return Err(Stop::Tell(text::not_in_database(spec, feedstock.is_some(), name.as_deref())));
        };
        let recipes: Vec<String> = meta.recipes.into_iter().map(|recipe| recipe.id).collect();
        check_ids(recipes.iter().map(String::as_str)).map_err(Stop::Tell)?;
        let plan = Plan { feedstock_id: feedstock.id, bakery_id: bakery.id, recipes };
        task.save(PLAN, &plan).await?;
        Ok(plan)
    }

    async fn row(&self, cx: &Cx, plan: &Plan, recipe_id: &str) -> Result<RecipeRun, Failure> {
        let (sha, number, now) = (&self.0.merge_commit_sha, self.0.pr_number, cx.clock.now());
        let test = NewRecipeRun::queued_test(recipe_id.to_owned(), plan.feedstock_id, plan.bakery_id, sha, number, now);
        let run = recipe_runs::upsert(&cx.db, &NewRecipeRun { is_test: false, ..test }).await?;
        let origin = Origin {
            repo_html_url: Some(self.0.base_html_url.clone()),
            installation_id: self.0.installation_id,
            ..Origin::default()
        };
        origin::set(&cx.db, run.id, &origin).await?;
        Ok(run)
    }

    /// Starts the production run of a recipe; its row id.
    async fn start(&self, cx: &Cx, links: &Links, plan: &Plan, recipe_id: &str) -> Result<i64, Failure> {
        let repository = self.repository(cx)?;
        let run = self.row(cx, plan, recipe_id).await?;
        let deployment = self.deployment(cx, &repository, links, &run).await?;
        // Before the attempt is asked for, so that it cannot overtake what the bake says.
        if repository.deployment_statuses(deployment).await.map_err(github_failure)?.is_empty() {
            let status = status(links, &run, "queued", format!("Run {} waits for its bakery", run.id));
            repository.create_deployment_status(deployment, &status).await.map_err(github_failure)?;
        }
        // A merge is one reason for one attempt, however often it is delivered.
        let new = NewAttempt { token: format!("deploy-prod/run/{}", run.id), requested_by: None, comment_id: None };
        request(cx, run.id, &new).await?;
        Ok(run.id)
    }

    /// The deployment that stands for a run, noted with it.
    async fn deployment(
        &self,
        cx: &Cx,
        repository: &Repository,
        links: &Links,
        run: &RecipeRun,
    ) -> Result<i64, Failure> {
        if let Some(id) = deployment_of(run) {
            return Ok(id);
        }
        let there = repository.deployments(&run.head_sha, &run.recipe_id).await.map_err(github_failure)?;
        let ours = there.into_iter().find(|deployment| is_of(&deployment.payload, run.id));
        let id = match ours {
            Some(deployment) => deployment.id,
            None => {
                let new = NewDeployment {
                    git_ref: run.head_sha.clone(),
                    environment: run.recipe_id.clone(),
                    description: format!("Recipe run {} of {}", run.id, run.recipe_id),
                    payload: json!({ "recipe_run_id": run.id }),
                };
                repository.create_deployment(&new).await.map_err(github_failure)?.id
            }
        };
        let notes = [("deployment_id", id.into()), ("environment_url", links.dashboard(run).into())];
        origin::note(&cx.db, run.id, &notes).await?;
        Ok(id)
    }

    /// A recipe cannot be started: nothing that is there of it stays open.
    async fn fail(&self, cx: &Cx, links: &Links, plan: &Plan, recipe_id: &str, reason: &str) -> Result<(), Failure> {
        let run = self.row(cx, plan, recipe_id).await?;
        let end = End { conclusion: Conclusion::Failure, reason: None, trace: None, dataset_public_url: None };
        if !attempts::end_unattempted(&cx.db, run.id, &end, cx.clock.now()).await? {
            return Ok(());
        }
        origin::note(&cx.db, run.id, &[("trace", reason.into())]).await?;
        if let Some(deployment) = deployment_of(&run) {
            let status = status(links, &run, "error", format!("Run {} could not be started: {reason}", run.id));
            if let Err(error) = self.repository(cx)?.create_deployment_status(deployment, &status).await {
                tracing::warn!(run = run.id, deployment, %error, "a deployment stays open");
            }
        }
        Ok(())
    }

    /// What became of each recipe, for the pull request.
    async fn summary(
        &self,
        cx: &Cx,
        links: &Links,
        plan: &Plan,
        outcomes: &BTreeMap<String, Outcome>,
    ) -> Result<String, Failure> {
        let mut lines = Vec::with_capacity(plan.recipes.len());
        for recipe_id in &plan.recipes {
            let started = match outcomes.get(recipe_id) {
                Some(Outcome::Queued(id)) => {
                    let run = recipe_runs::get(&cx.db, *id).await?;
                    let url = run.map(|run| links.dashboard(&run)).unwrap_or_default();
                    Started::Queued(*id, url)
                }
                Some(Outcome::Failed(reason)) => Started::Failed(reason.clone()),
                None => Started::Failed(String::new()),
            };
            lines.push((recipe_id.clone(), started));
        }
        Ok(text::summary(&self.0.merge_commit_sha, &lines))
    }

    async fn comment(&self, cx: &Cx, body: &str) -> Result<(), Failure> {
        let of = format!("deploy-prod/{}", self.0.merge_commit_sha);
        keep_comment(&self.repository(cx)?, self.0.pr_number, &of, body).await
    }

    async fn last_words(&self, cx: &Cx, task: &Task, reason: &str) -> Result<(), Failure> {
        let Some(plan) = task.saved::<Plan>(PLAN) else {
            return self.comment(cx, &text::failed(&self.0.merge_commit_sha, reason)).await;
        };
        let links = Links::of(cx).await?;
        let mut outcomes: BTreeMap<String, Outcome> = task.saved(RECIPES).unwrap_or_default();
        for recipe_id in &plan.recipes {
            if !outcomes.contains_key(recipe_id) {
                self.fail(cx, &links, &plan, recipe_id, reason).await?;
                outcomes.insert(recipe_id.clone(), Outcome::Failed(reason.to_owned()));
            }
        }
        self.comment(cx, &self.summary(cx, &links, &plan, &outcomes).await?).await
    }
}

fn deployment_of(run: &RecipeRun) -> Option<i64> {
    origin::notes(run.message.as_deref()).get("deployment_id").and_then(Value::as_i64)
}

/// Whether a deployment with this payload stands for the run. GitHub has given payloads back as text.
fn is_of(payload: &Value, run: i64) -> bool {
    let parsed = payload.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
    parsed.as_ref().unwrap_or(payload).get("recipe_run_id").and_then(Value::as_i64) == Some(run)
}

fn status(links: &Links, run: &RecipeRun, state: &'static str, description: String) -> NewStatus {
    NewStatus { state, environment_url: Some(links.dashboard(run)), log_url: links.logs(run), description }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deployment_is_found_again_by_its_payload() {
        assert!(is_of(&json!({ "recipe_run_id": 7 }), 7));
        assert!(is_of(&json!("{\"recipe_run_id\":7}"), 7));
        for payload in [json!({ "recipe_run_id": 8 }), json!({}), json!(""), json!("7"), Value::Null] {
            assert!(!is_of(&payload, 7), "{payload}");
        }
    }
}
