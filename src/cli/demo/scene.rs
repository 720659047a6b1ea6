//! Who is on the stage, and what can be seen of them from the outside: GitHub's records, and the
//! server's API.

use std::fmt::Debug;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use http::Method;
use serde_json::Value;

use super::acts::Example;
use super::narrator::Checks;
use super::stage::{Server, Site};
use crate::cli::api::Api;
use crate::cli::error::{Error, Result};
use crate::emulator::person::{NewApp, Person};
use crate::github;
use crate::github::auth::Auth;
use crate::util::text;

/// How often a wait looks again.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A point in what GitHub has seen; only what comes after it is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    delivery: i64,
    /// The number of the last call.
    pub call: u64,
}

/// Who is on the stage.
pub struct Scene {
    /// Acts as the people do, and sees what they see.
    pub person: Person,
    /// The App.
    pub app: NewApp,
    /// Speaks as the App, as the commands of pforge do.
    pub client: github::Client,
    /// The server's API, with its admin key.
    pub api: Api,
    /// Where the server has its config and its data.
    pub site: Site,
    /// The server.
    pub server: Server,
    /// What is proposed.
    pub example: &'static Example,
    /// How long anything may take.
    pub patience: Duration,
}

impl Scene {
    /// Starts the server again after it was killed, where GitHub expects it.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn serve_again(&mut self) -> Result {
        let listen = self.server.url.trim_start_matches("http://").to_owned();
        self.server = self.site.serve(&listen).await?;
        Ok(())
    }

    /// The server's address for deliveries.
    pub fn hook(&self) -> String {
        format!("{}/github/hooks/", self.server.url)
    }

    /// Now.
    ///
    /// # Errors
    /// When GitHub does not answer.
    pub async fn mark(&self) -> Result<Mark> {
        let deliveries = self.person.deliveries().await?;
        let calls = self.person.calls().await?;
        Ok(Mark {
            delivery: deliveries.iter().filter_map(|delivery| delivery["id"].as_i64()).max().unwrap_or_default(),
            call: calls.iter().filter_map(|call| call["number"].as_u64()).max().unwrap_or_default(),
        })
    }

    /// Looks again and again until `look` finds something.
    ///
    /// # Errors
    /// When it does not within [`Scene::patience`]: what was waited for, and which jobs failed.
    pub async fn wait<T>(&self, what: &str, mut look: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
        let deadline = Instant::now() + self.patience;
        loop {
            if let Some(found) = look().await? {
                return Ok(found);
            }
            if Instant::now() >= deadline {
                let told = Error::failure(format!("waited {} in vain for {what}", text::duration(self.patience)));
                return Err(self.troubles().await.into_iter().fold(told, Error::because));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// The jobs that failed, with their reasons.
    async fn troubles(&self) -> Vec<String> {
        let jobs = self.jobs(&[]).await.unwrap_or_default();
        let failed = jobs.iter().filter_map(|job| Some((job, job["last_error"].as_str()?)));
        failed.map(|(job, error)| format!("job {} ({}): {error}", job["id"], words(&job["kind"]))).collect()
    }

    /// The first delivery of this event and action after `mark` that `fits`, once it is answered.
    ///
    /// # Errors
    /// When there is none in time.
    pub async fn delivery(
        &self,
        mark: Mark,
        event: &str,
        action: &str,
        fits: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        let wanted = |delivery: &Value| {
            let named = delivery["event"] == event && delivery["action"] == action && fits(&delivery["payload"]);
            named && !delivery["status"].is_null()
        };
        self.wait(&format!("the delivery of {event}.{action}"), async || {
            Ok(self.person.deliveries_after(mark.delivery).await?.into_iter().find(&wanted))
        })
        .await
    }

    /// Checks that a delivery was taken, and kept as it was sent.
    ///
    /// # Errors
    /// When it was not.
    pub async fn taken(&self, checks: &mut Checks, delivery: &Value) -> Result {
        checks.holds("answered 202", delivery["status_code"] == 202, delivery)?;
        let guid = words(&delivery["guid"]);
        let kept = self.api.bytes(&format!("/deliveries/{guid}/payload")).await?;
        let sent = words(&delivery["body"]);
        checks.holds("kept byte for byte", !sent.is_empty() && kept == sent.as_bytes(), guid)
    }

    /// The first call of the App after `mark` that `fits`, of this method, whose path begins with
    /// `path` and which succeeded.
    ///
    /// # Errors
    /// When there is none in time.
    pub async fn call(&self, mark: Mark, method: &str, path: &str, fits: impl Fn(&Value) -> bool) -> Result<Value> {
        self.wait(&format!("the call {method} {path}"), async || {
            let calls = self.calls(mark, method, path).await?;
            Ok(calls.into_iter().find(&fits))
        })
        .await
    }

    /// The calls of the App after `mark`, of this method, whose path begins with `path` and which
    /// succeeded.
    ///
    /// # Errors
    /// When GitHub does not answer.
    pub async fn calls(&self, mark: Mark, method: &str, path: &str) -> Result<Vec<Value>> {
        let calls = self.person.calls_after(mark.call).await?;
        let wanted = |call: &Value| {
            let succeeded = call["status"].as_u64().is_some_and(|status| (200..300).contains(&status));
            call["method"] == method && words(&call["path"]).starts_with(path) && succeeded
        };
        Ok(calls.into_iter().filter(wanted).collect())
    }

    /// The check run called `name` on `sha`, once it is completed.
    ///
    /// # Errors
    /// When there is none in time.
    pub async fn concluded(&self, repo: &str, sha: &str, name: &str) -> Result<Value> {
        self.wait(&format!("the check run {name} of {sha} to be completed"), async || {
            let runs = self.person.check_runs(repo, sha).await?;
            Ok(runs.into_iter().find(|run| run["name"] == name && run["status"] == "completed"))
        })
        .await
    }

    /// Jobs that the query names, newest first.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn jobs(&self, query: &[(&str, &str)]) -> Result<Vec<Value>> {
        let mut pairs = vec![("limit", "1000".to_owned())];
        pairs.extend(query.iter().map(|(name, value)| (*name, (*value).to_owned())));
        Ok(items(&self.api.get("/jobs", &pairs).await?["items"]))
    }

    /// The job of this kind that `fits`, once it is done.
    ///
    /// # Errors
    /// When there is none in time.
    pub async fn done(&self, kind: &str, fits: impl Fn(&Value) -> bool) -> Result<Value> {
        self.wait(&format!("a job {kind} to be done"), async || {
            let jobs = self.jobs(&[("kind", kind), ("state", "done")]).await?;
            Ok(jobs.into_iter().find(|job| fits(&job["payload"])))
        })
        .await
    }

    /// The recipe runs at `sha`, by id.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn runs(&self, sha: &str) -> Result<Vec<Value>> {
        let all = self.api.get("/recipe_runs/", &[("limit", "100".to_owned())]).await?;
        let mut runs: Vec<Value> = items(&all).into_iter().filter(|run| run["head_sha"] == sha).collect();
        runs.sort_by_key(|run| run["id"].as_i64());
        Ok(runs)
    }

    /// The run with this id, once it `fits`.
    ///
    /// # Errors
    /// When it does not in time.
    pub async fn run(&self, id: i64, what: &str, fits: impl Fn(&Value) -> bool) -> Result<Value> {
        self.wait(&format!("recipe run {id} {what}"), async || {
            let run = self.api.get(&format!("/recipe_runs/{id}"), &[]).await?;
            Ok(fits(&run).then_some(run))
        })
        .await
    }

    /// How many pull requests `repo` has and had.
    ///
    /// # Errors
    /// When GitHub does not answer.
    pub async fn pulls(&self, repo: &str) -> Result<usize> {
        let path = format!("/repos/{repo}/pulls?state=all&per_page=100");
        let answer = self.client.request(Auth::Anonymous, Method::GET, &path, None).await?;
        let pulls: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        Ok(items(&pulls).len())
    }

    /// Waits until GitHub has delivered everything and no job is left to do; the deliveries.
    ///
    /// # Errors
    /// When that does not happen in time.
    pub async fn settled(&self) -> Result<Vec<Value>> {
        self.wait("everything to be done", async || {
            let sent = self.person.settled(self.patience).await?;
            let open = |job: &Value| job["state"] == "ready" || job["state"] == "running";
            let idle = !self.jobs(&[]).await?.iter().any(open);
            // A job may cause a delivery, and a delivery a job.
            let same = self.person.settled(self.patience).await?.len() == sent.len();
            Ok((idle && same).then_some(sent))
        })
        .await
    }

    /// Where the dataset of a run is on disk.
    ///
    /// # Errors
    /// When the run names none here.
    pub fn dataset(&self, run: &Value) -> Result<PathBuf> {
        let url = words(&run["dataset_public_url"]);
        let path = url.strip_prefix("file://").map(PathBuf::from).filter(|path| path.starts_with(self.site.data()));
        path.ok_or_else(|| not_there("a dataset in the demo's folder", &run["dataset_public_url"]))
    }
}

/// What is missing, with what is there instead.
pub fn not_there(what: &str, seen: impl Debug) -> Error {
    Error::failure(format!("there is no {what}")).because(format!("seen: {seen:?}"))
}

/// The text of a value that is one.
pub fn words(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The items of a value that is a list.
pub fn items(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}
