//! Pull requests and what a push does to them.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::emulator::state::diff::{FileChange, compare};
use crate::emulator::state::git::Tree;
use crate::emulator::state::{Refusal, Repo, What, World};

/// The object name that GitHub gives for "no commit".
pub const NO_COMMIT: &str = "0000000000000000000000000000000000000000";

/// What makes an issue a pull request.
#[derive(Clone, Debug)]
pub struct Pull {
    /// Its id, which is not the issue's.
    pub id: i64,
    /// Repository that the changes come from; `None` once that is gone.
    pub head_repo: Option<i64>,
    /// Account that owns, or owned, that repository.
    pub head_owner: i64,
    /// Branch that the changes come from.
    pub head_ref: String,
    /// Newest commit.
    pub head_sha: String,
    /// Branch that they shall go to.
    pub base_ref: String,
    /// Its commit when the pull request was opened or last changed.
    pub base_sha: String,
    /// Not ready yet.
    pub draft: bool,
    /// Whether the base's maintainers may push to the head.
    pub maintainer_can_modify: bool,
    /// When it was merged.
    pub merged_at: Option<DateTime<Utc>>,
    /// Who merged it.
    pub merged_by: Option<i64>,
    /// The merge commit, once merged.
    pub merge_commit_sha: Option<String>,
}

/// A pull request to be opened.
#[derive(Clone, Debug)]
pub struct NewPull {
    /// Title.
    pub title: String,
    /// Text.
    pub body: Option<String>,
    /// Repository that the changes come from.
    pub head_repo: i64,
    /// Branch there.
    pub head_ref: String,
    /// Branch that they shall go to.
    pub base_ref: String,
    /// Not ready yet.
    pub draft: bool,
    /// Whether the base's maintainers may push to the head.
    pub maintainer_can_modify: bool,
}

impl World {
    /// Opens a pull request and gives its number.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] naming the field that GitHub would name (`head`, `base`) or its text.
    pub fn open_pull(&mut self, repo_id: i64, new: NewPull, actor: i64) -> Result<i64, Refusal> {
        let repo = self.repos.get(&repo_id).ok_or(Refusal::NotFound)?;
        let head_repo = self.repos.get(&new.head_repo).ok_or_else(|| Refusal::Invalid("head".to_owned()))?;
        let branch = |r: &Repo, name: &str| r.refs.get(&format!("heads/{name}")).cloned();
        let base_sha = branch(repo, &new.base_ref).ok_or_else(|| Refusal::Invalid("base".to_owned()))?;
        let head_sha = branch(head_repo, &new.head_ref).ok_or_else(|| Refusal::Invalid("head".to_owned()))?;
        if head_repo.network != repo.network {
            return Err(Refusal::Invalid("head".to_owned()));
        }
        let head_owner = head_repo.owner;
        let label = format!("{}:{}", self.login(head_repo.owner), new.head_ref);
        if self.commits_between(repo, &base_sha, &head_sha).is_empty() {
            return Err(Refusal::Invalid(format!("No commits between {} and {}", new.base_ref, new.head_ref)));
        }
        let open = repo.issues.values().filter(|issue| issue.open).filter_map(|issue| issue.pull.as_ref());
        if open
            .into_iter()
            .any(|p| p.head_repo == Some(new.head_repo) && p.head_ref == new.head_ref && p.base_ref == new.base_ref)
        {
            return Err(Refusal::Invalid(format!("A pull request already exists for {label}.")));
        }
        let pull = Pull {
            id: self.id(),
            head_repo: Some(new.head_repo),
            head_owner,
            head_ref: new.head_ref,
            head_sha: head_sha.clone(),
            base_ref: new.base_ref,
            base_sha,
            draft: new.draft,
            maintainer_can_modify: new.maintainer_can_modify,
            merged_at: None,
            merged_by: None,
            merge_commit_sha: None,
        };
        let number = self.insert_issue(repo_id, &new.title, new.body, actor, Some(pull))?;
        if let Some(repo) = self.repos.get_mut(&repo_id) {
            repo.refs.insert(format!("pull/{number}/head"), head_sha);
        }
        self.tell_issue(repo_id, number, "opened", None, actor);
        Ok(number)
    }

    /// The pull request `number`.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] when there is none or it is a plain issue.
    pub fn pull(&self, repo: i64, number: i64) -> Result<&Pull, Refusal> {
        self.issue(repo, number)?.pull.as_ref().ok_or(Refusal::NotFound)
    }

    /// The files that a pull request changes: from where the branches parted to its head.
    pub fn pull_files(&self, repo: &Repo, pull: &Pull) -> Vec<FileChange> {
        let empty = Arc::new(Tree::new());
        let tree = |sha: &str| self.commit(repo, sha).map_or_else(|| Arc::clone(&empty), |c| Arc::clone(&c.tree));
        let base = self.merge_base(repo, &pull.base_sha, &pull.head_sha).unwrap_or_else(|| pull.base_sha.clone());
        compare(&tree(&base), &tree(&pull.head_sha))
    }

    /// Whether the pull request can be merged: the base's tip and the head do not change the same file.
    pub fn mergeable(&self, repo: &Repo, pull: &Pull) -> bool {
        let base = repo.refs.get(&format!("heads/{}", pull.base_ref));
        base.is_some_and(|base| self.merged_tree(repo, base, &pull.head_sha).is_some())
    }

    /// Merges a pull request; gives the merge commit. `method` is `merge`, `squash` or `rebase` (done as a squash).
    ///
    /// # Errors
    /// [`Refusal::NotFound`], [`Refusal::Invalid`] (405) when it cannot be merged, [`Refusal::Conflict`] (409) when
    /// the head is not `expected`.
    pub fn merge_pull(
        &mut self,
        repo_id: i64,
        number: i64,
        method: &str,
        message: Option<String>,
        expected: Option<&str>,
        actor: i64,
    ) -> Result<String, Refusal> {
        let issue = self.issue(repo_id, number)?;
        let (pull, title) = (self.pull(repo_id, number)?.clone(), issue.title.clone());
        if expected.is_some_and(|sha| sha != pull.head_sha) {
            return Err(Refusal::Conflict("Head branch was modified. Review and try the merge again.".to_owned()));
        }
        let refused = || Refusal::Invalid("Pull Request is not mergeable".to_owned());
        if !issue.open || pull.draft {
            return Err(refused());
        }
        let repo = self.repos.get(&repo_id).ok_or(Refusal::NotFound)?;
        let base = repo.refs.get(&format!("heads/{}", pull.base_ref)).cloned().ok_or_else(refused)?;
        let tree = self.merged_tree(repo, &base, &pull.head_sha).ok_or_else(refused)?;
        let from = pull.head_repo.and_then(|id| self.repos.get(&id)).map_or("", |r| self.login(r.owner));
        let (parents, default) = if method == "merge" {
            let text = format!("Merge pull request #{number} from {from}/{}\n\n{title}", pull.head_ref);
            (vec![base, pull.head_sha.clone()], text)
        } else {
            (vec![base], format!("{title} (#{number})"))
        };
        let sha = self.write_commit(repo_id, tree, parents, &message.unwrap_or(default), actor);
        let now = self.now();
        let issue = self.issue_mut(repo_id, number)?;
        issue.open = false;
        issue.closed_at = Some(now);
        issue.closed_by = Some(actor);
        issue.updated_at = now;
        if let Some(pull) = issue.pull.as_mut() {
            pull.merged_at = Some(now);
            pull.merged_by = Some(actor);
            pull.merge_commit_sha = Some(sha.clone());
        }
        self.tell_issue(repo_id, number, "closed", None, actor);
        self.set_ref(repo_id, &format!("heads/{}", pull.base_ref), Some(&sha), actor)?;
        Ok(sha)
    }

    /// Makes a pull request a draft, or ready for review.
    ///
    /// # Errors
    /// [`Refusal::NotFound`].
    pub fn set_draft(&mut self, repo: i64, number: i64, draft: bool, actor: i64) -> Result<(), Refusal> {
        let pull = self.issue_mut(repo, number)?.pull.as_mut().ok_or(Refusal::NotFound)?;
        if std::mem::replace(&mut pull.draft, draft) != draft {
            let action = if draft { "converted_to_draft" } else { "ready_for_review" };
            self.tell_issue(repo, number, action, None, actor);
        }
        Ok(())
    }

    /// What follows from a moved reference.
    pub(super) fn pushed(&mut self, repo: i64, reference: &str, before: Option<&str>, after: Option<&str>, actor: i64) {
        let before = before.unwrap_or(NO_COMMIT).to_owned();
        let after = after.unwrap_or(NO_COMMIT).to_owned();
        if before == after {
            return;
        }
        let full = format!("refs/{reference}");
        self.happened(actor, What::Push { repo, reference: full, before: before.clone(), after: after.clone() });
        let Some(branch) = reference.strip_prefix("heads/").map(str::to_owned) else { return };
        let moved = self.follow_head(repo, &branch, &after);
        for (base_repo, number) in moved {
            let what = What::Pull {
                repo: base_repo,
                number,
                action: "synchronize",
                before: Some(before.clone()),
                label: None,
            };
            self.happened(actor, what);
        }
        if after == NO_COMMIT {
            return;
        }
        self.request_suites(repo, &branch, &before, &after, actor);
        // A pull request from a fork gets its suites where it wants to go.
        for (base_repo, _) in self.pulls_from(repo, &branch) {
            if base_repo != repo {
                self.request_suites(base_repo, &branch, &before, &after, actor);
            }
        }
    }

    /// Open pull requests whose head is `branch` of `repo`: base repository and number.
    fn pulls_from(&self, repo: i64, branch: &str) -> Vec<(i64, i64)> {
        let network = self.repos.get(&repo).map(|r| r.network);
        let relatives = self.repos.values().filter(|r| Some(r.network) == network);
        relatives
            .flat_map(|r| r.issues.values().map(move |issue| (r.id, issue)))
            .filter(|(_, issue)| issue.open)
            .filter(|(_, issue)| issue.pull.as_ref().is_some_and(|p| p.head_repo == Some(repo) && p.head_ref == branch))
            .map(|(id, issue)| (id, issue.number))
            .collect()
    }

    fn follow_head(&mut self, repo: i64, branch: &str, after: &str) -> Vec<(i64, i64)> {
        let now = self.now();
        let moved = if after == NO_COMMIT { Vec::new() } else { self.pulls_from(repo, branch) };
        for (base_repo, number) in &moved {
            let Some(model) = self.repos.get_mut(base_repo) else { continue };
            model.refs.insert(format!("pull/{number}/head"), after.to_owned());
            if let Some(issue) = model.issues.get_mut(number) {
                issue.updated_at = now;
                if let Some(pull) = issue.pull.as_mut() {
                    pull.head_sha = after.to_owned();
                }
            }
        }
        moved
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::NewPull;
    use crate::emulator::state::git::Edits;
    use crate::emulator::state::repos::NewRepo;
    use crate::emulator::state::{Refusal, World};
    use crate::util::Clock;

    fn edits(path: &str, text: &'static str) -> Edits {
        Edits::from([(path.to_owned(), Some(Bytes::from(text)))])
    }

    fn world() -> (World, i64, i64) {
        let mut world = World::new(Clock::system());
        let person = world.viewer;
        let new = NewRepo { name: "r".into(), files: edits("a.txt", "one\n"), ..NewRepo::default() };
        let repo = world.create_repo(person, new, person).expect("a repository");
        (world, repo, person)
    }

    fn pull(repo: i64, branch: &str) -> NewPull {
        NewPull {
            title: "t".into(),
            body: None,
            head_repo: repo,
            head_ref: branch.into(),
            base_ref: "main".into(),
            draft: false,
            maintainer_can_modify: false,
        }
    }

    #[test]
    fn impossible_pull_requests_are_refused_in_githubs_words() {
        let (mut world, repo, me) = world();
        world.push(repo, "work", &edits("b.txt", "b\n"), "m", me).expect("pushed");
        let number = world.open_pull(repo, pull(repo, "work"), me).expect("opened");
        assert_eq!(number, 1);
        let refused =
            |new: NewPull, world: &mut World| world.open_pull(repo, new, me).expect_err("refused").to_string();
        assert_eq!(refused(pull(repo, "work"), &mut world), "A pull request already exists for developer:work.");
        assert_eq!(refused(pull(repo, "main"), &mut world), "No commits between main and main");
        assert_eq!(refused(pull(repo, "nowhere"), &mut world), "head");
        assert_eq!(refused(NewPull { base_ref: "nowhere".into(), ..pull(repo, "work") }, &mut world), "base");
    }

    #[test]
    fn a_merge_brings_both_sides_or_is_refused() {
        let (mut world, repo, me) = world();
        world.push(repo, "work", &edits("b.txt", "b\n"), "m", me).expect("pushed");
        world.push(repo, "clash", &edits("a.txt", "two\n"), "m", me).expect("pushed");
        let (clean, dirty) =
            ["work", "clash"].map(|branch| world.open_pull(repo, pull(repo, branch), me).expect("opened")).into();
        world.push(repo, "main", &edits("a.txt", "three\n"), "m", me).expect("pushed");
        let sha = world.merge_pull(repo, clean, "merge", None, None, me).expect("merged");
        let model = &world.repos[&repo];
        let commit = world.commit(model, &sha).expect("the merge commit");
        assert_eq!(commit.tree.keys().collect::<Vec<_>>(), ["a.txt", "b.txt"]);
        assert_eq!((commit.parents.len(), &*commit.tree["a.txt"].bytes), (2, &b"three\n"[..]));
        assert_eq!(model.refs["heads/main"], sha);
        let refused = world.merge_pull(repo, dirty, "merge", None, None, me);
        assert_eq!(refused, Err(Refusal::Invalid("Pull Request is not mergeable".into())));
        let stale = world.merge_pull(repo, dirty, "merge", None, Some(&sha), me);
        assert!(matches!(stale, Err(Refusal::Conflict(_))), "{stale:?}");
        let again = world.merge_pull(repo, clean, "merge", None, None, me);
        assert!(matches!(again, Err(Refusal::Invalid(_))), "{again:?}");
    }
}
