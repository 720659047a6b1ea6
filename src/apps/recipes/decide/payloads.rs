//! The fields of GitHub's payloads that decisions are made of; all others are ignored.
//!
//! Texts are borrowed from the payload where they hold no escapes. A field that a decision can do
//! without is optional.

use std::borrow::Cow;

use serde::Deserialize;

/// `pull_request`.
#[derive(Debug, Deserialize)]
pub(super) struct PullRequestEvent<'a> {
    #[serde(borrow)]
    pub pull_request: PullRequest<'a>,
}

#[derive(Debug, Deserialize)]
pub(super) struct PullRequest<'a> {
    pub number: i64,
    #[serde(borrow)]
    pub title: Cow<'a, str>,
    #[serde(borrow, default)]
    pub labels: Vec<Label<'a>>,
    #[serde(borrow)]
    pub head: Head<'a>,
    #[serde(borrow)]
    pub base: Base<'a>,
    #[serde(borrow, default)]
    pub merge_commit_sha: Option<Cow<'a, str>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Label<'a> {
    #[serde(borrow)]
    pub name: Cow<'a, str>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Head<'a> {
    #[serde(borrow)]
    pub sha: Cow<'a, str>,
    /// Null when the fork was deleted.
    #[serde(borrow, default)]
    pub repo: Option<HeadRepo<'a>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct HeadRepo<'a> {
    #[serde(borrow)]
    pub html_url: Cow<'a, str>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Base<'a> {
    #[serde(borrow, rename = "ref")]
    pub git_ref: Cow<'a, str>,
    #[serde(borrow)]
    pub repo: BaseRepo<'a>,
}

#[derive(Debug, Deserialize)]
pub(super) struct BaseRepo<'a> {
    #[serde(borrow)]
    pub url: Cow<'a, str>,
    #[serde(borrow)]
    pub html_url: Cow<'a, str>,
    #[serde(borrow)]
    pub full_name: Cow<'a, str>,
}

/// Whether a closed pull request was merged, read before the rest is required.
#[derive(Debug, Deserialize)]
pub(super) struct ClosedEvent {
    pub pull_request: Closed,
}

#[derive(Debug, Deserialize)]
pub(super) struct Closed {
    #[serde(default)]
    pub merged: Option<bool>,
}

/// `issue_comment`.
#[derive(Debug, Deserialize)]
pub(super) struct CommentEvent<'a> {
    #[serde(borrow)]
    pub comment: Comment<'a>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Comment<'a> {
    /// Null for a comment without text.
    #[serde(borrow, default)]
    pub body: Option<Cow<'a, str>>,
}

/// The rest of `issue_comment`, needed only when the comment is a command.
#[derive(Debug, Deserialize)]
pub(super) struct CommandEvent<'a> {
    #[serde(borrow)]
    pub comment: CommandComment<'a>,
    #[serde(borrow)]
    pub issue: Issue<'a>,
    #[serde(borrow)]
    pub repository: Repository<'a>,
}

impl CommandEvent<'_> {
    /// Who wrote the comment; `ghost` is GitHub's own name for accounts that are gone.
    pub fn login(&self) -> &str {
        self.comment.user.as_ref().map_or("ghost", |user| &user.login)
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct CommandComment<'a> {
    pub id: i64,
    #[serde(borrow, default)]
    pub body: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub author_association: Cow<'a, str>,
    /// Null for an account that is gone.
    #[serde(borrow, default)]
    pub user: Option<User<'a>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct User<'a> {
    #[serde(borrow)]
    pub login: Cow<'a, str>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Issue<'a> {
    pub number: i64,
    #[serde(borrow, default)]
    pub labels: Vec<Label<'a>>,
    /// Present when the issue is a pull request.
    #[serde(default)]
    pub pull_request: Option<serde::de::IgnoredAny>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Repository<'a> {
    #[serde(borrow)]
    pub full_name: Cow<'a, str>,
}

/// The labels of whatever has some.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct LabelledEvent<'a> {
    #[serde(borrow)]
    pub pull_request: Option<Labelled<'a>>,
    #[serde(borrow)]
    pub issue: Option<Labelled<'a>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Labelled<'a> {
    #[serde(borrow, default)]
    pub labels: Vec<Label<'a>>,
    /// Present when an issue is a pull request.
    #[serde(default)]
    pub pull_request: Option<serde::de::IgnoredAny>,
}

/// `check_run`.
#[derive(Debug, Deserialize)]
pub(super) struct CheckRunEvent<'a> {
    #[serde(borrow)]
    pub check_run: CheckRun<'a>,
    /// The button, for `requested_action`.
    #[serde(borrow, default)]
    pub requested_action: Option<RequestedAction<'a>>,
    #[serde(borrow)]
    pub repository: CheckedRepository<'a>,
    #[serde(borrow)]
    pub sender: User<'a>,
}

impl CheckRunEvent<'_> {
    pub fn external_id(&self) -> &str {
        self.check_run.external_id.as_deref().unwrap_or_default()
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct CheckRun<'a> {
    #[serde(borrow)]
    pub head_sha: Cow<'a, str>,
    #[serde(borrow, default)]
    pub external_id: Option<Cow<'a, str>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct RequestedAction<'a> {
    #[serde(borrow)]
    pub identifier: Cow<'a, str>,
}

#[derive(Debug, Deserialize)]
pub(super) struct CheckedRepository<'a> {
    #[serde(borrow)]
    pub full_name: Cow<'a, str>,
    #[serde(borrow)]
    pub url: Cow<'a, str>,
}

/// `check_suite`.
#[derive(Debug, Deserialize)]
pub(super) struct CheckSuiteEvent<'a> {
    #[serde(borrow)]
    pub check_suite: CheckSuite<'a>,
    #[serde(borrow)]
    pub repository: CheckedRepository<'a>,
}

#[derive(Debug, Deserialize)]
pub(super) struct CheckSuite<'a> {
    #[serde(borrow)]
    pub head_sha: Cow<'a, str>,
}

/// A bakery's report, as JSON.
#[derive(Debug, Deserialize)]
pub(super) struct ReportEvent<'a> {
    #[serde(borrow)]
    pub conclusion: Cow<'a, str>,
    #[serde(default)]
    pub recipe_run_id: Option<RunId>,
    /// Instead, for bakeries that know only their own job.
    #[serde(borrow, default)]
    pub job_name: Option<Cow<'a, str>>,
}

/// A number, or the text of one: forms know only text.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum RunId {
    Number(i64),
    Text(String),
}
