//! Commits, references, branches and files on the wire.

use serde_json::{Value, json};

use crate::emulator::state::diff::{FileChange, compare};
use crate::emulator::state::git::{Blob, tree_name};
use crate::emulator::state::{Commit, Repo, Tree};
use crate::emulator::wire::objects::base64_lines;
use crate::emulator::wire::{Wire, node_id, time, with};

impl Wire<'_> {
    /// A commit with its files, as the commits API shows it.
    pub fn commit(&self, repo: &Repo, commit: &Commit) -> Value {
        let (url, page) = (self.repo_url(repo), self.repo_page(repo));
        let sha = &commit.sha;
        let author = self.git_user(commit);
        let parents: Vec<Value> = commit
            .parents
            .iter()
            .map(|p| json!({ "sha": p, "url": format!("{url}/commits/{p}"), "html_url": format!("{page}/commit/{p}") }))
            .collect();
        json!({
            "sha": sha,
            "node_id": node_id("Commit", sha),
            "commit": {
                "author": author,
                "committer": author,
                "message": commit.message,
                "tree": { "sha": commit.tree_sha, "url": format!("{url}/git/trees/{}", commit.tree_sha) },
                "url": format!("{url}/git/commits/{sha}"),
                "comment_count": 0,
                "verification": {
                    "verified": false, "reason": "unsigned", "signature": null, "payload": null, "verified_at": null,
                },
            },
            "url": format!("{url}/commits/{sha}"),
            "html_url": format!("{page}/commit/{sha}"),
            "comments_url": format!("{url}/commits/{sha}/comments"),
            "author": self.user(commit.author),
            "committer": self.user(commit.author),
            "parents": parents,
        })
    }

    /// A commit with statistics and changed files.
    pub fn full_commit(&self, repo: &Repo, commit: &Commit) -> Value {
        let empty = Tree::new();
        let before = commit.parents.first().and_then(|p| self.world.commit(repo, p)).map_or(&empty, |c| &*c.tree);
        let changes = compare(before, &commit.tree);
        let (additions, deletions) =
            changes.iter().fold((0, 0), |(a, d), change| (a + change.additions, d + change.deletions));
        let files: Vec<Value> = changes.iter().map(|c| self.file_change(repo, &commit.sha, c)).collect();
        with(
            self.commit(repo, commit),
            json!({
                "stats": { "total": additions + deletions, "additions": additions, "deletions": deletions },
                "files": files,
            }),
        )
    }

    /// Name, address and time of who made a commit.
    pub fn git_user(&self, commit: &Commit) -> Value {
        let login = self.world.login(commit.author);
        json!({ "name": login, "email": format!("{login}@users.noreply.github.com"), "date": time(commit.date) })
    }

    /// A changed file at commit `sha`.
    pub fn file_change(&self, repo: &Repo, sha: &str, change: &FileChange) -> Value {
        let (url, page) = (self.repo_url(repo), self.repo_page(repo));
        let path = escape_path(&change.path);
        let mut file = json!({
            "sha": change.sha,
            "filename": change.path,
            "status": change.status,
            "additions": change.additions,
            "deletions": change.deletions,
            "changes": change.additions + change.deletions,
            "blob_url": format!("{page}/blob/{sha}/{path}"),
            "raw_url": format!("{page}/raw/{sha}/{path}"),
            "contents_url": format!("{url}/contents/{path}?ref={sha}"),
        });
        if let Some(patch) = &change.patch {
            file["patch"] = json!(patch);
        }
        if let Some(previous) = &change.previous {
            file["previous_filename"] = json!(previous);
        }
        file
    }

    /// A reference; `name` is without `refs/`.
    pub fn reference(&self, repo: &Repo, name: &str, sha: &str) -> Value {
        let url = self.repo_url(repo);
        json!({
            "ref": format!("refs/{name}"),
            "node_id": node_id("Ref", format!("{}:refs/{name}", repo.id)),
            "url": format!("{url}/git/refs/{}", escape_path(name)),
            "object": { "sha": sha, "type": "commit", "url": format!("{url}/git/commits/{sha}") },
        })
    }

    /// A branch on its own.
    pub fn branch(&self, repo: &Repo, name: &str, commit: &Commit) -> Value {
        let (url, page) = (self.repo_url(repo), self.repo_page(repo));
        let escaped = escape_path(name);
        json!({
            "name": name,
            "commit": self.commit(repo, commit),
            "_links": { "self": format!("{url}/branches/{escaped}"), "html": format!("{page}/tree/{escaped}") },
            "protected": false,
            "protection": {
                "enabled": false,
                "required_status_checks": { "enforcement_level": "off", "contexts": [], "checks": [] },
            },
            "protection_url": format!("{url}/branches/{escaped}/protection"),
        })
    }

    /// A branch in a list.
    pub fn short_branch(&self, repo: &Repo, name: &str, sha: &str) -> Value {
        let url = self.repo_url(repo);
        json!({
            "name": name,
            "commit": { "sha": sha, "url": format!("{url}/commits/{sha}") },
            "protected": false,
        })
    }

    /// A file with its content, as the contents API shows it.
    pub fn content_file(&self, repo: &Repo, reference: &str, path: &str, blob: &Blob) -> Value {
        let content = base64_lines(&blob.bytes);
        with(
            self.content_entry(repo, reference, path, "file", &blob.sha, blob.bytes.len()),
            json!({ "content": content, "encoding": "base64" }),
        )
    }

    /// What is in the folder `path` (empty for the root); `None` when there is no such folder.
    pub fn content_folder(&self, repo: &Repo, reference: &str, tree: &Tree, path: &str) -> Option<Value> {
        let prefix = if path.is_empty() { String::new() } else { format!("{path}/") };
        let mut entries: Vec<(String, Value)> = Vec::new();
        for (full, blob) in tree.range(prefix.clone()..).take_while(|(p, _)| p.starts_with(&prefix)) {
            let rest = &full[prefix.len()..];
            let (name, entry) = match rest.split_once('/') {
                None => (rest, self.content_entry(repo, reference, full, "file", &blob.sha, blob.bytes.len())),
                Some((folder, _)) if entries.last().is_some_and(|(last, _)| last == folder) => continue,
                Some((folder, _)) => {
                    let inside = format!("{prefix}{folder}");
                    let sha = tree_name(tree, &format!("{inside}/"));
                    (folder, self.content_entry(repo, reference, &inside, "dir", &sha, 0))
                }
            };
            entries.push((name.to_owned(), entry));
        }
        if entries.is_empty() && !path.is_empty() {
            return None;
        }
        Some(entries.into_iter().map(|(_, entry)| entry).collect())
    }

    fn content_entry(&self, repo: &Repo, reference: &str, path: &str, kind: &str, sha: &str, size: usize) -> Value {
        let (url, page) = (self.repo_url(repo), self.repo_page(repo));
        let name = path.rsplit('/').next().unwrap_or(path);
        let escaped = escape_path(path);
        let own = format!("{url}/contents/{escaped}?ref={reference}");
        let (folder, git) = if kind == "dir" { ("tree", "trees") } else { ("blob", "blobs") };
        let git = format!("{url}/git/{git}/{sha}");
        let shown = format!("{page}/{folder}/{reference}/{escaped}");
        let download = (kind == "file").then(|| format!("{page}/raw/{reference}/{escaped}"));
        json!({
            "name": name,
            "path": path,
            "sha": sha,
            "size": size,
            "url": own,
            "html_url": shown,
            "git_url": git,
            "download_url": download,
            "type": kind,
            "_links": { "self": own, "git": git, "html": shown },
        })
    }
}

/// `path` with everything escaped that may not stand in a URL's path; slashes stay.
pub fn escape_path(path: &str) -> String {
    let mut escaped = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/!$&'()*,;=:@".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}
