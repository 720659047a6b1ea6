//! The App's check runs, found over the repositories of its installations.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::{StreamExt, TryStreamExt, stream};
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::as_app::here::named;
use super::as_app::trouble;
use super::cx::Cx;
use super::error::{Error, Kind, Result};
use super::ui::Tone;
use crate::github::api::checks::{CheckRun, Finish};
use crate::github::{self, Auth, Client, Target};

/// Calls under way at the same time.
const CALLS: usize = 8;

/// A run with where it is.
#[derive(Clone, Debug)]
pub struct Found {
    /// `owner/repo`.
    pub repo: String,
    /// The run.
    pub run: CheckRun,
}

/// A run that is named on the command line: its id, or its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// `owner/repo`, when the address says it.
    pub repo: Option<String>,
    /// Its id.
    pub id: i64,
}

/// A part of what GitHub says about a branch or a pull request.
#[derive(Deserialize)]
struct Tip {
    #[serde(alias = "commit")]
    head: Commit,
}

#[derive(Deserialize)]
struct Commit {
    sha: String,
}

impl std::str::FromStr for Named {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let trouble = || "not the id or the address of a check run".to_owned();
        let path = text.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
        let mut parts = path.rsplit('/');
        let id = parts.next().and_then(|id| id.parse().ok()).ok_or_else(trouble)?;
        let repo = match parts.next() {
            None => None,
            Some("runs" | "check-runs") => {
                let (repo, owner) = (parts.next().ok_or_else(trouble)?, parts.next().ok_or_else(trouble)?);
                Some(format!("{owner}/{repo}"))
            }
            Some(_) => return Err(trouble()),
        };
        Ok(Self { repo, id })
    }
}

impl Found {
    /// How long the run has been going on; nothing when it is over or has not begun.
    pub fn age(&self, now: DateTime<Utc>) -> Option<Duration> {
        if self.run.is_completed() {
            return None;
        }
        (now - self.run.started_at?).to_std().ok()
    }

    /// Whether the run has been going on for `limit` at least.
    pub fn is_stale(&self, now: DateTime<Utc>, limit: Duration) -> bool {
        self.age(now).is_some_and(|age| age >= limit)
    }

    /// The run as JSON.
    pub fn to_json(&self, now: DateTime<Utc>, limit: Duration) -> Value {
        let run = &self.run;
        json!({
            "id": run.id, "repo": self.repo, "name": run.name, "status": run.status, "conclusion": run.conclusion,
            "head_sha": run.head_sha, "external_id": run.external_id, "started_at": run.started_at,
            "completed_at": run.completed_at, "stale": self.is_stale(now, limit), "html_url": run.html_url,
        })
    }

    /// `12 mock-check on alice/mock@2d47960`.
    pub fn describe(&self) -> String {
        let commit: String = self.run.head_sha.chars().take(7).collect();
        format!("{} {} on {}@{commit}", self.run.id, self.run.name, self.repo)
    }

    /// The colour of its state.
    pub fn tone(&self, stale: bool) -> Tone {
        match (self.run.conclusion.as_deref(), stale) {
            (_, true) => Tone::Warn,
            (Some("success"), _) => Tone::Good,
            (Some("failure" | "timed_out" | "action_required"), _) => Tone::Bad,
            _ => Tone::Dim,
        }
    }
}

/// The repositories to look at: the one that is named, else all that the installations cover.
///
/// # Errors
/// When there is none.
pub async fn repositories(cx: &Cx, client: &Client, repo: Option<&str>) -> Result<Vec<String>> {
    if let Some(repo) = repo {
        let full_name = named(repo, "--repo")?;
        return match client.repository_installation(&full_name).await? {
            Some(_) => Ok(vec![full_name]),
            None => Err(trouble::not_installed(client, &full_name).await),
        };
    }
    let mut all = Vec::new();
    let installations = client.installations().await?;
    if installations.is_empty() {
        return Err(trouble::not_installed(client, "any account").await);
    }
    for installation in installations {
        if installation.suspended_at.is_some() {
            cx.ui.warn(format!("installation {} is suspended: its repositories are left out", installation.id));
            continue;
        }
        let covered = client.covered_repositories(installation.id).await?;
        all.extend(covered.into_iter().filter(|repo| !repo.archived).map(|repo| repo.full_name));
    }
    Ok(all)
}

/// The commits of a repository on which a run may wait for its end: the tips of its branches and
/// of its open pull requests. What the App may not see is told and left out.
///
/// # Errors
/// When GitHub cannot be asked.
async fn tips(cx: &Cx, client: &Client, repo: &str) -> Result<BTreeSet<String>> {
    let repository = client.repository(repo, None);
    let mut shas = BTreeSet::new();
    for (rest, what) in [("branches", "branches"), ("pulls", "open pull requests")] {
        let call = repository.call(Method::GET, rest)?.query("per_page", 100);
        match client.list::<Tip>(&call).await {
            Ok(tips) => shas.extend(tips.into_iter().map(|tip| tip.head.sha)),
            Err(error) if is_hidden(&error) => {
                tracing::debug!(repo, what, %error, "left out");
                if what == "branches" {
                    cx.ui.warn(format!("the App may not see the {what} of {repo}: runs there are left out"));
                }
            }
            Err(error) => {
                return Err(trouble::explained(client, call.auth(), &format!("/repos/{repo}/{rest}"), error).await);
            }
        }
    }
    Ok(shas)
}

/// Whether the App may not see what it asked for; a suspended installation and a rate limit are more than that.
fn is_hidden(error: &github::Error) -> bool {
    matches!(error, github::Error::Status(status) if matches!(status.status, 403 | 404)
        && status.retry_after.is_none()
        && !status.path.ends_with("/access_tokens"))
}

/// The head of the pull request `number`.
///
/// # Errors
/// When GitHub refuses or cannot be asked.
pub async fn head_of(client: &Client, repo: &str, number: u64) -> Result<String> {
    let call = client.repository(repo, None).call(Method::GET, &format!("pulls/{number}"))?;
    match client.fetch::<Tip>(&call).await {
        Ok(pull) => Ok(pull.head.sha),
        Err(error) => {
            Err(trouble::explained(client, call.auth(), &format!("/repos/{repo}/pulls/{number}"), error).await)
        }
    }
}

/// The runs of the App `app` in `repo`: on `git_ref`, else on every tip. Newest first.
///
/// # Errors
/// When GitHub refuses or cannot be asked.
pub async fn runs(cx: &Cx, client: &Client, app: u64, repo: &str, git_ref: Option<&str>) -> Result<Vec<Found>> {
    let refs = match git_ref {
        Some(git_ref) => [git_ref.to_owned()].into(),
        None => tips(cx, client, repo).await?,
    };
    let repository = client.repository(repo, None);
    let calls = stream::iter(refs).map(|git_ref| {
        let repository = repository.clone();
        async move {
            match repository.check_runs_of_app(&git_ref, app).await {
                Ok(runs) => Ok(runs),
                Err(error) => {
                    let auth =
                        Auth::installation(Target::Repository { full_name: repo.to_owned(), installation: None });
                    Err(trouble::explained(client, &auth, &format!("/repos/{repo}/check-runs"), error).await)
                }
            }
        }
    });
    let runs: Vec<Vec<CheckRun>> = calls.buffered(CALLS).try_collect().await?;
    let own = |run: &CheckRun| run.app.as_ref().is_none_or(|maker| u64::try_from(maker.id) == Ok(app));
    let mut seen = BTreeSet::new();
    let mut found: Vec<Found> = runs
        .into_iter()
        .flatten()
        .filter(|run| own(run) && seen.insert(run.id))
        .map(|run| Found { repo: repo.to_owned(), run })
        .collect();
    found.sort_by_key(|found| std::cmp::Reverse((found.run.started_at, found.run.id)));
    Ok(found)
}

/// The runs that are named, wherever they are.
///
/// # Errors
/// [`Kind::NotFound`] when one is nowhere.
pub async fn by_name(cx: &Cx, client: &Client, names: &[Named], repo: Option<&str>) -> Result<Vec<Found>> {
    let mut all: Option<Vec<String>> = None;
    let mut found = Vec::new();
    for name in names {
        let places = match (&name.repo, &mut all) {
            (Some(repo), _) => vec![repo.clone()],
            (None, Some(all)) => all.clone(),
            (None, none) => none.insert(repositories(cx, client, repo).await?).clone(),
        };
        let mut here = None;
        for place in &places {
            let run = client.repository(place, None).check_run(name.id).await.map_err(Error::from)?;
            if let Some(run) = run {
                here = Some(Found { repo: place.clone(), run });
                break;
            }
        }
        found.push(here.ok_or_else(|| {
            Error::new(Kind::NotFound, format!("there is no check run {}", name.id))
                .because(match places.as_slice() {
                    [one] => format!("{one} was looked at"),
                    several => format!("the {} repositories that the App covers were looked at", several.len()),
                })
                .hint("pforge checks list")
        })?);
    }
    Ok(found)
}

/// Ends each of `runs`, tells it, and prints what they are now. One that fails does not stop the
/// others.
///
/// # Errors
/// The first failure, after all were tried.
pub async fn finish(cx: &Cx, client: &Client, runs: &[Found], end: impl Fn(&Found) -> Finish) -> Result {
    let now = cx.clock.now();
    let (mut done, mut trouble) = (Vec::new(), None);
    for found in runs {
        let outcome = client.repository(&found.repo, None).finish_check_run(found.run.id, &end(found)).await;
        match outcome {
            Ok(run) => {
                let ended = Found { repo: found.repo.clone(), run };
                let conclusion = ended.run.conclusion.clone().unwrap_or_default();
                let mark = cx.ui.paint(Tone::Good, "✓");
                cx.ui.status(format!("{mark} {}: {conclusion}", ended.describe()));
                if !cx.ui.json() {
                    cx.ui.line(ended.run.html_url.as_deref().unwrap_or_default())?;
                }
                done.push(ended.to_json(now, Duration::MAX));
            }
            Err(error) => {
                let auth = Auth::installation(Target::Repository { full_name: found.repo.clone(), installation: None });
                let path = format!("/repos/{}/check-runs/{}", found.repo, found.run.id);
                let told = trouble::explained(client, &auth, &path, error).await;
                cx.ui.status(format!("{} {}: {}", cx.ui.paint(Tone::Bad, "✗"), found.describe(), told.message));
                trouble.get_or_insert(told);
            }
        }
    }
    if cx.ui.json() {
        cx.ui.document(&done)?;
    }
    trouble.map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::{Named, Tip};

    #[test]
    fn a_run_is_named_by_id_or_address() {
        let named = |repo: Option<&str>, id| Some(Named { repo: repo.map(str::to_owned), id });
        for (text, expected) in [
            ("9", named(None, 9)),
            ("https://github.com/o/r/runs/9", named(Some("o/r"), 9)),
            ("https://github.com/o/r/runs/9?check_suite_focus=true", named(Some("o/r"), 9)),
            ("https://api.github.com/repos/o/r/check-runs/9", named(Some("o/r"), 9)),
            ("https://github.com/o/r/pull/9", None),
            ("x", None),
        ] {
            assert_eq!(text.parse().ok(), expected, "{text}");
        }
    }

    #[test]
    fn branches_and_pull_requests_have_tips() {
        for text in [r#"{"name":"main","commit":{"sha":"a"}}"#, r#"{"number":1,"head":{"sha":"a"}}"#] {
            assert_eq!(serde_json::from_str::<Tip>(text).expect("a tip").head.sha, "a");
        }
    }
}
