//! Trees and blobs by their names, as the Git database API hands them out and takes them.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::emulator::state::git::{Blob, Tree, name_trees};
use crate::emulator::state::{Refusal, Repo, World};

/// The trees and blobs of a network of forks.
#[derive(Clone, Debug, Default)]
pub struct Objects {
    /// Folders: all files, and the prefix of those that are meant (empty, or ending with `/`).
    trees: HashMap<String, (Arc<Tree>, String)>,
    blobs: HashMap<String, Bytes>,
}

/// A change of a tree: what is at `path` from now on.
#[derive(Clone, Debug)]
pub struct TreeEdit {
    /// The path.
    pub path: String,
    /// What is there.
    pub what: TreeItem,
}

/// What may be put into a tree.
#[derive(Clone, Debug)]
pub enum TreeItem {
    /// A new file.
    Content(Bytes),
    /// A file or folder that exists, by name.
    Named(String),
    /// Nothing any more.
    Gone,
}

impl World {
    fn objects_of(&mut self, repo: i64) -> &mut Objects {
        let network = self.repos.get(&repo).map_or(repo, |r| r.network);
        self.objects.entry(network).or_default()
    }

    /// Remembers a tree with all folders and files in it; gives its name.
    pub fn keep_tree(&mut self, repo: i64, tree: &Arc<Tree>) -> String {
        let objects = self.objects_of(repo);
        for blob in tree.values() {
            objects.blobs.entry(blob.sha.clone()).or_insert_with(|| blob.bytes.clone());
        }
        name_trees(tree, "", &mut |prefix, sha| {
            objects.trees.entry(sha.to_owned()).or_insert_with(|| (Arc::clone(tree), prefix.to_owned()));
        })
    }

    /// Remembers a file; gives its name.
    pub fn keep_blob(&mut self, repo: i64, bytes: Bytes) -> String {
        let blob = Blob::new(bytes);
        self.objects_of(repo).blobs.insert(blob.sha.clone(), blob.bytes);
        blob.sha
    }

    /// The content called `sha`.
    pub fn blob(&self, repo: &Repo, sha: &str) -> Option<&Bytes> {
        self.objects.get(&repo.network)?.blobs.get(sha)
    }

    /// The files of the tree called `sha`, with paths from there; also by a commit, a branch or a tag.
    pub fn tree(&self, repo: &Repo, sha: &str) -> Option<Tree> {
        if let Some((tree, prefix)) = self.objects.get(&repo.network).and_then(|o| o.trees.get(sha)) {
            let inside = tree.range(prefix.clone()..).take_while(|(path, _)| path.starts_with(prefix.as_str()));
            return Some(inside.map(|(path, blob)| (path[prefix.len()..].to_owned(), blob.clone())).collect());
        }
        self.resolve(repo, sha).map(|commit| (*commit.tree).clone())
    }

    /// Makes a tree: that of `base` (an empty one when `None`) after `edits`; gives its name.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] without `base`, [`Refusal::Invalid`] without an object that is named.
    pub fn write_tree(&mut self, repo_id: i64, base: Option<&str>, edits: Vec<TreeEdit>) -> Result<String, Refusal> {
        let repo = self.repos.get(&repo_id).ok_or(Refusal::NotFound)?;
        let mut tree = match base {
            Some(base) => self.tree(repo, base).ok_or(Refusal::NotFound)?,
            None => Tree::new(),
        };
        for TreeEdit { path, what } in edits {
            let inside = format!("{path}/");
            tree.retain(|known, _| *known != path && !known.starts_with(&inside));
            match what {
                TreeItem::Gone => {}
                TreeItem::Content(bytes) => drop(tree.insert(path, Blob::new(bytes))),
                TreeItem::Named(sha) => {
                    if let Some(bytes) = self.blob(repo, &sha) {
                        tree.insert(path, Blob { sha, bytes: bytes.clone() });
                    } else {
                        let folder = self.objects.get(&repo.network).is_some_and(|o| o.trees.contains_key(&sha));
                        let files = self.tree(repo, &sha).filter(|_| folder);
                        let files =
                            files.ok_or_else(|| Refusal::Invalid(format!("tree.sha {sha} is not a valid object")))?;
                        tree.extend(files.into_iter().map(|(name, blob)| (format!("{inside}{name}"), blob)));
                    }
                }
            }
        }
        Ok(self.keep_tree(repo_id, &Arc::new(tree)))
    }
}
