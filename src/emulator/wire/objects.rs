//! Commits, trees and blobs as the Git database API shows them.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::emulator::state::git::tree_name;
use crate::emulator::state::{Commit, Repo, Tree};
use crate::emulator::wire::{Wire, node_id};

/// Base64 in lines of 60 characters, as GitHub breaks it.
pub fn base64_lines(bytes: &[u8]) -> String {
    let text = STANDARD.encode(bytes);
    let mut lines = String::with_capacity(text.len() + text.len() / 60 + 1);
    for start in (0..text.len()).step_by(60) {
        lines.push_str(&text[start..text.len().min(start + 60)]);
        lines.push('\n');
    }
    lines
}

impl Wire<'_> {
    /// A commit without its files.
    pub fn git_commit(&self, repo: &Repo, commit: &Commit) -> Value {
        let (url, page, sha) = (self.repo_url(repo), self.repo_page(repo), &commit.sha);
        let author = self.git_user(commit);
        let parent = |p: &String| json!({ "sha": p, "url": format!("{url}/git/commits/{p}"), "html_url": format!("{page}/commit/{p}") });
        json!({
            "sha": sha,
            "node_id": node_id("Commit", sha),
            "url": format!("{url}/git/commits/{sha}"),
            "html_url": format!("{page}/commit/{sha}"),
            "author": author,
            "committer": author,
            "tree": { "sha": commit.tree_sha, "url": format!("{url}/git/trees/{}", commit.tree_sha) },
            "message": commit.message,
            "parents": commit.parents.iter().map(parent).collect::<Vec<_>>(),
            "verification": {
                "verified": false, "reason": "unsigned", "signature": null, "payload": null, "verified_at": null,
            },
        })
    }

    /// A folder's entries in git's order: its own, or (`recursive`) also those of the folders inside.
    pub fn git_tree(&self, repo: &Repo, tree: &Tree, recursive: bool) -> Value {
        let (url, sha) = (self.repo_url(repo), tree_name(tree, ""));
        // git sorts a folder as if its name ended with a slash.
        let mut entries: BTreeMap<String, Value> = BTreeMap::new();
        for (path, blob) in tree {
            let folders = path.match_indices('/').map(|(end, _)| &path[..end]);
            for folder in folders.take(if recursive { usize::MAX } else { 1 }) {
                let inside = format!("{folder}/");
                entries.entry(inside.clone()).or_insert_with(|| {
                    let sha = tree_name(tree, &inside);
                    let address = format!("{url}/git/trees/{sha}");
                    json!({ "path": folder, "mode": "040000", "type": "tree", "sha": sha, "url": address })
                });
            }
            if recursive || !path.contains('/') {
                let sha = &blob.sha;
                let entry = json!({
                    "path": path, "mode": "100644", "type": "blob", "sha": sha, "size": blob.bytes.len(),
                    "url": format!("{url}/git/blobs/{sha}"),
                });
                entries.insert(path.clone(), entry);
            }
        }
        let entries: Vec<Value> = entries.into_values().collect();
        json!({ "sha": sha, "url": format!("{url}/git/trees/{sha}"), "tree": entries, "truncated": false })
    }

    /// A file with its content.
    pub fn git_blob(&self, repo: &Repo, sha: &str, bytes: &[u8]) -> Value {
        json!({
            "sha": sha,
            "node_id": node_id("Blob", sha),
            "size": bytes.len(),
            "url": format!("{}/git/blobs/{sha}", self.repo_url(repo)),
            "content": base64_lines(bytes),
            "encoding": "base64",
        })
    }
}
