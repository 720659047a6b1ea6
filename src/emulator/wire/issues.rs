//! Issues, comments, reactions and labels on the wire.

use serde_json::{Value, json};

use crate::emulator::state::issues::{REACTIONS, Reaction};
use crate::emulator::state::{Comment, Issue, Kind, Label, Repo};
use crate::emulator::wire::git::escape_path;
use crate::emulator::wire::{Wire, node_id, time};

impl Wire<'_> {
    /// An issue, or the issue that a pull request is.
    pub fn issue(&self, repo: &Repo, issue: &Issue) -> Value {
        let number = issue.number;
        let (repo_url, page) = (self.repo_url(repo), self.repo_page(repo));
        let url = format!("{repo_url}/issues/{number}");
        let shown = format!("{page}/{}/{number}", if issue.pull.is_some() { "pull" } else { "issues" });
        let mut value = json!({
            "url": url,
            "repository_url": repo_url,
            "labels_url": format!("{url}/labels{{/name}}"),
            "comments_url": format!("{url}/comments"),
            "events_url": format!("{url}/events"),
            "html_url": shown,
            "id": issue.id,
            "node_id": node_id("Issue", issue.id),
            "number": number,
            "title": issue.title,
            "user": self.user(issue.user),
            "labels": self.labels(repo, &issue.labels),
            "state": if issue.open { "open" } else { "closed" },
            "locked": false,
            "assignee": issue.assignees.first().map(|id| self.user(*id)),
            "assignees": issue.assignees.iter().map(|id| self.user(*id)).collect::<Vec<_>>(),
            "milestone": null,
            "comments": issue.comments,
            "created_at": time(issue.created_at),
            "updated_at": time(issue.updated_at),
            "closed_at": issue.closed_at.map(time),
            "author_association": self.association(repo, issue.user),
            "active_lock_reason": null,
            "body": issue.body,
            "closed_by": issue.closed_by.map(|id| self.user(id)),
            "reactions": rollup(&format!("{url}/reactions"), &[]),
            "timeline_url": format!("{url}/timeline"),
            "performed_via_github_app": null,
            "state_reason": issue.state_reason,
        });
        if let Some(pull) = &issue.pull {
            value["draft"] = json!(pull.draft);
            value["pull_request"] = json!({
                "url": format!("{repo_url}/pulls/{number}"),
                "html_url": shown,
                "diff_url": format!("{shown}.diff"),
                "patch_url": format!("{shown}.patch"),
                "merged_at": pull.merged_at.map(time),
            });
        }
        value
    }

    /// A comment.
    pub fn comment(&self, repo: &Repo, comment: &Comment) -> Value {
        let (repo_url, page) = (self.repo_url(repo), self.repo_page(repo));
        let (id, number) = (comment.id, comment.number);
        let pull = repo.issues.get(&number).is_some_and(|issue| issue.pull.is_some());
        let url = format!("{repo_url}/issues/comments/{id}");
        let app = comment.app.and_then(|id| self.world.apps.get(&id));
        json!({
            "url": url,
            "html_url": format!("{page}/{}/{number}#issuecomment-{id}", if pull { "pull" } else { "issues" }),
            "issue_url": format!("{repo_url}/issues/{number}"),
            "id": id,
            "node_id": node_id("IssueComment", id),
            "user": self.user(comment.user),
            "created_at": time(comment.created_at),
            "updated_at": time(comment.updated_at),
            "author_association": self.association(repo, comment.user),
            "body": comment.body,
            "reactions": rollup(&format!("{url}/reactions"), &comment.reactions),
            "performed_via_github_app": app.map(|app| self.app(app)),
        })
    }

    /// A reaction.
    pub fn reaction(&self, reaction: &Reaction) -> Value {
        json!({
            "id": reaction.id,
            "node_id": node_id("Reaction", reaction.id),
            "user": self.user(reaction.user),
            "content": reaction.content,
            "created_at": time(reaction.created_at),
        })
    }

    /// A label of a repository.
    pub fn label(&self, repo: &Repo, label: &Label) -> Value {
        json!({
            "id": label.id,
            "node_id": node_id("Label", label.id),
            "url": format!("{}/labels/{}", self.repo_url(repo), escape_path(&label.name)),
            "name": label.name,
            "color": label.color,
            "default": label.default,
            // The description of pull requests wants a string where issues may have null.
            "description": label.description.clone().unwrap_or_default(),
        })
    }

    /// Labels by name.
    pub fn labels(&self, repo: &Repo, names: &[String]) -> Value {
        names.iter().filter_map(|name| repo.labels.get(&name.to_lowercase())).map(|l| self.label(repo, l)).collect()
    }

    /// What `user` is to the repository. Everybody but strangers belongs to an organisation here.
    pub fn association(&self, repo: &Repo, user: i64) -> &'static str {
        let kind = |id: i64| self.world.accounts.get(&id).map(|a| a.kind);
        if user == repo.owner {
            "OWNER"
        } else if kind(repo.owner) == Some(Kind::Organization) && user == self.world.viewer {
            "MEMBER"
        } else if repo.collaborators.contains_key(&user) {
            "COLLABORATOR"
        } else if repo
            .issues
            .values()
            .any(|issue| issue.user == user && issue.pull.as_ref().is_some_and(|pull| pull.merged_at.is_some()))
        {
            "CONTRIBUTOR"
        } else {
            "NONE"
        }
    }
}

fn rollup(url: &str, reactions: &[Reaction]) -> Value {
    let mut value = json!({ "url": url, "total_count": reactions.len() });
    for content in REACTIONS {
        value[content] = json!(reactions.iter().filter(|r| r.content == content).count());
    }
    value
}
