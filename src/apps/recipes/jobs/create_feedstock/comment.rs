//! The one comment on the merged pull request, which is edited as the work goes on.

use super::{WORTH_TELLING, Work};
use crate::apps::recipes::jobs::github_failure;
use crate::apps::recipes::text::feedstock::{self as text, End};
use crate::github;
use crate::jobs::Failure;
use crate::jobs::job::Retry;

/// Under which name the comment's id is saved.
const COMMENT: &str = "comment";

impl Work<'_> {
    /// Brings the comment up to date. That GitHub refuses it (a locked conversation, a missing
    /// permission) is no reason not to make the feedstock.
    pub(super) async fn tell(&mut self, end: End<'_>) -> Result<(), Failure> {
        let marker = text::marker(&self.task.token);
        let said = text::comment(&marker, &self.merged.base_html_url, &self.makings, &end);
        if said == self.told {
            return Ok(());
        }
        match self.write(&marker, &said, &end).await {
            Ok(()) => {
                self.told = said;
                Ok(())
            }
            Err(Trouble::GitHub(error)) if !error.is_transient() => {
                tracing::warn!(job = self.task.id, %error, "the progress of a feedstock cannot be told");
                Ok(())
            }
            Err(Trouble::GitHub(error)) => Err(github_failure(error)),
            Err(Trouble::Job(failure)) => Err(failure),
        }
    }

    /// Tells why the job waits, once that lasts. That this fails too changes nothing.
    pub(super) async fn tell_trouble(&mut self, failure: &Failure) {
        let lasts = self.task.attempt >= WORTH_TELLING && self.task.attempt < self.task.max_attempts;
        if lasts && failure.retry == Retry::Backoff && self.comment.is_some() {
            let told = self.tell(End::Waiting { reason: &failure.reason }).await;
            if let Err(failure) = told {
                tracing::debug!(job = self.task.id, reason = failure.reason, "the trouble of a feedstock is not told");
            }
        }
    }

    async fn write(&mut self, marker: &str, said: &str, end: &End<'_>) -> Result<(), Trouble> {
        let number = self.merged.pr_number;
        if self.comment.is_none() {
            self.comment = self.task.saved(COMMENT);
        }
        if self.comment.is_none() && (self.task.begun_before || matches!(end, End::Stopped { .. })) {
            let comments = self.base.comments(number).await?;
            // Anybody can write a marker.
            let ours = |comment: &github::api::issues::Comment| {
                comment.user.as_ref().is_some_and(|user| user.kind == "Bot")
                    && comment.body.as_deref().is_some_and(|body| body.starts_with(marker))
            };
            self.comment = comments.into_iter().find(ours).map(|comment| comment.id);
        }
        match self.comment {
            Some(id) => self.base.edit_comment(id, said).await.map(drop)?,
            None => self.comment = Some(self.base.create_comment(number, said).await?.id),
        }
        if let Some(id) = self.comment
            && self.task.saved::<i64>(COMMENT).is_none()
        {
            self.task.save(COMMENT, &id).await.map_err(Trouble::Job)?;
        }
        Ok(())
    }
}

enum Trouble {
    GitHub(github::Error),
    Job(Failure),
}

impl From<github::Error> for Trouble {
    fn from(error: github::Error) -> Self {
        Self::GitHub(error)
    }
}
