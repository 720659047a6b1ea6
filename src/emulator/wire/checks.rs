//! Check runs and check suites on the wire.

use serde_json::{Value, json};

use crate::emulator::state::{CheckRun, CheckSuite, Repo};
use crate::emulator::wire::{Wire, node_id, time, with};

impl Wire<'_> {
    /// A check run.
    pub fn run(&self, repo: &Repo, run: &CheckRun) -> Value {
        let id = run.id;
        let url = format!("{}/check-runs/{id}", self.repo_url(repo));
        let page = format!("{}/runs/{id}", self.repo_page(repo));
        let app = self.world.apps.get(&run.app);
        json!({
            "id": id,
            "name": run.name,
            "node_id": node_id("CheckRun", id),
            "head_sha": run.head_sha,
            "external_id": run.external_id.clone().unwrap_or_default(),
            "url": url,
            "html_url": page,
            "details_url": run.details_url.clone().or_else(|| app.map(|a| a.external_url.clone())),
            "status": run.status,
            "conclusion": run.conclusion,
            "started_at": run.started_at.map(time),
            "completed_at": run.completed_at.map(time),
            "output": {
                "title": run.title,
                "summary": run.summary,
                "text": run.text,
                "annotations_count": run.annotations.len(),
                "annotations_url": format!("{url}/annotations"),
            },
            "check_suite": { "id": run.suite },
            "app": app.map(|a| self.app(a)),
            "pull_requests": self.pulls_at(repo, &run.head_sha),
        })
    }

    /// A check suite as check runs name it in payloads.
    pub fn short_suite(&self, repo: &Repo, suite: &CheckSuite) -> Value {
        let (status, conclusion, _) = self.world.suite_state(repo.id, suite.id);
        json!({
            "id": suite.id,
            "node_id": node_id("CheckSuite", suite.id),
            "head_branch": suite.head_branch,
            "head_sha": suite.head_sha,
            "status": status,
            "conclusion": conclusion,
            "url": self.suite_url(repo, suite),
            "before": suite.before,
            "after": suite.head_sha,
            "pull_requests": self.pulls_at(repo, &suite.head_sha),
            "app": self.world.apps.get(&suite.app).map(|a| self.app(a)),
            "created_at": time(suite.created_at),
            "updated_at": time(suite.updated_at),
        })
    }

    /// A check suite.
    pub fn suite(&self, repo: &Repo, suite: &CheckSuite) -> Value {
        let (_, _, runs) = self.world.suite_state(repo.id, suite.id);
        let head = self.world.commit(repo, &suite.head_sha).map(|commit| {
            json!({
                "id": commit.sha,
                "tree_id": commit.tree_sha,
                "message": commit.message,
                "timestamp": time(commit.date),
                "author": self.signature(commit),
                "committer": self.signature(commit),
            })
        });
        with(
            self.short_suite(repo, suite),
            json!({
                "rerequestable": true,
                "runs_rerequestable": true,
                "latest_check_runs_count": runs,
                "check_runs_url": format!("{}/check-runs", self.suite_url(repo, suite)),
                "head_commit": head,
            }),
        )
    }

    fn suite_url(&self, repo: &Repo, suite: &CheckSuite) -> String {
        format!("{}/check-suites/{}", self.repo_url(repo), suite.id)
    }

    /// Open pull requests of the repository itself at `sha`; those of forks are left out, as on GitHub.
    fn pulls_at(&self, repo: &Repo, sha: &str) -> Value {
        repo.issues
            .values()
            .filter(|issue| issue.open)
            .filter_map(|issue| issue.pull.as_ref().map(|pull| (issue, pull)))
            .filter(|(_, pull)| pull.head_sha == sha && pull.head_repo == Some(repo.id))
            .map(|(issue, pull)| self.minimal_pull(repo, issue, pull))
            .collect()
    }

    /// Name and address of who made a commit.
    pub fn signature(&self, commit: &crate::emulator::state::Commit) -> Value {
        let login = self.world.login(commit.author);
        json!({ "name": login, "email": format!("{login}@users.noreply.github.com") })
    }
}
