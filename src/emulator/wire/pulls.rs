//! Pull requests on the wire.

use serde_json::{Value, json};

use crate::emulator::state::{Issue, Pull, Repo};
use crate::emulator::wire::{Wire, node_id, time, with};

impl Wire<'_> {
    /// A pull request in a list; `null` for a plain issue.
    pub fn pull(&self, repo: &Repo, issue: &Issue) -> Value {
        let Some(pull) = &issue.pull else { return Value::Null };
        let number = issue.number;
        let (repo_url, repo_page) = (self.repo_url(repo), self.repo_page(repo));
        let (url, page) = (format!("{repo_url}/pulls/{number}"), format!("{repo_page}/pull/{number}"));
        let issue_url = format!("{repo_url}/issues/{number}");
        let statuses = format!("{repo_url}/statuses/{}", pull.head_sha);
        let comment = format!("{repo_url}/pulls/comments{{/number}}");
        let merge_commit = pull.merge_commit_sha.clone().or_else(|| issue.open.then(|| pull.head_sha.clone()));
        let ids = json!({
            "url": url,
            "id": pull.id,
            "node_id": node_id("PullRequest", pull.id),
            "html_url": page,
            "diff_url": format!("{page}.diff"),
            "patch_url": format!("{page}.patch"),
            "issue_url": issue_url,
            "number": number,
            "state": if issue.open { "open" } else { "closed" },
            "locked": false,
            "title": issue.title,
            "user": self.user(issue.user),
            "body": issue.body,
            "created_at": time(issue.created_at),
            "updated_at": time(issue.updated_at),
            "closed_at": issue.closed_at.map(time),
            "merged_at": pull.merged_at.map(time),
            "merge_commit_sha": merge_commit,
            "assignee": issue.assignees.first().map(|id| self.user(*id)),
            "assignees": issue.assignees.iter().map(|id| self.user(*id)).collect::<Vec<_>>(),
            "requested_reviewers": [],
            "requested_teams": [],
            "labels": self.labels(repo, &issue.labels),
            "milestone": null,
            "draft": pull.draft,
        });
        let head_repo = pull.head_repo.and_then(|id| self.world.repos.get(&id));
        let rest = json!({
            "commits_url": format!("{url}/commits"),
            "review_comments_url": format!("{url}/comments"),
            "review_comment_url": comment,
            "comments_url": format!("{issue_url}/comments"),
            "statuses_url": statuses,
            "head": self.end(pull.head_owner, head_repo, &pull.head_ref, &pull.head_sha),
            "base": self.end(repo.owner, Some(repo), &pull.base_ref, &pull.base_sha),
            "_links": {
                "self": { "href": url },
                "html": { "href": page },
                "issue": { "href": issue_url },
                "comments": { "href": format!("{issue_url}/comments") },
                "review_comments": { "href": format!("{url}/comments") },
                "review_comment": { "href": comment },
                "commits": { "href": format!("{url}/commits") },
                "statuses": { "href": statuses },
            },
            "author_association": self.association(repo, issue.user),
            "auto_merge": null,
            "active_lock_reason": null,
        });
        with(ids, rest)
    }

    /// A pull request on its own and in payloads.
    pub fn full_pull(&self, repo: &Repo, issue: &Issue) -> Value {
        let Some(pull) = &issue.pull else { return Value::Null };
        let files = self.world.pull_files(repo, pull);
        let sum = |of: fn(&crate::emulator::state::diff::FileChange) -> usize| files.iter().map(of).sum::<usize>();
        let mergeable = issue.open && self.world.mergeable(repo, pull);
        let merged = pull.merged_at.is_some();
        with(
            self.pull(repo, issue),
            json!({
                "merged": merged,
                "mergeable": if issue.open { json!(mergeable) } else { Value::Null },
                "rebaseable": if issue.open { json!(mergeable) } else { Value::Null },
                "mergeable_state": match (issue.open, mergeable) {
                    (true, true) => "clean",
                    (true, false) => "dirty",
                    (false, _) => "unknown",
                },
                "merged_by": pull.merged_by.map(|id| self.user(id)),
                "comments": issue.comments,
                "review_comments": 0,
                "maintainer_can_modify": pull.maintainer_can_modify,
                "commits": self.world.commits_between(repo, &pull.base_sha, &pull.head_sha).len(),
                "additions": sum(|f| f.additions),
                "deletions": sum(|f| f.deletions),
                "changed_files": files.len(),
            }),
        )
    }

    /// A pull request as check runs name it.
    pub fn minimal_pull(&self, repo: &Repo, issue: &Issue, pull: &Pull) -> Value {
        let end = |name: &str, sha: &str, repo: &Repo| {
            json!({
                "ref": name,
                "sha": sha,
                "repo": { "id": repo.id, "url": self.repo_url(repo), "name": repo.name },
            })
        };
        let head = pull.head_repo.and_then(|id| self.world.repos.get(&id)).unwrap_or(repo);
        json!({
            "url": format!("{}/pulls/{}", self.repo_url(repo), issue.number),
            "id": pull.id,
            "number": issue.number,
            "head": end(&pull.head_ref, &pull.head_sha, head),
            "base": end(&pull.base_ref, &pull.base_sha, repo),
        })
    }

    fn end(&self, owner: i64, repo: Option<&Repo>, name: &str, sha: &str) -> Value {
        json!({
            "label": format!("{}:{name}", self.world.login(owner)),
            "ref": name,
            "sha": sha,
            "user": self.user(owner),
            "repo": repo.map(|r| self.repo(r)),
        })
    }
}
