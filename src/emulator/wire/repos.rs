//! Repositories on the wire.

use serde_json::{Map, Value, json};

use crate::emulator::state::starters::license;
use crate::emulator::state::{Kind, Repo};
use crate::emulator::wire::{Wire, node_id, time, with};

/// Link fields that follow the API's address of the repository.
const LINKS: [(&str, &str); 34] = [
    ("forks_url", "/forks"),
    ("keys_url", "/keys{/key_id}"),
    ("collaborators_url", "/collaborators{/collaborator}"),
    ("teams_url", "/teams"),
    ("hooks_url", "/hooks"),
    ("issue_events_url", "/issues/events{/number}"),
    ("events_url", "/events"),
    ("assignees_url", "/assignees{/user}"),
    ("branches_url", "/branches{/branch}"),
    ("tags_url", "/tags"),
    ("blobs_url", "/git/blobs{/sha}"),
    ("git_tags_url", "/git/tags{/sha}"),
    ("git_refs_url", "/git/refs{/sha}"),
    ("trees_url", "/git/trees{/sha}"),
    ("statuses_url", "/statuses/{sha}"),
    ("languages_url", "/languages"),
    ("stargazers_url", "/stargazers"),
    ("contributors_url", "/contributors"),
    ("subscribers_url", "/subscribers"),
    ("subscription_url", "/subscription"),
    ("commits_url", "/commits{/sha}"),
    ("git_commits_url", "/git/commits{/sha}"),
    ("comments_url", "/comments{/number}"),
    ("issue_comment_url", "/issues/comments{/number}"),
    ("contents_url", "/contents/{+path}"),
    ("compare_url", "/compare/{base}...{head}"),
    ("merges_url", "/merges"),
    ("archive_url", "/{archive_format}{/ref}"),
    ("downloads_url", "/downloads"),
    ("issues_url", "/issues{/number}"),
    ("pulls_url", "/pulls{/number}"),
    ("milestones_url", "/milestones{/number}"),
    ("notifications_url", "/notifications{?since,all,participating}"),
    ("labels_url", "/labels{/name}"),
];

impl Wire<'_> {
    /// The API's address of a repository.
    pub fn repo_url(&self, repo: &Repo) -> String {
        format!("{}/repos/{}", self.links.api, self.world.full_name(repo))
    }

    /// The page of a repository.
    pub fn repo_page(&self, repo: &Repo) -> String {
        format!("{}/{}", self.links.html, self.world.full_name(repo))
    }

    /// A repository as lists, pull requests and payloads show it.
    pub fn repo(&self, repo: &Repo) -> Value {
        let full_name = self.world.full_name(repo);
        let (url, page) = (self.repo_url(repo), self.repo_page(repo));
        let open = repo.issues.values().filter(|issue| issue.open).count();
        let forks = self.world.repos.values().filter(|r| r.parent == Some(repo.id)).count();
        let head = json!({
            "id": repo.id,
            "node_id": node_id("Repository", repo.id),
            "name": repo.name,
            "full_name": full_name,
            "private": repo.private,
            "owner": self.user(repo.owner),
            "html_url": page,
            "description": repo.description,
            "fork": repo.parent.is_some(),
            "url": url,
        });
        let links: Map<String, Value> =
            LINKS.iter().map(|(name, end)| ((*name).to_owned(), json!(format!("{url}{end}")))).collect();
        let addresses = json!({
            "deployments_url": format!("{url}/deployments"),
            "releases_url": format!("{url}/releases{{/id}}"),
            "git_url": page.replacen("http", "git", 1),
            "ssh_url": format!("git@localhost:{full_name}.git"),
            "clone_url": format!("{page}.git"),
            "svn_url": page,
            "mirror_url": null,
        });
        let times = json!({
            "created_at": time(repo.created_at),
            "updated_at": time(repo.updated_at),
            "pushed_at": time(repo.pushed_at),
        });
        let rest = json!({
            "homepage": repo.homepage,
            "size": 1,
            "stargazers_count": 0,
            "watchers_count": 0,
            "language": null,
            "has_issues": repo.features.issues,
            "has_projects": repo.features.projects,
            "has_downloads": true,
            "has_wiki": repo.features.wiki,
            "has_pages": false,
            "has_discussions": false,
            "forks_count": forks,
            "archived": false,
            "disabled": false,
            "open_issues_count": open,
            "license": self.license(repo),
            "allow_forking": true,
            "is_template": repo.template,
            "web_commit_signoff_required": false,
            "topics": [],
            "visibility": if repo.private { "private" } else { "public" },
            "forks": forks,
            "open_issues": open,
            "watchers": 0,
            "default_branch": repo.default_branch,
        });
        [Value::Object(links), addresses, times, rest].into_iter().fold(head, with)
    }

    /// A repository on its own.
    pub fn full_repo(&self, repo: &Repo) -> Value {
        let forks = self.world.repos.values().filter(|r| r.network == repo.network).count() - 1;
        let mut full = with(
            self.repo(repo),
            json!({
                "temp_clone_token": null,
                "allow_squash_merge": true,
                "allow_merge_commit": true,
                "allow_rebase_merge": true,
                "allow_auto_merge": false,
                "delete_branch_on_merge": false,
                "network_count": forks,
                "subscribers_count": 1,
                "permissions": { "admin": false, "maintain": false, "push": false, "triage": false, "pull": false },
            }),
        );
        if let Some(owner) = self.world.accounts.get(&repo.owner).filter(|a| a.kind == Kind::Organization) {
            full["organization"] = self.account(owner);
        }
        if let Some(parent) = repo.parent.and_then(|id| self.world.repos.get(&id)) {
            full["parent"] = self.repo(parent);
            full["source"] = self.world.repos.get(&repo.network).map_or(Value::Null, |root| self.repo(root));
        }
        full
    }

    fn license(&self, repo: &Repo) -> Value {
        let known = repo.license.as_deref().and_then(|key| license(key).map(|(spdx, name)| (key, spdx, name)));
        known.map_or(Value::Null, |(key, spdx, name)| {
            json!({
                "key": key,
                "name": name,
                "spdx_id": spdx,
                "url": format!("{}/licenses/{key}", self.links.api),
                "node_id": node_id("License", key),
            })
        })
    }

    /// A repository as installation events name it.
    pub fn short_repo(&self, repo: &Repo) -> Value {
        json!({
            "id": repo.id,
            "node_id": node_id("Repository", repo.id),
            "name": repo.name,
            "full_name": self.world.full_name(repo),
            "private": repo.private,
        })
    }
}
