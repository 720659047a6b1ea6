//! Issues, comments, reactions and labels. A pull request is an issue with a [`Pull`].

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::emulator::state::What;
use crate::emulator::state::{Pull, Refusal, World};

/// An issue or a pull request.
#[derive(Clone, Debug)]
pub struct Issue {
    /// Its id.
    pub id: i64,
    /// Its number in the repository.
    pub number: i64,
    /// Title.
    pub title: String,
    /// Text.
    pub body: Option<String>,
    /// Who opened it.
    pub user: i64,
    /// Whether it is open.
    pub open: bool,
    /// `completed`, `not_planned`, `reopened`; GitHub's word.
    pub state_reason: Option<String>,
    /// Label names.
    pub labels: Vec<String>,
    /// Accounts it is assigned to.
    pub assignees: Vec<i64>,
    /// Number of comments.
    pub comments: u64,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// When it was closed.
    pub closed_at: Option<DateTime<Utc>>,
    /// Who closed it.
    pub closed_by: Option<i64>,
    /// What makes it a pull request.
    pub pull: Option<Pull>,
}

/// A comment on an issue or pull request.
#[derive(Clone, Debug)]
pub struct Comment {
    /// Its id.
    pub id: i64,
    /// The issue's number.
    pub number: i64,
    /// Who wrote it.
    pub user: i64,
    /// The App through which it was written.
    pub app: Option<i64>,
    /// Text.
    pub body: String,
    /// Reactions, oldest first.
    pub reactions: Vec<Reaction>,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// When it was last edited.
    pub updated_at: DateTime<Utc>,
}

/// A reaction to a comment.
#[derive(Clone, Debug)]
pub struct Reaction {
    /// Its id.
    pub id: i64,
    /// Who reacted.
    pub user: i64,
    /// `+1`, `-1`, `laugh`, `confused`, `heart`, `hooray`, `rocket` or `eyes`.
    pub content: String,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// The reactions there are.
pub const REACTIONS: [&str; 8] = ["+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"];

/// A label of a repository.
#[derive(Clone, Debug)]
pub struct Label {
    /// Its id.
    pub id: i64,
    /// Its name, in its own case.
    pub name: String,
    /// Six hex digits.
    pub color: String,
    /// What it is for.
    pub description: Option<String>,
    /// Whether every new repository has it.
    pub default: bool,
}

/// What to change in an issue; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub struct IssueEdit {
    /// New title.
    pub title: Option<String>,
    /// New text.
    pub body: Option<String>,
    /// Open or close.
    pub open: Option<bool>,
    /// Why it is closed or opened.
    pub state_reason: Option<String>,
    /// Exactly these labels.
    pub labels: Option<Vec<String>>,
}

impl World {
    /// Labels that every new repository has.
    pub(super) fn default_labels(&mut self) -> BTreeMap<String, Label> {
        let labels = [
            ("bug", "d73a4a", "Something isn't working"),
            ("documentation", "0075ca", "Improvements or additions to documentation"),
            ("duplicate", "cfd3d7", "This issue or pull request already exists"),
            ("enhancement", "a2eeef", "New feature or request"),
            ("good first issue", "7057ff", "Good for newcomers"),
            ("help wanted", "008672", "Extra attention is needed"),
            ("invalid", "e4e669", "This doesn't seem right"),
            ("question", "d876e3", "Further information is requested"),
            ("wontfix", "ffffff", "This will not be worked on"),
        ];
        labels
            .into_iter()
            .map(|(name, color, about)| {
                let label = Label {
                    id: self.id(),
                    name: name.to_owned(),
                    color: color.to_owned(),
                    description: Some(about.to_owned()),
                    default: true,
                };
                (name.to_owned(), label)
            })
            .collect()
    }

    /// The issue or pull request `number` of `repo`.
    ///
    /// # Errors
    /// [`Refusal::NotFound`].
    pub fn issue(&self, repo: i64, number: i64) -> Result<&Issue, Refusal> {
        self.repos.get(&repo).and_then(|r| r.issues.get(&number)).ok_or(Refusal::NotFound)
    }

    /// The same, to be changed.
    ///
    /// # Errors
    /// [`Refusal::NotFound`].
    pub fn issue_mut(&mut self, repo: i64, number: i64) -> Result<&mut Issue, Refusal> {
        self.repos.get_mut(&repo).and_then(|r| r.issues.get_mut(&number)).ok_or(Refusal::NotFound)
    }

    /// Adds an issue or (with `pull`) a pull request and gives its number; tells nothing yet.
    pub(super) fn insert_issue(
        &mut self,
        repo: i64,
        title: &str,
        body: Option<String>,
        actor: i64,
        pull: Option<Pull>,
    ) -> Result<i64, Refusal> {
        let (id, now) = (self.id(), self.now());
        let repo = self.repos.get_mut(&repo).ok_or(Refusal::NotFound)?;
        let number = repo.issues.keys().next_back().copied().unwrap_or(0) + 1;
        let issue = Issue {
            id,
            number,
            title: title.to_owned(),
            body,
            user: actor,
            open: true,
            state_reason: None,
            labels: Vec::new(),
            assignees: Vec::new(),
            comments: 0,
            created_at: now,
            updated_at: now,
            closed_at: None,
            closed_by: None,
            pull,
        };
        repo.issues.insert(number, issue);
        Ok(number)
    }

    /// Opens an issue.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] without the repository.
    pub fn open_issue(
        &mut self,
        repo: i64,
        title: &str,
        body: Option<String>,
        labels: &[String],
        actor: i64,
    ) -> Result<i64, Refusal> {
        let number = self.insert_issue(repo, title, body, actor, None)?;
        self.happened(actor, What::Issue { repo, number, action: "opened", label: None });
        self.add_labels(repo, number, labels, actor)?;
        Ok(number)
    }

    /// Changes an issue or pull request.
    ///
    /// # Errors
    /// [`Refusal::NotFound`].
    pub fn edit_issue(&mut self, repo: i64, number: i64, edit: IssueEdit, actor: i64) -> Result<(), Refusal> {
        let now = self.now();
        let issue = self.issue_mut(repo, number)?;
        let text_changed = edit.title.as_ref().is_some_and(|t| *t != issue.title)
            || edit.body.as_ref().is_some_and(|b| Some(b) != issue.body.as_ref());
        issue.updated_at = now;
        if let Some(title) = edit.title {
            issue.title = title;
        }
        if let Some(body) = edit.body {
            issue.body = Some(body);
        }
        let toggled = edit.open.filter(|open| *open != issue.open);
        if let Some(open) = toggled {
            issue.open = open;
            issue.closed_at = (!open).then_some(now);
            issue.closed_by = (!open).then_some(actor);
            let reason = if open { "reopened" } else { "completed" };
            issue.state_reason = (issue.pull.is_none()).then(|| edit.state_reason.unwrap_or_else(|| reason.to_owned()));
        }
        if text_changed {
            self.tell_issue(repo, number, "edited", None, actor);
        }
        if let Some(open) = toggled {
            self.tell_issue(repo, number, if open { "reopened" } else { "closed" }, None, actor);
        }
        if let Some(labels) = edit.labels {
            let current = self.issue(repo, number)?.labels.clone();
            for gone in current.iter().filter(|name| !labels.contains(name)) {
                self.remove_label(repo, number, gone, actor)?;
            }
            self.add_labels(repo, number, &labels, actor)?;
        }
        Ok(())
    }

    /// Adds labels, making those that the repository does not know.
    ///
    /// # Errors
    /// [`Refusal::NotFound`].
    pub fn add_labels(&mut self, repo: i64, number: i64, labels: &[String], actor: i64) -> Result<(), Refusal> {
        for wanted in labels {
            let id = self.id();
            let model = self.repos.get_mut(&repo).ok_or(Refusal::NotFound)?;
            let label = model.labels.entry(wanted.to_lowercase()).or_insert_with(|| Label {
                id,
                name: wanted.clone(),
                color: "ededed".to_owned(),
                description: None,
                default: false,
            });
            let name = label.name.clone();
            let issue = model.issues.get_mut(&number).ok_or(Refusal::NotFound)?;
            if !issue.labels.contains(&name) {
                issue.labels.push(name.clone());
                self.tell_issue(repo, number, "labeled", Some(name), actor);
            }
        }
        Ok(())
    }

    /// Takes a label off.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] when it is not on.
    pub fn remove_label(&mut self, repo: i64, number: i64, label: &str, actor: i64) -> Result<(), Refusal> {
        let issue = self.issue_mut(repo, number)?;
        let index = issue.labels.iter().position(|l| l.eq_ignore_ascii_case(label)).ok_or(Refusal::NotFound)?;
        let name = issue.labels.remove(index);
        self.tell_issue(repo, number, "unlabeled", Some(name), actor);
        Ok(())
    }

    /// Writes a comment.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] without the issue.
    pub fn comment(
        &mut self,
        repo: i64,
        number: i64,
        body: &str,
        actor: i64,
        app: Option<i64>,
    ) -> Result<i64, Refusal> {
        let (id, now) = (self.id(), self.now());
        let issue = self.issue_mut(repo, number)?;
        issue.comments += 1;
        issue.updated_at = now;
        let comment = Comment {
            id,
            number,
            user: actor,
            app,
            body: body.to_owned(),
            reactions: Vec::new(),
            created_at: now,
            updated_at: now,
        };
        self.repos.get_mut(&repo).ok_or(Refusal::NotFound)?.comments.insert(id, comment);
        self.happened(actor, What::Comment { repo, comment: id, action: "created" });
        Ok(id)
    }

    /// Reacts to a comment; the flag says whether the reaction is new.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] without the comment.
    pub fn react(&mut self, repo: i64, comment: i64, content: &str, actor: i64) -> Result<(Reaction, bool), Refusal> {
        let (id, now) = (self.id(), self.now());
        let comment = self.repos.get_mut(&repo).and_then(|r| r.comments.get_mut(&comment)).ok_or(Refusal::NotFound)?;
        if let Some(existing) = comment.reactions.iter().find(|r| r.user == actor && r.content == content) {
            return Ok((existing.clone(), false));
        }
        let reaction = Reaction { id, user: actor, content: content.to_owned(), created_at: now };
        comment.reactions.push(reaction.clone());
        Ok((reaction, true))
    }

    /// Tells a change of an issue, or of the pull request that it is.
    pub(super) fn tell_issue(
        &mut self,
        repo: i64,
        number: i64,
        action: &'static str,
        label: Option<String>,
        actor: i64,
    ) {
        let pull = self.issue(repo, number).is_ok_and(|issue| issue.pull.is_some());
        let what = if pull {
            What::Pull { repo, number, action, before: None, label }
        } else {
            What::Issue { repo, number, action, label }
        };
        self.happened(actor, what);
    }
}
