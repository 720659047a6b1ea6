//! Pull requests: <https://docs.github.com/en/rest/pulls/pulls>.

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::issues::Author;
use crate::github::{Error, Repository};

/// A changed file.
#[derive(Clone, Debug, Deserialize)]
pub struct PullFile {
    /// Path.
    pub filename: String,
    /// `added`, `removed`, `modified`, `renamed`, …
    pub status: String,
}

/// A pull request as answered; some fields are absent in lists.
#[derive(Clone, Debug, Deserialize)]
pub struct Pull {
    /// Its number.
    pub number: i64,
    /// Its page.
    pub html_url: String,
    /// `open` or `closed`.
    pub state: String,
    /// Title.
    #[serde(default)]
    pub title: String,
    /// When it was merged.
    #[serde(default)]
    pub merged_at: Option<String>,
    /// The commit that merged it; while it is open, that of a trial.
    #[serde(default)]
    pub merge_commit_sha: Option<String>,
    /// Whether it can be merged; `None` while GitHub has not found out, and in lists.
    #[serde(default)]
    pub mergeable: Option<bool>,
    /// Who opened it; `None` when the account is gone.
    #[serde(default)]
    pub user: Option<Author>,
    /// Where its commits are.
    pub head: PullHead,
    /// What it is for.
    pub base: PullBase,
}

impl Pull {
    /// The page of the repository that holds its commits. When the fork is gone that is the base:
    /// GitHub keeps them there, too.
    pub fn head_html_url(&self) -> &str {
        self.head.repo.as_ref().map_or(&self.base.repo.html_url, |repo| &repo.html_url)
    }
}

/// `base` of a pull request.
#[derive(Clone, Debug, Deserialize)]
pub struct PullBase {
    /// The branch.
    #[serde(rename = "ref")]
    pub git_ref: String,
    /// Its repository.
    pub repo: PullRepository,
}

/// `head` of a pull request.
#[derive(Clone, Debug, Deserialize)]
pub struct PullHead {
    /// The newest commit.
    pub sha: String,
    /// The repository that holds it; `None` when the fork was deleted.
    #[serde(default)]
    pub repo: Option<PullRepository>,
}

/// A repository at either end of a pull request.
#[derive(Clone, Debug, Deserialize)]
pub struct PullRepository {
    /// `owner/name`.
    pub full_name: String,
    /// Its page.
    pub html_url: String,
}

impl Pull {
    /// The commit that merged it, once it is merged.
    pub fn merged(&self) -> Option<&str> {
        self.merged_at.as_ref().and(self.merge_commit_sha.as_deref())
    }
}

/// Body of `POST …/pulls`.
#[derive(Clone, Debug, Serialize)]
pub struct NewPull {
    /// Title.
    pub title: String,
    /// Branch that the changes come from.
    pub head: String,
    /// Branch that they shall go to.
    pub base: String,
    /// Markdown.
    pub body: String,
}

/// Answer of `PUT …/pulls/{number}/merge`.
#[derive(Clone, Debug, Deserialize)]
pub struct Merged {
    /// The commit that merged it.
    #[serde(default)]
    pub sha: Option<String>,
    /// Whether it is merged now.
    #[serde(default)]
    pub merged: bool,
    /// What GitHub says about it.
    #[serde(default)]
    pub message: String,
}

#[derive(Deserialize)]
struct PullCommit {
    /// `None` when no account has the address of the commit.
    #[serde(default)]
    author: Option<CommitAuthor>,
}

/// GitHub answers `{}` for some authors that it does not know.
#[derive(Deserialize)]
struct CommitAuthor {
    #[serde(default)]
    login: Option<String>,
    #[serde(rename = "type", default)]
    kind: String,
}

impl Repository {
    /// `GET …/pulls/{number}`.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn pull(&self, number: i64) -> Result<Pull, Error> {
        self.client().fetch(&self.call(Method::GET, &format!("pulls/{number}"))?).await
    }

    /// `GET …/pulls/{number}/files`, all pages. GitHub lists 3 000 files at most.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn pull_files(&self, number: i64) -> Result<Vec<PullFile>, Error> {
        let call = self.call(Method::GET, &format!("pulls/{number}/files"))?.query("per_page", 100);
        self.client().list(&call).await
    }

    /// `GET …/pulls/{number}/commits`, all pages: the accounts that made them, each once, in
    /// order. GitHub lists 250 commits at most.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn pull_authors(&self, number: i64) -> Result<Vec<Author>, Error> {
        let call = self.call(Method::GET, &format!("pulls/{number}/commits"))?.query("per_page", 100);
        let commits: Vec<PullCommit> = self.client().list(&call).await?;
        let mut authors: Vec<Author> = Vec::new();
        for CommitAuthor { login, kind } in commits.into_iter().filter_map(|commit| commit.author) {
            if let Some(login) = login.filter(|login| authors.iter().all(|known| known.login != *login)) {
                authors.push(Author { login, kind });
            }
        }
        Ok(authors)
    }

    /// `GET …/pulls?state=all&head={owner}:{branch}`: the newest pull request from a branch of
    /// this repository, open or closed.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn pull_from(&self, branch: &str) -> Result<Option<Pull>, Error> {
        let owner = self.full_name().split('/').next().unwrap_or_default();
        let call = self
            .call(Method::GET, "pulls")?
            .query("state", "all")
            .query("head", format!("{owner}:{branch}"))
            .query("sort", "created")
            .query("direction", "desc");
        let pulls: Vec<Pull> = self.client().list(&call).await?;
        Ok(pulls.into_iter().next())
    }

    /// `POST …/pulls`. Not idempotent, but GitHub refuses (422) a second open one of a branch.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn create_pull(&self, new: &NewPull) -> Result<Pull, Error> {
        self.client().fetch(&self.call(Method::POST, "pulls")?.json(new)?).await
    }

    /// `PUT …/pulls/{number}/merge` by `method` (`merge`, `squash`, `rebase`).
    ///
    /// # Errors
    /// See [`Error`]: 405 when it cannot be merged (also when it is merged already), 409 when a
    /// branch moved meanwhile.
    pub async fn merge_pull(&self, number: i64, method: &str) -> Result<Merged, Error> {
        let call = self.call(Method::PUT, &format!("pulls/{number}/merge"))?;
        self.client().fetch(&call.json(&json!({ "merge_method": method }))?).await
    }

    /// `PATCH …/pulls/{number}` that closes it; idempotent, retried.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn close_pull(&self, number: i64) -> Result<Pull, Error> {
        let call = self.call(Method::PATCH, &format!("pulls/{number}"))?;
        self.client().fetch(&call.json(&json!({ "state": "closed" }))?.repeatable(true)).await
    }
}
