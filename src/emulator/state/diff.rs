//! What changed between two trees, as pull requests show it.

use crate::emulator::state::git::{Blob, Tree};

/// One changed file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChange {
    /// Path after the change (before it, for a removed file).
    pub path: String,
    /// Path before, when the file was renamed.
    pub previous: Option<String>,
    /// `added`, `removed`, `modified` or `renamed`.
    pub status: &'static str,
    /// Object name of the content shown.
    pub sha: String,
    /// Lines that came.
    pub additions: usize,
    /// Lines that went.
    pub deletions: usize,
    /// Unified diff without its header; `None` for binary files and pure renames.
    pub patch: Option<String>,
}

/// The changes that lead from `old` to `new`, by path.
pub fn compare(old: &Tree, new: &Tree) -> Vec<FileChange> {
    let mut gone: Vec<(&String, &Blob)> = old.iter().filter(|(path, _)| !new.contains_key(*path)).collect();
    let mut changes = Vec::new();
    for (path, blob) in new {
        match old.get(path) {
            Some(before) if before.sha == blob.sha => {}
            Some(before) => changes.push(change(path, "modified", Some(before), Some(blob))),
            None => match gone.iter().position(|(_, before)| before.sha == blob.sha && !blob.bytes.is_empty()) {
                Some(index) => {
                    let (previous, _) = gone.remove(index);
                    changes.push(FileChange {
                        path: path.clone(),
                        previous: Some(previous.clone()),
                        status: "renamed",
                        sha: blob.sha.clone(),
                        additions: 0,
                        deletions: 0,
                        patch: None,
                    });
                }
                None => changes.push(change(path, "added", None, Some(blob))),
            },
        }
    }
    changes.extend(gone.into_iter().map(|(path, blob)| change(path, "removed", Some(blob), None)));
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    changes
}

fn change(path: &str, status: &'static str, old: Option<&Blob>, new: Option<&Blob>) -> FileChange {
    let text = |blob: Option<&Blob>| blob.map_or(Some(String::new()), |b| String::from_utf8(b.bytes.to_vec()).ok());
    let (additions, deletions, patch) = match (text(old), text(new)) {
        (Some(old), Some(new)) => hunk(&old, &new),
        _ => (0, 0, None),
    };
    let sha = new.or(old).map(|b| b.sha.clone()).unwrap_or_default();
    FileChange { path: path.to_owned(), previous: None, status, sha, additions, deletions, patch }
}

/// One hunk from the first to the last differing line: valid, though not always the shortest.
fn hunk(old: &str, new: &str) -> (usize, usize, Option<String>) {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let same_start = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (&old[same_start..], &new[same_start..]);
    let same_end = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(a, b)| a == b).count();
    let removed = &old_rest[..old_rest.len() - same_end];
    let added = &new_rest[..new_rest.len() - same_end];
    if removed.is_empty() && added.is_empty() {
        return (0, 0, None);
    }
    let before = same_start.min(3);
    let after = same_end.min(3);
    let context = &old[same_start - before..same_start];
    let tail = &old[same_start + removed.len()..][..after];
    let range = |length: usize| {
        let start = same_start - before + usize::from(length > 0);
        if length == 1 { start.to_string() } else { format!("{start},{length}") }
    };
    let mut lines =
        vec![format!("@@ -{} +{} @@", range(before + removed.len() + after), range(before + added.len() + after))];
    for (mark, part) in [(' ', context), ('-', removed), ('+', added), (' ', tail)] {
        lines.extend(part.iter().map(|line| format!("{mark}{line}")));
    }
    (added.len(), removed.len(), Some(lines.join("\n")))
}

#[cfg(test)]
mod tests {
    use super::{compare, hunk};
    use crate::emulator::state::git::{Blob, Tree};

    fn tree(files: &[(&str, &str)]) -> Tree {
        files.iter().map(|(path, text)| ((*path).to_owned(), Blob::new((*text).to_owned()))).collect()
    }

    #[test]
    fn each_kind_of_change_is_named() {
        let old = tree(&[("kept", "1"), ("edited", "a\n"), ("moved", "same\n"), ("gone", "x\n")]);
        let new = tree(&[("kept", "1"), ("edited", "b\n"), ("there", "same\n"), ("fresh", "y\nz\n")]);
        let found: Vec<_> =
            compare(&old, &new).into_iter().map(|c| (c.path, c.status, c.additions, c.deletions)).collect();
        let expected = [
            ("edited", "modified", 1, 1),
            ("fresh", "added", 2, 0),
            ("gone", "removed", 0, 1),
            ("there", "renamed", 0, 0),
        ];
        assert_eq!(found, expected.map(|(p, s, a, d)| (p.to_owned(), s, a, d)));
    }

    #[test]
    fn hunks_are_unified_diffs() {
        assert_eq!(hunk("", "a\nb\n").2.as_deref(), Some("@@ -0,0 +1,2 @@\n+a\n+b"));
        assert_eq!(hunk("a\n", "").2.as_deref(), Some("@@ -1 +0,0 @@\n-a"));
        assert_eq!(
            hunk("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n").2.as_deref(),
            Some("@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8")
        );
        assert_eq!(hunk("a\n", "a\n"), (0, 0, None));
    }
}
