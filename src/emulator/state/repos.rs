//! Repositories and forks.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::emulator::state::git::Edits;
use crate::emulator::state::{CheckRun, CheckSuite, Comment, Issue, Label, Refusal, World};

/// A repository.
#[derive(Clone, Debug)]
pub struct Repo {
    /// Its id.
    pub id: i64,
    /// Account that owns it.
    pub owner: i64,
    /// Its name, without the owner.
    pub name: String,
    /// Whether only members and Apps see it.
    pub private: bool,
    /// What it was forked from.
    pub parent: Option<i64>,
    /// The repository at the root of its network of forks.
    pub network: i64,
    /// Its default branch.
    pub default_branch: String,
    /// One line about it.
    pub description: Option<String>,
    /// Object names by reference without `refs/` (`heads/main`).
    pub refs: BTreeMap<String, String>,
    /// Issues and pull requests by number.
    pub issues: BTreeMap<i64, Issue>,
    /// Comments by id.
    pub comments: BTreeMap<i64, Comment>,
    /// Labels by lowercase name.
    pub labels: BTreeMap<String, Label>,
    /// Check suites by id.
    pub suites: BTreeMap<i64, CheckSuite>,
    /// Check runs by id.
    pub runs: BTreeMap<i64, CheckRun>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// When a reference last moved.
    pub pushed_at: DateTime<Utc>,
}

/// What a new repository begins with.
#[derive(Clone, Debug, Default)]
pub struct NewRepo {
    /// Its name, without the owner.
    pub name: String,
    /// Whether only members and Apps see it.
    pub private: bool,
    /// Its default branch; `main` when empty.
    pub default_branch: String,
    /// One line about it.
    pub description: Option<String>,
    /// Files of the first commit; none for an empty repository.
    pub files: Edits,
}

impl World {
    /// The repository `owner/name`, in any case.
    pub fn repo(&self, owner: &str, name: &str) -> Option<&Repo> {
        self.names.get(&format!("{owner}/{name}").to_lowercase()).and_then(|id| self.repos.get(id))
    }

    /// `owner/name` of a repository.
    pub fn full_name(&self, repo: &Repo) -> String {
        format!("{}/{}", self.login(repo.owner), repo.name)
    }

    /// Makes a repository; its first commit is no push.
    ///
    /// # Errors
    /// [`Refusal::Exists`] when the name is taken, [`Refusal::Invalid`] when it is none.
    pub fn create_repo(&mut self, owner: i64, new: NewRepo) -> Result<i64, Refusal> {
        let valid = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if new.name.is_empty() || new.name.len() > 100 || !new.name.chars().all(valid) {
            return Err(Refusal::Invalid("name is not a valid repository name".to_owned()));
        }
        let id = self.id();
        let branch = if new.default_branch.is_empty() { "main".to_owned() } else { new.default_branch };
        self.insert_repo(id, owner, new.name, new.private, new.description, branch.clone(), None)?;
        if !new.files.is_empty() {
            let tree = crate::emulator::state::git::edited(&BTreeMap::new(), &new.files);
            let sha = self.write_commit(id, tree, Vec::new(), "Initial commit", owner);
            if let Some(repo) = self.repos.get_mut(&id) {
                repo.refs.insert(format!("heads/{branch}"), sha);
            }
        }
        self.grant_new_repo(id, owner);
        Ok(id)
    }

    /// Forks `repo` into the account `owner`; an existing fork is returned as it is.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] without the repository, [`Refusal::Exists`] when the name is taken by something else.
    pub fn fork(&mut self, repo: i64, owner: i64) -> Result<i64, Refusal> {
        let source = self.repos.get(&repo).ok_or(Refusal::NotFound)?.clone();
        if let Some(existing) = self.repo(self.login(owner), &source.name) {
            let is_fork = existing.network == source.network;
            return if is_fork { Ok(existing.id) } else { Err(Refusal::Exists(source.name)) };
        }
        let id = self.id();
        self.insert_repo(
            id,
            owner,
            source.name,
            source.private,
            source.description,
            source.default_branch,
            Some(repo),
        )?;
        if let Some(fork) = self.repos.get_mut(&id) {
            fork.network = source.network;
            fork.refs = source.refs.into_iter().filter(|(name, _)| !name.starts_with("pull/")).collect();
        }
        self.grant_new_repo(id, owner);
        Ok(id)
    }

    #[allow(clippy::too_many_arguments, reason = "private, and every one is needed")]
    fn insert_repo(
        &mut self,
        id: i64,
        owner: i64,
        name: String,
        private: bool,
        description: Option<String>,
        default_branch: String,
        parent: Option<i64>,
    ) -> Result<(), Refusal> {
        let key = format!("{}/{name}", self.login(owner)).to_lowercase();
        if self.names.contains_key(&key) {
            return Err(Refusal::Exists(name));
        }
        let now = self.now();
        self.names.insert(key, id);
        let labels = self.default_labels();
        self.repos.insert(
            id,
            Repo {
                id,
                owner,
                name,
                private,
                parent,
                network: id,
                default_branch,
                description,
                refs: BTreeMap::new(),
                issues: BTreeMap::new(),
                comments: BTreeMap::new(),
                labels,
                suites: BTreeMap::new(),
                runs: BTreeMap::new(),
                created_at: now,
                updated_at: now,
                pushed_at: now,
            },
        );
        Ok(())
    }
}
