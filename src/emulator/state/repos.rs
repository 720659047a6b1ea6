//! Repositories and forks.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::emulator::state::collaborators::{Invitation, Role};
use crate::emulator::state::git::{Edits, edited};
use crate::emulator::state::{CheckRun, CheckSuite, Comment, Deployment, Issue, Label, Refusal, What, World};

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
    /// Its home page.
    pub homepage: Option<String>,
    /// What it offers besides git.
    pub features: Features,
    /// GitHub's key of its licence.
    pub license: Option<String>,
    /// Whether others may begin with its files.
    pub template: bool,
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
    /// Deployments by id.
    pub deployments: BTreeMap<i64, Deployment>,
    /// Who works on it besides its owner, by account.
    pub collaborators: BTreeMap<i64, Role>,
    /// Invitations by id.
    pub invitations: BTreeMap<i64, Invitation>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// When a reference last moved.
    pub pushed_at: DateTime<Utc>,
}

/// What a repository offers besides git.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Features {
    /// Issues.
    pub issues: bool,
    /// Projects.
    pub projects: bool,
    /// A wiki.
    pub wiki: bool,
}

impl Default for Features {
    fn default() -> Self {
        Self { issues: true, projects: true, wiki: true }
    }
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
    /// Its home page.
    pub homepage: Option<String>,
    /// What it offers besides git.
    pub features: Features,
    /// GitHub's key of its licence.
    pub license: Option<String>,
    /// Whether others may begin with its files.
    pub template: bool,
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

    /// Makes a repository as `actor`; its first commit is no push.
    ///
    /// # Errors
    /// [`Refusal::Exists`] when the name is taken, [`Refusal::Invalid`] when it is none.
    pub fn create_repo(&mut self, owner: i64, mut new: NewRepo, actor: i64) -> Result<i64, Refusal> {
        let valid = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if new.name.is_empty() || new.name.len() > 100 || !new.name.chars().all(valid) {
            return Err(Refusal::Invalid("name is not a valid repository name".to_owned()));
        }
        let id = self.id();
        if new.default_branch.is_empty() {
            "main".clone_into(&mut new.default_branch);
        }
        let (branch, files) = (format!("heads/{}", new.default_branch), std::mem::take(&mut new.files));
        self.insert_repo(id, owner, new, None)?;
        if !files.is_empty() {
            let tree = edited(&BTreeMap::new(), &files);
            let sha = self.write_commit(id, tree, Vec::new(), "Initial commit", actor);
            if let Some(repo) = self.repos.get_mut(&id) {
                repo.refs.insert(branch, sha);
            }
        }
        self.grant_new_repo(id, owner, actor);
        self.happened(actor, What::Repository { repo: id, action: "created" });
        Ok(id)
    }

    /// Makes a repository of the files that are on the default branch of the template `source`.
    ///
    /// # Errors
    /// As [`World::create_repo`]; [`Refusal::Invalid`] when `source` is no template.
    pub fn generate_repo(&mut self, source: i64, owner: i64, new: NewRepo, actor: i64) -> Result<i64, Refusal> {
        let template = self.repos.get(&source).ok_or(Refusal::NotFound)?;
        if !template.template {
            return Err(Refusal::Invalid("the repository is no template".to_owned()));
        }
        let branch = template.default_branch.clone();
        let tip = self.resolve(template, &format!("heads/{branch}"));
        let files = tip.iter().flat_map(|commit| commit.tree.iter());
        let files = files.map(|(path, blob)| (path.clone(), Some(blob.bytes.clone()))).collect();
        self.create_repo(owner, NewRepo { default_branch: branch, files, ..new }, actor)
    }

    /// Announces the end of a repository, which goes once it is told: see `events`.
    ///
    /// # Errors
    /// [`Refusal::NotFound`].
    pub fn delete_repo(&mut self, repo: i64, actor: i64) -> Result<(), Refusal> {
        self.repos.get(&repo).ok_or(Refusal::NotFound)?;
        self.happened(actor, What::Repository { repo, action: "deleted" });
        Ok(())
    }

    /// Takes a repository away. Pull requests from it stay, with nowhere to come from.
    pub(in crate::emulator) fn remove_repo(&mut self, repo: i64) {
        let Some(gone) = self.repos.remove(&repo) else { return };
        let name = format!("{}/{}", self.login(gone.owner), gone.name).to_lowercase();
        self.names.remove(&name);
        let issues = self.repos.values_mut().flat_map(|r| r.issues.values_mut());
        for pull in issues.filter_map(|issue| issue.pull.as_mut()).filter(|pull| pull.head_repo == Some(repo)) {
            pull.head_repo = None;
        }
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
        let new = NewRepo {
            name: source.name,
            private: source.private,
            description: source.description,
            default_branch: source.default_branch,
            ..NewRepo::default()
        };
        self.insert_repo(id, owner, new, Some(repo))?;
        if let Some(fork) = self.repos.get_mut(&id) {
            fork.network = source.network;
            fork.refs = source.refs.into_iter().filter(|(name, _)| !name.starts_with("pull/")).collect();
        }
        self.grant_new_repo(id, owner, owner);
        Ok(id)
    }

    /// Adds a repository without any commit.
    fn insert_repo(&mut self, id: i64, owner: i64, new: NewRepo, parent: Option<i64>) -> Result<(), Refusal> {
        let key = format!("{}/{}", self.login(owner), new.name).to_lowercase();
        if self.names.contains_key(&key) {
            return Err(Refusal::Exists(new.name));
        }
        let now = self.now();
        self.names.insert(key, id);
        let labels = self.default_labels();
        self.repos.insert(
            id,
            Repo {
                id,
                owner,
                name: new.name,
                private: new.private,
                parent,
                network: id,
                default_branch: new.default_branch,
                description: new.description,
                homepage: new.homepage,
                features: new.features,
                license: new.license,
                template: new.template,
                refs: BTreeMap::new(),
                issues: BTreeMap::new(),
                comments: BTreeMap::new(),
                labels,
                suites: BTreeMap::new(),
                runs: BTreeMap::new(),
                deployments: BTreeMap::new(),
                collaborators: BTreeMap::new(),
                invitations: BTreeMap::new(),
                created_at: now,
                updated_at: now,
                pushed_at: now,
            },
        );
        Ok(())
    }
}
