//! A command that is not obeyed is answered: the person who gave it must not wait for nothing.

use serde::{Deserialize, Serialize};

use super::tell::comment_once;
use super::{Cx, github_failure};
use crate::github::api::issues::Reaction;
use crate::jobs::{Done, Failure, Job, Task};

/// An answer to a comment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// `owner/name` of the pull request's repository.
    pub base_full_name: String,
    /// Number of the pull request.
    pub pr_number: i64,
    /// The App's installation there.
    pub installation_id: Option<i64>,
    /// The comment that is answered.
    pub comment_id: i64,
    /// Whether the person may not, and not the command is wrong: 👎, or 😕.
    pub refused: bool,
    /// What this is an answer to; nothing is said twice about one thing on one pull request.
    pub about: String,
    /// The text, Markdown.
    pub text: String,
}

impl Job for Answer {
    const KIND: &'static str = "recipes.answer";
    type Cx = Cx;

    async fn run(&self, cx: &Cx, _task: &mut Task) -> Result<Done, Failure> {
        let repository = cx.github()?.repository(&self.base_full_name, self.installation_id);
        let reaction = if self.refused { Reaction::ThumbsDown } else { Reaction::Confused };
        match repository.react(self.comment_id, reaction).await {
            // The comment was deleted; others may still read the answer.
            Err(error) if error.status() == Some(404) => {}
            outcome => outcome.map_err(github_failure)?,
        }
        let comment = comment_once(&repository, self.pr_number, &self.about, &self.text).await?;
        Ok(Done(format!("answered in {}", comment.html_url)))
    }
}
