//! Commits and trees with git's real object names, kept in memory and shared between forks.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use bytes::Bytes;
use chrono::{DateTime, Utc};

use crate::emulator::state::{Refusal, Repo, World};

/// A file's content with its object name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// Object name.
    pub sha: String,
    /// Content.
    pub bytes: Bytes,
}

impl Blob {
    /// Names `bytes`.
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self { sha: object_name("blob", &bytes), bytes }
    }
}

/// Files by path.
pub type Tree = BTreeMap<String, Blob>;

/// A commit.
#[derive(Clone, Debug)]
pub struct Commit {
    /// Object name.
    pub sha: String,
    /// Object name of the tree.
    pub tree_sha: String,
    /// All files.
    pub tree: Arc<Tree>,
    /// Parents, the first one first.
    pub parents: Vec<String>,
    /// Message.
    pub message: String,
    /// Account of the author and committer.
    pub author: i64,
    /// When it was made.
    pub date: DateTime<Utc>,
}

/// What a push does to a path: the new content, or `None` to delete it.
pub type Edits = BTreeMap<String, Option<Bytes>>;

/// The name that git gives to an object.
pub fn object_name(kind: &str, content: &[u8]) -> String {
    let mut bytes = format!("{kind} {}\0", content.len()).into_bytes();
    bytes.extend_from_slice(content);
    hex::encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &bytes))
}

/// The object name of the folder `prefix` (empty, or ending with `/`) of `tree`.
pub fn tree_name(tree: &Tree, prefix: &str) -> String {
    name_trees(tree, prefix, &mut |_, _| {})
}

/// The same; `named` hears the name of every folder inside and of the folder itself.
pub(super) fn name_trees(tree: &Tree, prefix: &str, named: &mut dyn FnMut(&str, &str)) -> String {
    // git sorts a folder as if its name ended with a slash.
    let mut entries: BTreeMap<String, (&str, String, String)> = BTreeMap::new();
    for (path, blob) in tree.range(prefix.to_owned()..).take_while(|(path, _)| path.starts_with(prefix)) {
        let rest = &path[prefix.len()..];
        if let Some((folder, _)) = rest.split_once('/') {
            let inside = format!("{prefix}{folder}/");
            let entry = || ("40000", folder.to_owned(), name_trees(tree, &inside, &mut *named));
            entries.entry(format!("{folder}/")).or_insert_with(entry);
        } else {
            entries.insert(rest.to_owned(), ("100644", rest.to_owned(), blob.sha.clone()));
        }
    }
    let mut content = Vec::new();
    for (mode, name, sha) in entries.values() {
        content.extend_from_slice(format!("{mode} {name}\0").as_bytes());
        content.extend(hex::decode(sha).unwrap_or_default());
    }
    let name = object_name("tree", &content);
    named(prefix, &name);
    name
}

/// `tree` after `edits`.
pub fn edited(tree: &Tree, edits: &Edits) -> Tree {
    let mut tree = tree.clone();
    for (path, content) in edits {
        match content {
            Some(bytes) => tree.insert(path.clone(), Blob::new(bytes.clone())),
            None => tree.remove(path),
        };
    }
    tree
}

impl World {
    /// The commit `sha` of the network of forks that `repo` belongs to.
    pub fn commit(&self, repo: &Repo, sha: &str) -> Option<&Commit> {
        self.networks.get(&repo.network)?.get(sha)
    }

    /// Stores a commit without moving any branch.
    pub fn write_commit(&mut self, repo: i64, tree: Tree, parents: Vec<String>, message: &str, author: i64) -> String {
        let (date, tree) = (self.now(), Arc::new(tree));
        let tree_sha = self.keep_tree(repo, &tree);
        let login = self.login(author).to_owned();
        let who = format!("{login} <{login}@users.noreply.github.com> {} +0000", date.timestamp());
        let lines: String = parents.iter().map(|p| format!("parent {p}\n")).collect();
        let content = format!("tree {tree_sha}\n{lines}author {who}\ncommitter {who}\n\n{message}");
        let sha = object_name("commit", content.as_bytes());
        let network = self.repos.get(&repo).map_or(repo, |r| r.network);
        let commit = Commit { sha: sha.clone(), tree_sha, tree, parents, message: message.to_owned(), author, date };
        self.networks.entry(network).or_default().insert(sha.clone(), commit);
        sha
    }

    /// The commit that `reference` names: a branch, a tag, a full reference, or (the start of) an object name.
    pub fn resolve<'a>(&'a self, repo: &'a Repo, reference: &str) -> Option<&'a Commit> {
        let full = reference.strip_prefix("refs/").unwrap_or(reference);
        let candidates = [full.to_owned(), format!("heads/{full}"), format!("tags/{full}")];
        if let Some(sha) = candidates.iter().find_map(|name| repo.refs.get(name)) {
            return self.commit(repo, sha);
        }
        if let Some(commit) = self.commit(repo, reference) {
            return Some(commit);
        }
        let short = reference.len() >= 7 && reference.bytes().all(|b| b.is_ascii_hexdigit());
        let commits = self.networks.get(&repo.network).filter(|_| short)?;
        commits.values().find(|commit| commit.sha.starts_with(reference))
    }

    /// The ancestors of `sha` and itself, nearest first.
    pub fn ancestors(&self, repo: &Repo, sha: &str) -> Vec<String> {
        let mut seen = BTreeSet::from([sha.to_owned()]);
        let (mut queue, mut order) = (VecDeque::from([sha.to_owned()]), Vec::new());
        while let Some(next) = queue.pop_front() {
            for parent in self.commit(repo, &next).map(|c| c.parents.as_slice()).unwrap_or_default() {
                if seen.insert(parent.clone()) {
                    queue.push_back(parent.clone());
                }
            }
            order.push(next);
        }
        order
    }

    /// Where the histories of `one` and `other` part.
    pub fn merge_base(&self, repo: &Repo, one: &str, other: &str) -> Option<String> {
        let ours: BTreeSet<String> = self.ancestors(repo, one).into_iter().collect();
        self.ancestors(repo, other).into_iter().find(|sha| ours.contains(sha))
    }

    /// The commits that `head` has and `base` has not, oldest first.
    pub fn commits_between(&self, repo: &Repo, base: &str, head: &str) -> Vec<String> {
        let known: BTreeSet<String> = self.ancestors(repo, base).into_iter().collect();
        let mut commits: Vec<_> = self.ancestors(repo, head).into_iter().filter(|sha| !known.contains(sha)).collect();
        commits.reverse();
        commits
    }

    /// The tree of `head` merged into `base`, file by file; `None` when both changed the same file differently.
    pub fn merged_tree(&self, repo: &Repo, base: &str, head: &str) -> Option<Tree> {
        let origin = self.merge_base(repo, base, head).and_then(|sha| self.commit(repo, &sha));
        let empty = Tree::new();
        let origin = origin.map_or(&empty, |c| &*c.tree);
        let (ours, theirs) = (&*self.commit(repo, base)?.tree, &*self.commit(repo, head)?.tree);
        let paths: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
        let mut tree = Tree::new();
        for path in paths {
            let (o, a, b) = (origin.get(path), ours.get(path), theirs.get(path));
            let chosen = if b == o {
                a
            } else if a == o || a == b {
                b
            } else {
                return None;
            };
            if let Some(blob) = chosen {
                tree.insert(path.clone(), blob.clone());
            }
        }
        Some(tree)
    }

    /// Points `reference` (`heads/…`, `tags/…`) at `sha`, makes or (with `None`) deletes it, and tells what follows from
    /// it: a push, changed pull requests, check suites.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] without the repository, [`Refusal::Invalid`] without the commit.
    pub fn set_ref(&mut self, repo_id: i64, reference: &str, sha: Option<&str>, actor: i64) -> Result<(), Refusal> {
        let now = self.now();
        let repo = self.repos.get(&repo_id).ok_or(Refusal::NotFound)?;
        if let Some(sha) = sha
            && self.commit(repo, sha).is_none()
        {
            return Err(Refusal::Invalid("Object does not exist".to_owned()));
        }
        let repo = self.repos.get_mut(&repo_id).ok_or(Refusal::NotFound)?;
        let before = match sha {
            Some(sha) => repo.refs.insert(reference.to_owned(), sha.to_owned()),
            None => repo.refs.remove(reference),
        };
        repo.pushed_at = now;
        repo.updated_at = now;
        self.pushed(repo_id, reference, before.as_deref(), sha, actor);
        Ok(())
    }

    /// Commits `edits` on top of `branch` (which begins at the default branch when it is new).
    ///
    /// # Errors
    /// [`Refusal::NotFound`] without the repository.
    pub fn push(
        &mut self,
        repo: i64,
        branch: &str,
        edits: &Edits,
        message: &str,
        actor: i64,
    ) -> Result<String, Refusal> {
        let model = self.repos.get(&repo).ok_or(Refusal::NotFound)?;
        let tip =
            self.resolve(model, &format!("heads/{branch}")).or_else(|| self.resolve(model, &model.default_branch));
        let parents: Vec<String> = tip.iter().map(|c| c.sha.clone()).collect();
        let tree = edited(&tip.map(|c| Arc::clone(&c.tree)).unwrap_or_default(), edits);
        let sha = self.write_commit(repo, tree, parents, message, actor);
        self.set_ref(repo, &format!("heads/{branch}"), Some(&sha), actor)?;
        Ok(sha)
    }
}

#[cfg(test)]
mod tests {
    use super::{Blob, Tree, object_name, tree_name};

    /// Names that git itself prints.
    #[test]
    fn objects_have_gits_names() {
        assert_eq!(Blob::new("hello\n").sha, "ce013625030ba8dba906f756967f9e9ca394464a");
        assert_eq!(tree_name(&Tree::new(), ""), "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
        let tree =
            Tree::from([("a.txt".to_owned(), Blob::new("hello\n")), ("a/b.txt".to_owned(), Blob::new("hello\n"))]);
        assert_eq!(
            tree_name(&tree, "a/"),
            object_name("tree", &{
                let mut entry = b"100644 b.txt\0".to_vec();
                entry.extend(hex::decode("ce013625030ba8dba906f756967f9e9ca394464a").expect("hex"));
                entry
            })
        );
        // `a.txt` sorts before `a/`, as '.' does before '/'.
        assert_ne!(tree_name(&tree, ""), tree_name(&Tree::new(), ""));
    }
}
