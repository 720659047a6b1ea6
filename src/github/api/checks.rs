//! Check runs: <https://docs.github.com/en/rest/checks/runs>.

use chrono::{DateTime, Utc};
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::github::call::segment;
use crate::github::{Error, Repository};

/// Longest title, summary and text, in characters. GitHub has answered longer ones with 5xx.
const MAX_CHARACTERS: usize = 65_535;
/// Most annotations that GitHub takes with one request; further ones are added by further requests.
const MAX_ANNOTATIONS: usize = 50;
/// What an App may conclude; `stale` is GitHub's alone.
pub const CONCLUSIONS: [&str; 7] =
    ["success", "failure", "neutral", "cancelled", "skipped", "timed_out", "action_required"];

/// What a check run shows.
#[derive(Clone, Debug, Serialize)]
pub struct Output {
    /// One line.
    pub title: String,
    /// Markdown, at most 65 535 characters.
    pub summary: String,
    /// More Markdown, at most 65 535 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// Most buttons of a check run.
const MAX_ACTIONS: usize = 3;

/// A button of a check run. Pressing it sends `check_run.requested_action` to the App.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Action {
    /// Its text, at most 20 characters.
    pub label: &'static str,
    /// What it does, at most 40 characters.
    pub description: &'static str,
    /// What the event calls it, at most 20 characters.
    pub identifier: &'static str,
}

/// Body of `POST /repos/{owner}/{repo}/check-runs`.
#[derive(Clone, Debug, Serialize)]
pub struct NewCheckRun {
    /// Name of the check.
    pub name: String,
    /// Commit.
    pub head_sha: String,
    /// `queued`, `in_progress` or `completed`.
    pub status: &'static str,
    /// See [`Conclude::conclusion`]; present exactly when `status` is `completed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conclusion: Option<&'static str>,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// Our own reference, to find it again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// Where "Details" leads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details_url: Option<String>,
    /// What it shows.
    pub output: Output,
    /// Its buttons.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<Action>,
}

/// Body of `PATCH /repos/{owner}/{repo}/check-runs/{id}` that ends a run.
#[derive(Clone, Debug, Serialize)]
pub struct Conclude {
    /// Always `completed`.
    pub status: &'static str,
    /// `success`, `failure`, `neutral`, `cancelled`, `skipped`, `timed_out` or `action_required`.
    pub conclusion: &'static str,
    /// When it ended.
    pub completed_at: DateTime<Utc>,
    /// What it shows.
    pub output: Output,
    /// Its buttons; those that it had stay when there are none here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<Action>,
}

/// Body of `PATCH /repos/{owner}/{repo}/check-runs/{id}` that tells how a run goes on.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Progress {
    /// `queued` or `in_progress`; a run that was completed has no conclusion then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<&'static str>,
    /// When it began, or began again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<DateTime<Utc>>,
    /// Where "Details" leads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details_url: Option<String>,
    /// What it shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<Output>,
}

/// How a run is ended by hand.
#[derive(Clone, Debug)]
pub struct Finish {
    /// One of [`CONCLUSIONS`].
    pub conclusion: String,
    /// When it ended.
    pub completed_at: DateTime<Utc>,
    /// What it shows; as before when absent.
    pub output: Option<Output>,
    /// Annotations in GitHub's form, added to those that are there; they need an output.
    pub annotations: Vec<Value>,
}

/// The App that made a run.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct RunApp {
    /// Its id.
    pub id: i64,
}

/// A check run as answered.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct CheckRun {
    /// Its id.
    pub id: i64,
    /// Name of the check.
    #[serde(default)]
    pub name: String,
    /// Commit.
    #[serde(default)]
    pub head_sha: String,
    /// `queued`, `in_progress` or `completed`.
    pub status: String,
    /// Set when completed.
    pub conclusion: Option<String>,
    /// Our own reference.
    pub external_id: Option<String>,
    /// Its page.
    pub html_url: Option<String>,
    /// When it began.
    #[serde(default)]
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    #[serde(default)]
    pub completed_at: Option<DateTime<Utc>>,
    /// Whose it is.
    #[serde(default)]
    pub app: Option<RunApp>,
}

/// The check runs on a commit.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[schema(example = json!({ "total_count": 1, "check_runs": [
    { "id": 7, "name": "synchronize", "status": "completed", "conclusion": "success", "head_sha": "64451b2c" }
] }))]
pub struct CheckRuns {
    /// How many there are.
    pub total_count: i64,
    /// All of them, as GitHub describes them.
    #[schema(value_type = Vec<Object>)]
    pub check_runs: Vec<Value>,
}

impl CheckRun {
    /// Whether it is over.
    pub fn is_completed(&self) -> bool {
        self.status == "completed"
    }
}

impl Output {
    /// The output within GitHub's limits; what was cut says so.
    fn fitted(&self) -> Self {
        Self {
            title: fit(&self.title, "…"),
            summary: fit(&self.summary, NOTE),
            text: self.text.as_deref().map(|text| fit(text, NOTE)),
        }
    }
}

const NOTE: &str = "\n\n… cut here: GitHub shows no more than 65 535 characters.";

fn fit(text: &str, note: &str) -> String {
    if text.chars().count() <= MAX_CHARACTERS {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(MAX_CHARACTERS - note.chars().count()).collect();
    cut.push_str(note);
    cut
}

/// GitHub has answered longer buttons with 5xx. The limits are in characters.
fn check_actions(actions: &[Action]) -> Result<(), Error> {
    let fits = |text: &str, most: usize| (1..=most).contains(&text.chars().count());
    let good = |a: &Action| fits(a.label, 20) && fits(a.description, 40) && fits(a.identifier, 20);
    if actions.len() <= MAX_ACTIONS && actions.iter().all(good) {
        return Ok(());
    }
    Err(Error::Invalid("a check run has at most 3 buttons, of 20, 40 and 20 characters".into()))
}

impl Repository {
    /// `POST …/check-runs`. Not idempotent: check [`Repository::check_runs`] first after a crash.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a run without name or commit; else see [`Error`].
    pub async fn create_check_run(&self, new: &NewCheckRun) -> Result<CheckRun, Error> {
        if new.name.is_empty() || new.head_sha.is_empty() {
            return Err(Error::Invalid("a check run needs a name and a commit".into()));
        }
        check_actions(&new.actions)?;
        let body = NewCheckRun { output: new.output.fitted(), ..new.clone() };
        self.client().fetch(&self.call(Method::POST, "check-runs")?.json(&body)?).await
    }

    /// `PATCH …/check-runs/{id}`; idempotent, retried.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a conclusion that GitHub does not know; else see [`Error`].
    pub async fn conclude_check_run(&self, id: i64, end: &Conclude) -> Result<CheckRun, Error> {
        check_actions(&end.actions)?;
        if !CONCLUSIONS.contains(&end.conclusion) {
            return Err(Error::Invalid(format!("{:?} is no conclusion of a check run", end.conclusion)));
        }
        self.patch_check_run(id, &Conclude { output: end.output.fitted(), ..end.clone() }).await
    }

    /// `PATCH …/check-runs/{id}` of a run that is not over; idempotent, retried.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn update_check_run(&self, id: i64, progress: &Progress) -> Result<CheckRun, Error> {
        let output = progress.output.as_ref().map(Output::fitted);
        self.patch_check_run(id, &Progress { output, ..progress.clone() }).await
    }

    /// Ends the run `id` by `PATCH …/check-runs/{id}`, after as many of them as its annotations need;
    /// each is retried.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a conclusion that GitHub does not know, and for annotations without an
    /// output; else see [`Error`].
    pub async fn finish_check_run(&self, id: i64, end: &Finish) -> Result<CheckRun, Error> {
        if !CONCLUSIONS.contains(&end.conclusion.as_str()) {
            return Err(Error::Invalid(format!("{:?} is no conclusion of a check run", end.conclusion)));
        }
        let output = match &end.output {
            Some(output) => Some(output.fitted()),
            None if end.annotations.is_empty() => None,
            None => return Err(Error::Invalid("annotations need a title and a summary".into())),
        };
        let with = |annotations: &[Value]| {
            let mut output = serde_json::to_value(&output).unwrap_or_default();
            if !annotations.is_empty() {
                output["annotations"] = annotations.into();
            }
            output
        };
        let mut chunks = end.annotations.chunks(MAX_ANNOTATIONS).peekable();
        let mut last: &[Value] = &[];
        while let Some(chunk) = chunks.next() {
            last = chunk;
            if chunks.peek().is_some() {
                // Sending these twice would show them twice.
                let call =
                    self.call(Method::PATCH, &format!("check-runs/{id}"))?.json(&json!({"output": with(chunk)}))?;
                self.client().send(&call).await?;
            }
        }
        let mut body = json!({"status": "completed", "conclusion": end.conclusion, "completed_at": end.completed_at});
        if output.is_some() {
            body["output"] = with(last);
        }
        let call = self.call(Method::PATCH, &format!("check-runs/{id}"))?.json(&body)?.repeatable(last.is_empty());
        self.client().fetch(&call).await
    }

    /// `GET …/check-runs/{id}`; `None` when this repository has no such run.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn check_run(&self, id: i64) -> Result<Option<CheckRun>, Error> {
        match self.client().fetch(&self.call(Method::GET, &format!("check-runs/{id}"))?).await {
            Err(error) if error.status() == Some(404) => Ok(None),
            outcome => outcome.map(Some),
        }
    }

    /// `GET …/commits/{ref}/check-runs?app_id=…&filter=all`, all pages: the runs of one App.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn check_runs_of_app(&self, git_ref: &str, app: u64) -> Result<Vec<CheckRun>, Error> {
        let call = self
            .call(Method::GET, &format!("commits/{}/check-runs", segment(git_ref)?))?
            .query("app_id", app)
            .query("filter", "all")
            .query("per_page", 100);
        self.client().list(&call).await
    }

    /// `GET …/commits/{ref}/check-runs`, all pages, of all Apps, as GitHub shows them.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn shown_check_runs(&self, git_ref: &str) -> Result<CheckRuns, Error> {
        let call = self.call(Method::GET, &format!("commits/{}/check-runs", segment(git_ref)?))?.query("per_page", 100);
        let merged = self.client().pages(&call).await?;
        serde_json::from_value(merged).map_err(|error| call.undecodable(error.to_string()))
    }

    /// `GET …/commits/{ref}/check-runs?filter=all`, all pages: the runs of all Apps and names.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn all_check_runs(&self, git_ref: &str) -> Result<Vec<CheckRun>, Error> {
        let call = self
            .call(Method::GET, &format!("commits/{}/check-runs", segment(git_ref)?))?
            .query("filter", "all")
            .query("per_page", 100);
        self.client().list(&call).await
    }

    async fn patch_check_run<T: Serialize>(&self, id: i64, body: &T) -> Result<CheckRun, Error> {
        let call = self.call(Method::PATCH, &format!("check-runs/{id}"))?.json(body)?.repeatable(true);
        self.client().fetch(&call).await
    }

    /// `GET …/commits/{ref}/check-runs?check_name=…&filter=all`, all pages. Unless told to list
    /// all, GitHub leaves out each run that has a newer one of its name, so that pull requests
    /// with the same commit would hide each other's.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn check_runs(&self, git_ref: &str, name: &str) -> Result<Vec<CheckRun>, Error> {
        let call = self
            .call(Method::GET, &format!("commits/{}/check-runs", segment(git_ref)?))?
            .query("check_name", name)
            .query("filter", "all")
            .query("per_page", 100);
        self.client().list(&call).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buttons_have_their_limits() {
        let button = Action { label: "Run", description: "Runs it", identifier: "run" };
        assert!(check_actions(&[button; 3]).is_ok());
        for wrong in [
            &[button; 4][..],
            &[Action { label: "longer than twenty characters", ..button }],
            &[Action { description: "", ..button }],
            &[Action { identifier: "a-name-of-twentyone-c", ..button }],
        ] {
            assert!(check_actions(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn outputs_are_cut_by_characters_and_say_so() {
        let exact = "é".repeat(MAX_CHARACTERS);
        let long = "é".repeat(MAX_CHARACTERS + 1);
        let fitted = Output { title: long.clone(), summary: exact.clone(), text: Some(long) }.fitted();
        assert_eq!(fitted.summary, exact);
        assert_eq!(fitted.title.chars().count(), MAX_CHARACTERS);
        assert!(fitted.title.ends_with("é…"));
        let text = fitted.text.expect("text");
        assert_eq!(text.chars().count(), MAX_CHARACTERS);
        assert!(text.ends_with(NOTE) && text.starts_with('é'));
    }
}
