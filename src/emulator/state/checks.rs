//! Check suites and check runs.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::emulator::state::{Level, Refusal, What, World};

/// The runs of one App on one commit.
#[derive(Clone, Debug)]
pub struct CheckSuite {
    /// Its id.
    pub id: i64,
    /// The App that it is for.
    pub app: i64,
    /// The branch that was pushed, when it is known.
    pub head_branch: Option<String>,
    /// The commit.
    pub head_sha: String,
    /// The branch's commit before the push.
    pub before: Option<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// A check run.
#[derive(Clone, Debug)]
pub struct CheckRun {
    /// Its id.
    pub id: i64,
    /// The App that made it.
    pub app: i64,
    /// Its suite.
    pub suite: i64,
    /// Name.
    pub name: String,
    /// The commit.
    pub head_sha: String,
    /// `queued`, `in_progress` or `completed`.
    pub status: String,
    /// Set when completed.
    pub conclusion: Option<String>,
    /// The App's own reference.
    pub external_id: Option<String>,
    /// Where "Details" leads; the App's page when it said nothing.
    pub details_url: Option<String>,
    /// When it began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub completed_at: Option<DateTime<Utc>>,
    /// Title of what it shows.
    pub title: Option<String>,
    /// Summary of what it shows, Markdown.
    pub summary: Option<String>,
    /// Text of what it shows, Markdown.
    pub text: Option<String>,
    /// Annotations as they were given; updates append.
    pub annotations: Vec<Value>,
    /// Buttons as they were given.
    pub actions: Vec<Value>,
}

/// What to set in a check run; `None` leaves it.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs, reason = "the fields are those of CheckRun")]
pub struct RunEdit {
    pub name: Option<String>,
    pub status: Option<String>,
    pub conclusion: Option<String>,
    pub external_id: Option<String>,
    pub details_url: Option<String>,
    pub started_at: Option<DateTime<Utc>>,
    pub completed_at: Option<DateTime<Utc>>,
    pub title: Option<String>,
    pub summary: Option<String>,
    pub text: Option<String>,
    pub annotations: Vec<Value>,
    pub actions: Option<Vec<Value>>,
}

impl World {
    /// The check suite of `app` for `sha`, made when there is none.
    pub fn ensure_suite(&mut self, repo: i64, app: i64, sha: &str) -> Result<i64, Refusal> {
        let model = self.repos.get(&repo).ok_or(Refusal::NotFound)?;
        if let Some(suite) = model.suites.values().find(|s| s.app == app && s.head_sha == sha) {
            return Ok(suite.id);
        }
        let branch = model.refs.iter().find(|(name, tip)| name.starts_with("heads/") && *tip == sha);
        let head_branch = branch.map(|(name, _)| name["heads/".len()..].to_owned());
        let (id, now) = (self.id(), self.now());
        let suite = CheckSuite {
            id,
            app,
            head_branch,
            head_sha: sha.to_owned(),
            before: None,
            created_at: now,
            updated_at: now,
        };
        self.repos.get_mut(&repo).ok_or(Refusal::NotFound)?.suites.insert(id, suite);
        Ok(id)
    }

    /// Asks every App that may write checks to check a pushed commit.
    pub(super) fn request_suites(&mut self, repo: i64, branch: &str, before: &str, after: &str, actor: i64) {
        let apps: Vec<i64> = self
            .installations_on(repo)
            .filter(|i| i.permissions.get("checks").is_some_and(|l| *l >= Level::Write))
            .map(|i| i.app)
            .collect();
        for app in apps {
            let Ok(suite) = self.ensure_suite(repo, app, after) else { continue };
            if let Some(model) = self.repos.get_mut(&repo).and_then(|r| r.suites.get_mut(&suite)) {
                model.before = Some(before.to_owned());
                model.head_branch = Some(branch.to_owned());
            }
            self.happened(actor, What::Suite { repo, suite, action: "requested" });
        }
    }

    /// Makes a check run; its `name` and the commit are given, the rest is in `edit`.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] without the commit.
    pub fn create_run(&mut self, repo: i64, app: i64, sha: &str, edit: RunEdit, actor: i64) -> Result<i64, Refusal> {
        let model = self.repos.get(&repo).ok_or(Refusal::NotFound)?;
        if self.commit(model, sha).is_none() {
            return Err(Refusal::Invalid(format!("No commit found for SHA: {sha}")));
        }
        let suite = self.ensure_suite(repo, app, sha)?;
        let (id, now) = (self.id(), self.now());
        let run = CheckRun {
            id,
            app,
            suite,
            name: String::new(),
            head_sha: sha.to_owned(),
            status: "queued".to_owned(),
            conclusion: None,
            external_id: None,
            details_url: None,
            started_at: Some(edit.started_at.unwrap_or(now)),
            completed_at: None,
            title: None,
            summary: None,
            text: None,
            annotations: Vec::new(),
            actions: Vec::new(),
        };
        self.repos.get_mut(&repo).ok_or(Refusal::NotFound)?.runs.insert(id, run);
        self.happened(actor, What::Run { repo, run: id, action: "created", pressed: None });
        self.apply(repo, id, edit, actor)?;
        Ok(id)
    }

    /// Changes a check run of `app`.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] when there is none, [`Refusal::Conflict`] when it is another App's.
    pub fn update_run(&mut self, repo: i64, app: i64, id: i64, edit: RunEdit, actor: i64) -> Result<(), Refusal> {
        let run = self.repos.get(&repo).and_then(|r| r.runs.get(&id)).ok_or(Refusal::NotFound)?;
        if run.app != app {
            return Err(Refusal::Conflict(format!(
                "Invalid app_id `{app}` - check run can only be modified by the GitHub App that created it."
            )));
        }
        self.apply(repo, id, edit, actor)
    }

    fn apply(&mut self, repo: i64, id: i64, edit: RunEdit, actor: i64) -> Result<(), Refusal> {
        let now = self.now();
        let model = self.repos.get_mut(&repo).ok_or(Refusal::NotFound)?;
        let run = model.runs.get_mut(&id).ok_or(Refusal::NotFound)?;
        let was_completed = run.status == "completed";
        // A conclusion completes the run, whatever the status says.
        let status = if edit.conclusion.is_some() { Some("completed".to_owned()) } else { edit.status };
        let keep = |field: &mut Option<String>, new: Option<String>| {
            if new.is_some() {
                *field = new;
            }
        };
        if let Some(name) = edit.name {
            run.name = name;
        }
        if let Some(status) = status {
            if status != "completed" {
                run.conclusion = None;
                run.completed_at = None;
            }
            run.status = status;
        }
        keep(&mut run.conclusion, edit.conclusion);
        keep(&mut run.external_id, edit.external_id);
        keep(&mut run.details_url, edit.details_url);
        keep(&mut run.title, edit.title);
        keep(&mut run.summary, edit.summary);
        keep(&mut run.text, edit.text);
        run.started_at = edit.started_at.or(run.started_at);
        run.annotations.extend(edit.annotations);
        if let Some(actions) = edit.actions {
            run.actions = actions;
        }
        let completed = run.status == "completed";
        if completed {
            run.completed_at = edit.completed_at.or(run.completed_at).or(Some(now));
        }
        let suite = run.suite;
        if let Some(suite) = model.suites.get_mut(&suite) {
            suite.updated_at = now;
        }
        if completed && !was_completed {
            self.happened(actor, What::Run { repo, run: id, action: "completed", pressed: None });
        }
        Ok(())
    }

    /// Asks the App for a check run again; GitHub leaves the run as it is.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] when there is none, [`Refusal::Invalid`] for one that has not ended.
    pub fn rerequest_run(&mut self, repo: i64, run: i64, actor: i64) -> Result<(), Refusal> {
        let model = self.repos.get(&repo).and_then(|r| r.runs.get(&run)).ok_or(Refusal::NotFound)?;
        if model.status != "completed" {
            return Err(Refusal::Invalid("This check run is not rerequestable".to_owned()));
        }
        self.happened(actor, What::Run { repo, run, action: "rerequested", pressed: None });
        Ok(())
    }

    /// Asks the App for all check runs of a suite again.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] when there is none.
    pub fn rerequest_suite(&mut self, repo: i64, suite: i64, actor: i64) -> Result<(), Refusal> {
        self.repos.get(&repo).and_then(|r| r.suites.get(&suite)).ok_or(Refusal::NotFound)?;
        self.happened(actor, What::Suite { repo, suite, action: "rerequested" });
        Ok(())
    }

    /// Presses the button `identifier` of a check run.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] without the run or the button.
    pub fn press(&mut self, repo: i64, run: i64, identifier: &str, actor: i64) -> Result<(), Refusal> {
        let model = self.repos.get(&repo).and_then(|r| r.runs.get(&run)).ok_or(Refusal::NotFound)?;
        if !model.actions.iter().any(|action| action["identifier"] == identifier) {
            return Err(Refusal::NotFound);
        }
        let pressed = Some(identifier.to_owned());
        self.happened(actor, What::Run { repo, run, action: "requested_action", pressed });
        Ok(())
    }

    /// Status and conclusion of a suite: those of its latest runs, the worst conclusion winning.
    pub fn suite_state(&self, repo: i64, suite: i64) -> (&'static str, Option<String>, usize) {
        let runs: Vec<&CheckRun> =
            self.repos.get(&repo).into_iter().flat_map(|r| r.runs.values()).filter(|run| run.suite == suite).collect();
        if runs.is_empty() {
            return ("queued", None, 0);
        }
        if runs.iter().any(|run| run.status != "completed") {
            let begun = runs.iter().any(|run| run.status != "queued");
            return (if begun { "in_progress" } else { "queued" }, None, runs.len());
        }
        const WORST_FIRST: [&str; 7] =
            ["failure", "timed_out", "cancelled", "action_required", "success", "neutral", "skipped"];
        let has = |word: &&&str| runs.iter().any(|run| run.conclusion.as_deref() == Some(**word));
        ("completed", WORST_FIRST.iter().find(has).map(|word| (*word).to_owned()), runs.len())
    }
}
