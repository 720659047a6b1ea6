//! What to answer to a delivery, and what to do about it. Pure: no I/O, no clock.
//!
//! [`TABLE`] is the whole of it: the first row that fits decides. Its conditions are in `facts`, its
//! answers in `answers`.
//!
//! GitHub is never asked before the answer. Where the answer of the original orchestrator
//! depended on the changed files of a merged pull request, the answer here is `null`, the work is
//! queued, and the job says "Not a recipes PR. Skipping." in its outcome when it finds so.

mod answers;
mod facts;
mod payloads;
#[cfg(test)]
mod tests;

use http::StatusCode;
use serde_json::json;

use self::answers::{
    answer_a_malformed_command, answer_who_may_not_run, create_feedstock, deploy_prod, forward, not_handled, nothing,
    ok, refuse_the_command, report, request_run, resynchronize, run_test, skip_another_repository, skip_cleanup,
    skip_no_feedstock, skip_no_pull_request, skip_talk, skip_without_label, synchronize, synchronize_again,
};
use self::facts::{
    Facts, always, has_commit, is_another_command, is_cleanup, is_elsewhere, is_forwarded, is_malformed,
    is_no_feedstock, is_no_pull_request, is_not_allowed, is_recipe_check, is_run_button, is_staged, is_staged_cleanup,
    is_synchronize_check, is_talk, is_unmerged, lacks_label,
};
use super::settings::Settings;
use crate::apps::{Decision, Delivery};

/// One line of [`TABLE`].
struct Row {
    /// `X-GitHub-Event`, or [`ANY_EVENT`].
    event: &'static str,
    /// Values of `action`, or [`ANY`].
    actions: &'static [&'static str],
    /// What must be so.
    when: fn(&Facts<'_>) -> Result<bool, Refusal>,
    /// What is answered and done.
    then: fn(&Facts<'_>) -> Decided,
}

const fn row(
    event: &'static str,
    actions: &'static [&'static str],
    when: fn(&Facts<'_>) -> Result<bool, Refusal>,
    then: fn(&Facts<'_>) -> Decided,
) -> Row {
    Row { event, actions, when, then }
}

const ANY: &[&str] = &[];
const ANY_EVENT: &str = "*";

/// The actions by which a pull request has commits to look at. A draft is looked at as well, for
/// nothing of it is executed and its author learns early what is wrong; when it becomes ready its
/// commits are looked at again, for what was missing may be there now. All is done once however
/// often it is asked for.
const COMMITS: &[&str] = &["opened", "synchronize", "reopened", "ready_for_review"];

/// Every event and what follows from it; the first row that fits counts.
#[rustfmt::skip]
const TABLE: &[Row] = &[
    // event           action                    condition             answer and work
    row("pull_request",  ANY,                    is_forwarded,         forward),
    row("pull_request",  COMMITS,                lacks_label,          skip_without_label),
    row("pull_request",  COMMITS,                is_elsewhere,         skip_another_repository),
    row("pull_request",  COMMITS,                is_cleanup,           skip_cleanup),
    row("pull_request",  COMMITS,                always,               synchronize),
    row("pull_request",  &["closed"],            is_unmerged,          nothing),
    row("pull_request",  &["closed"],            lacks_label,          skip_without_label),
    row("pull_request",  &["closed"],            is_staged_cleanup,    skip_cleanup),
    row("pull_request",  &["closed"],            is_staged,            create_feedstock),
    row("pull_request",  &["closed"],            is_no_feedstock,      skip_no_feedstock),
    row("pull_request",  &["closed"],            always,               deploy_prod),
    row("pull_request",  ANY,                    always,               nothing),

    row("issue_comment", ANY,                    is_forwarded,         forward),
    row("issue_comment", &["created"],           is_talk,              skip_talk),
    row("issue_comment", &["created"],           is_no_pull_request,   skip_no_pull_request),
    row("issue_comment", &["created"],           lacks_label,          skip_without_label),
    row("issue_comment", &["created"],           is_another_command,   refuse_the_command),
    row("issue_comment", &["created"],           is_malformed,         answer_a_malformed_command),
    row("issue_comment", &["created"],           is_not_allowed,       answer_who_may_not_run),
    row("issue_comment", &["created"],           always,               run_test),
    row("issue_comment", ANY,                    always,               nothing),

    // `bakery` is our own name for what was named after the first bakery's engine.
    row("dataflow",      &["completed"],         always,               report),
    row("dataflow",      ANY,                    always,               nothing),
    row("bakery",        &["completed"],         always,               report),
    row("bakery",        ANY,                    always,               nothing),

    row("check_run",     &["rerequested"],       is_synchronize_check, synchronize_again),
    row("check_run",     &["rerequested"],       is_recipe_check,      request_run),
    row("check_run",     &["rerequested"],       always,               nothing),
    row("check_run",     &["requested_action"],  is_run_button,        request_run),
    row("check_run",     &["requested_action"],  always,               nothing),
    row("check_suite",   &["rerequested"],       has_commit,           resynchronize),
    row("check_suite",   ANY,                    always,               ok),

    row(ANY_EVENT,       ANY,                    always,               not_handled),
];

/// Decides about a verified delivery.
pub fn decide(settings: &Settings, delivery: &Delivery<'_>) -> Decision {
    let facts = Facts::new(settings, delivery);
    by_table(&facts).unwrap_or_else(|refusal| Decision {
        status: refusal.status,
        body: json!({ "detail": refusal.detail }),
        jobs: Vec::new(),
    })
}

fn by_table(facts: &Facts<'_>) -> Decided {
    let Delivery { event, envelope, .. } = facts.delivery;
    let action = envelope.action.as_deref();
    for row in TABLE {
        let fits = (row.event == *event || row.event == ANY_EVENT)
            && (row.actions.is_empty() || action.is_some_and(|action| row.actions.contains(&action)));
        if fits && (row.when)(facts)? {
            return (row.then)(facts);
        }
    }
    not_handled(facts)
}

/// Why a delivery is not accepted.
#[derive(Clone, Debug)]
struct Refusal {
    status: StatusCode,
    detail: String,
}

impl Refusal {
    fn bad_request(detail: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, detail: detail.into() }
    }
}

type Decided = Result<Decision, Refusal>;
