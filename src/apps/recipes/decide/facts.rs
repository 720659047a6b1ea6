//! The conditions of the table, and the fields that they and the answers read.

use std::cell::OnceCell;

use serde::Deserialize;
use url::Url;

use super::Refusal;
use super::payloads::{
    CheckRunEvent, CheckSuiteEvent, ClosedEvent, CommandEvent, CommentEvent, LabelledEvent, PullRequest,
    PullRequestEvent,
};
use crate::apps::Delivery;
use crate::apps::payload::Payload;
use crate::apps::recipes::checks::{RUN_TEST, run_of};
use crate::apps::recipes::jobs::pull_of;
use crate::apps::recipes::settings::Settings;

/// A delivery, of which each part is read at most once and only when a row asks for it.
pub(super) struct Facts<'a> {
    pub settings: &'a Settings,
    pub delivery: &'a Delivery<'a>,
    pull: OnceCell<Result<PullRequest<'a>, Refusal>>,
    command: OnceCell<Result<CommandEvent<'a>, Refusal>>,
    targets: OnceCell<Vec<Url>>,
}

impl<'a> Facts<'a> {
    pub fn new(settings: &'a Settings, delivery: &'a Delivery<'a>) -> Self {
        let (pull, command, targets) = (OnceCell::new(), OnceCell::new(), OnceCell::new());
        Self { settings, delivery, pull, command, targets }
    }

    pub fn installation_id(&self) -> Option<i64> {
        self.delivery.envelope.installation_id
    }

    /// `pull_request`.
    pub fn pull(&self) -> Result<&PullRequest<'a>, Refusal> {
        let read = || Ok(self.read::<PullRequestEvent<'a>>()?.pull_request);
        self.pull.get_or_init(read).as_ref().map_err(Clone::clone)
    }

    /// What a comment that is a command comes with.
    pub fn command(&self) -> Result<&CommandEvent<'a>, Refusal> {
        self.command.get_or_init(|| self.read()).as_ref().map_err(Clone::clone)
    }

    /// The words of a command.
    pub fn words(&self) -> Result<Vec<&str>, Refusal> {
        Ok(self.command()?.comment.body.as_deref().unwrap_or_default().split_whitespace().collect())
    }

    /// `check_run`, unless it is none.
    pub fn check_run(&self) -> Option<CheckRunEvent<'a>> {
        self.read().ok()
    }

    /// `check_suite`, unless it is none.
    pub fn check_suite(&self) -> Option<CheckSuiteEvent<'a>> {
        self.read().ok()
    }

    /// Where the labels of the pull request send this delivery.
    pub fn targets(&self) -> &[Url] {
        self.targets.get_or_init(|| {
            if self.settings.forward.hosts.is_empty() {
                return Vec::new();
            }
            let LabelledEvent { pull_request, issue } = self.read().unwrap_or_default();
            let issue = issue.filter(|issue| issue.pull_request.is_some()).map(|issue| issue.labels);
            let labels = pull_request.map(|pull| pull.labels).or(issue).unwrap_or_default();
            self.settings.forward.targets(labels.iter().map(|label| label.name.as_ref()))
        })
    }

    /// Reads the fields that a row needs.
    pub fn read<T: Deserialize<'a>>(&self) -> Result<T, Refusal> {
        match &self.delivery.payload {
            Payload::Json(text) => serde_json::from_str(text)
                .map_err(|error| Refusal::bad_request(format!("Unexpected payload: {error}."))),
            Payload::Form(_) => Err(Refusal::bad_request("The form lacks the field payload.")),
        }
    }
}

type Holds = Result<bool, Refusal>;

pub(super) fn always(_: &Facts<'_>) -> Holds {
    Ok(true)
}

/// An allowed `fwd:` label sends it elsewhere.
pub(super) fn is_forwarded(facts: &Facts<'_>) -> Holds {
    Ok(!facts.targets().is_empty())
}

/// The pull request has none of the labels of `run_only_on`.
pub(super) fn lacks_label(facts: &Facts<'_>) -> Holds {
    if facts.settings.run_only_on.is_empty() {
        return Ok(false);
    }
    let labels =
        if facts.delivery.event == "issue_comment" { &facts.command()?.issue.labels } else { &facts.pull()?.labels };
    Ok(!facts.settings.acts_on(labels.iter().map(|label| label.name.as_ref())))
}

/// The repository is neither staged-recipes nor a feedstock.
pub(super) fn is_elsewhere(facts: &Facts<'_>) -> Holds {
    let name = short_name(facts)?;
    Ok(!name.ends_with("-feedstock") && !name.ends_with("staged-recipes"))
}

/// The title begins with "cleanup".
pub(super) fn is_cleanup(facts: &Facts<'_>) -> Holds {
    Ok(facts.pull()?.title.to_lowercase().starts_with("cleanup"))
}

/// Closed without a merge. Nothing else is required of such a delivery.
pub(super) fn is_unmerged(facts: &Facts<'_>) -> Holds {
    Ok(facts.read::<ClosedEvent>()?.pull_request.merged != Some(true))
}

/// The repository's name contains "staged-recipes".
pub(super) fn is_staged(facts: &Facts<'_>) -> Holds {
    Ok(short_name(facts)?.contains("staged-recipes"))
}

/// Our own pull request that takes a merged recipe out of staged-recipes again.
pub(super) fn is_staged_cleanup(facts: &Facts<'_>) -> Holds {
    Ok(is_staged(facts)? && is_cleanup(facts)?)
}

/// The repository's name does not end with "-feedstock".
pub(super) fn is_no_feedstock(facts: &Facts<'_>) -> Holds {
    Ok(!short_name(facts)?.ends_with("-feedstock"))
}

/// The comment does not begin with a slash.
pub(super) fn is_talk(facts: &Facts<'_>) -> Holds {
    let comment = facts.read::<CommentEvent<'_>>()?.comment;
    Ok(!comment.body.as_deref().unwrap_or_default().starts_with('/'))
}

/// The comment is on an issue that is no pull request.
pub(super) fn is_no_pull_request(facts: &Facts<'_>) -> Holds {
    Ok(facts.command()?.issue.pull_request.is_none())
}

/// The command is not `/run`.
pub(super) fn is_another_command(facts: &Facts<'_>) -> Holds {
    Ok(facts.words()?.first() != Some(&"/run"))
}

/// The command has not exactly one argument.
pub(super) fn is_malformed(facts: &Facts<'_>) -> Holds {
    Ok(facts.words()?.len() != 2)
}

/// The author of the comment may not run recipes: that executes their code.
pub(super) fn is_not_allowed(facts: &Facts<'_>) -> Holds {
    Ok(!facts.settings.may_run(&facts.command()?.comment.author_association))
}

/// The check run is one called `synchronize`, of ours: its `external_id` names a pull request.
pub(super) fn is_synchronize_check(facts: &Facts<'_>) -> Holds {
    Ok(facts.check_run().is_some_and(|event| pull_of(event.external_id()).is_some()))
}

/// The check run is a recipe's, of ours: its `external_id` names a recipe run.
pub(super) fn is_recipe_check(facts: &Facts<'_>) -> Holds {
    Ok(facts.check_run().is_some_and(|event| run_of(event.external_id()).is_some()))
}

/// The button "Run test" of a recipe's check run.
pub(super) fn is_run_button(facts: &Facts<'_>) -> Holds {
    let pressed = |event: CheckRunEvent<'_>| event.requested_action.is_some_and(|action| action.identifier == RUN_TEST);
    Ok(is_recipe_check(facts)? && facts.check_run().is_some_and(pressed))
}

/// The check suite names its commit.
pub(super) fn has_commit(facts: &Facts<'_>) -> Holds {
    Ok(facts.check_suite().is_some())
}

fn short_name(facts: &Facts<'_>) -> Result<String, Refusal> {
    Ok(facts.pull()?.base.repo.full_name.rsplit('/').next().unwrap_or_default().to_lowercase())
}
