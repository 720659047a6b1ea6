//! What to answer to a delivery, and what to do about it. Pure: no I/O, no clock.
//!
//! GitHub is never asked before the answer. Where the answer of the original orchestrator
//! depended on the changed files of a merged pull request, the answer here is `null`, the work is
//! queued, and the job says "Not a recipes PR. Skipping." in its outcome when it finds so.

mod payloads;
#[cfg(test)]
mod tests;

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use self::payloads::{
    ClosedEvent, CommandEvent, CommentEvent, Label, PullRequest, PullRequestEvent, ReportEvent, RunId,
};
use super::jobs::{CreateFeedstock, DeployProd, MergedPull, Report, RunTest, Synchronize};
use super::settings::Settings;
use crate::apps::payload::Payload;
use crate::apps::{Decision, Delivery};
use crate::jobs::Job;
use crate::util::text::truncate;

const NOT_HANDLED: &str = "No handling implemented for this event type.";
const CLEANUP: &str = "This is an automated cleanup PR. Skipping.";

/// Decides about a verified delivery.
pub fn decide(settings: &Settings, delivery: &Delivery<'_>) -> Decision {
    let action = delivery.envelope.action.as_deref();
    let decided = match (delivery.event, action) {
        ("pull_request", Some("opened" | "synchronize")) => commits(settings, delivery),
        ("pull_request", Some("closed")) => closed(settings, delivery),
        ("issue_comment", Some("created")) => comment(settings, delivery),
        // `bakery` is our own name for what was named after the first bakery's engine.
        ("dataflow" | "bakery", Some("completed")) => report(delivery),
        ("pull_request" | "issue_comment" | "dataflow" | "bakery", _) => Ok(nothing()),
        ("check_suite", _) => Ok(answer(json!({ "status": "ok" }))),
        _ => Err(Refusal { status: StatusCode::NOT_IMPLEMENTED, detail: NOT_HANDLED.to_owned() }),
    };
    decided.unwrap_or_else(|refusal| Decision {
        status: refusal.status,
        body: json!({ "detail": refusal.detail }),
        jobs: Vec::new(),
    })
}

/// Why a delivery is not accepted.
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

/// New commits on a pull request: synchronize.
fn commits(settings: &Settings, delivery: &Delivery<'_>) -> Decided {
    let pull = read::<PullRequestEvent<'_>>(delivery)?.pull_request;
    if let Some(skipped) = label_filter(settings, &pull.labels) {
        return Ok(skipped);
    }
    let full_name = &pull.base.repo.full_name;
    let name = short_name(full_name);
    if !name.ends_with("-feedstock") && !name.ends_with("staged-recipes") {
        let message = format!("Skipping synchronize for repo {}", truncate(full_name, TEXT_MAX));
        return Ok(answer(json!({ "status": "ok", "message": message })));
    }
    if is_cleanup(&pull.title) {
        return Ok(skip(CLEANUP));
    }
    let full_name = repository_name(full_name, "pull_request.base.repo.full_name")?;
    // The fork may be gone; GitHub keeps the commits of a pull request in its base repository.
    let head_html_url = pull.head.repo.as_ref().map_or(&pull.base.repo.html_url, |repo| &repo.html_url);
    let job = Synchronize {
        head_html_url: text(head_html_url, "pull_request.head.repo.html_url")?,
        head_sha: text(&pull.head.sha, "pull_request.head.sha")?,
        pr_number: pull.number,
        base_api_url: text(&pull.base.repo.url, "pull_request.base.repo.url")?,
        base_full_name: full_name.to_owned(),
        installation_id: delivery.envelope.installation_id,
    };
    let task = json!({
        "task": "synchronize",
        "args": [job.head_html_url, job.head_sha, job.pr_number, job.base_api_url, job.base_full_name],
    });
    let key = pull_key(&job.base_full_name, job.pr_number);
    queue(delivery, json!({ "status": "ok", "background_tasks": [task] }), &job, key)
}

/// A closed pull request: when merged, a new feedstock or a production run.
fn closed(settings: &Settings, delivery: &Delivery<'_>) -> Decided {
    if read::<ClosedEvent>(delivery)?.pull_request.merged != Some(true) {
        return Ok(nothing());
    }
    let pull = read::<PullRequestEvent<'_>>(delivery)?.pull_request;
    if let Some(skipped) = label_filter(settings, &pull.labels) {
        return Ok(skipped);
    }
    let name = short_name(&pull.base.repo.full_name);
    let staged = name.contains("staged-recipes");
    if staged && is_cleanup(&pull.title) {
        return Ok(skip(CLEANUP));
    }
    if !staged && !name.ends_with("-feedstock") {
        return Ok(skip("This not a -feedstock repo. Skipping."));
    }
    let full_name = repository_name(&pull.base.repo.full_name, "pull_request.base.repo.full_name")?;
    let merged = merged_pull(&pull, full_name, delivery.envelope.installation_id)?;
    let key = pull_key(full_name, pull.number);
    if staged {
        queue(delivery, Value::Null, &CreateFeedstock(merged), key)
    } else {
        queue(delivery, Value::Null, &DeployProd(merged), key)
    }
}

fn merged_pull(pull: &PullRequest<'_>, full_name: &str, installation_id: Option<i64>) -> Result<MergedPull, Refusal> {
    let sha = pull
        .merge_commit_sha
        .as_deref()
        .ok_or_else(|| Refusal::bad_request("pull_request.merge_commit_sha is missing in a merged pull request."))?;
    Ok(MergedPull {
        base_full_name: full_name.to_owned(),
        base_html_url: text(&pull.base.repo.html_url, "pull_request.base.repo.html_url")?,
        base_api_url: text(&pull.base.repo.url, "pull_request.base.repo.url")?,
        base_ref: text(&pull.base.git_ref, "pull_request.base.ref")?,
        pr_number: pull.number,
        merge_commit_sha: text(sha, "pull_request.merge_commit_sha")?,
        installation_id,
    })
}

/// A new comment: perhaps a command.
fn comment(settings: &Settings, delivery: &Delivery<'_>) -> Decided {
    let event = read::<CommentEvent<'_>>(delivery)?;
    let body = event.comment.body.as_deref().unwrap_or_default();
    if !body.starts_with('/') {
        return Ok(answer(json!({ "status": "ok", "message": "Comment is not a slash command." })));
    }
    let event = read::<CommandEvent<'_>>(delivery)?;
    if event.issue.pull_request.is_none() {
        return Ok(skip("Comment is not on a pull request. Skipping."));
    }
    if let Some(skipped) = label_filter(settings, &event.issue.labels) {
        return Ok(skipped);
    }
    let mut words = body.split_whitespace();
    if words.next() != Some("/run") {
        return Err(Refusal::bad_request(NOT_HANDLED));
    }
    let (Some(recipe_id), None) = (words.next(), words.next()) else {
        return Err(Refusal::bad_request("Command /run not of form ``['/run', RECIPE_NAME]``."));
    };
    let association = &event.comment.author_association;
    if !settings.may_run(association) {
        // Running a recipe executes its code: not for everybody who can comment.
        let allowed = settings.run_associations.join(", ");
        let message = format!("Command /run is reserved for {allowed}; this comment's author is {association}.");
        return Ok(skip(&message));
    }
    let full_name = repository_name(&event.repository.full_name, "repository.full_name")?;
    let job = RunTest {
        base_full_name: full_name.to_owned(),
        pr_number: event.issue.number,
        comment_id: event.comment.id,
        recipe_id: text(recipe_id, "comment.body")?,
        installation_id: delivery.envelope.installation_id,
    };
    let key = pull_key(full_name, job.pr_number);
    queue(delivery, Value::Null, &job, key)
}

/// A bakery says how a recipe run ended, as a form or as JSON.
fn report(delivery: &Delivery<'_>) -> Decided {
    let (conclusion, run_id) = match &delivery.payload {
        Payload::Form(fields) => {
            let field = |name: &str| {
                let found = fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.to_string());
                found.ok_or_else(|| Refusal::bad_request(format!("The form lacks the field {name}.")))
            };
            (field("conclusion")?, RunId::Text(field("recipe_run_id")?))
        }
        Payload::Json(_) => {
            let event = read::<ReportEvent<'_>>(delivery)?;
            (event.conclusion.into_owned(), event.recipe_run_id)
        }
    };
    if conclusion != "success" && conclusion != "failure" {
        let conclusion = truncate(&conclusion, 100);
        let detail = format!("No handling implemented for payload['conclusion'] = '{conclusion}'.");
        return Err(Refusal::bad_request(detail));
    }
    let run_id = match run_id {
        RunId::Number(id) => Some(id),
        RunId::Text(text) => text.trim().parse().ok(),
    };
    let Some(recipe_run_id) = run_id.filter(|id| *id > 0) else {
        return Err(Refusal::bad_request("recipe_run_id is not the number of a recipe run."));
    };
    // Which pull request or feedstock the run belongs to is known only to the database.
    let key = format!("recipe-run/{recipe_run_id}");
    queue(delivery, Value::Null, &Report { recipe_run_id, conclusion }, key)
}

fn label_filter(settings: &Settings, labels: &[Label<'_>]) -> Option<Decision> {
    if settings.acts_on(labels.iter().map(|label| label.name.as_ref())) {
        return None;
    }
    let wanted = settings.run_only_on.join(", ");
    Some(skip(&format!("The pull request carries no label of: {wanted}. Skipping.")))
}

/// Reads the fields that a row needs.
fn read<'d, T: Deserialize<'d>>(delivery: &'d Delivery<'_>) -> Result<T, Refusal> {
    match &delivery.payload {
        Payload::Json(text) => {
            serde_json::from_str(text).map_err(|error| Refusal::bad_request(format!("Unexpected payload: {error}.")))
        }
        Payload::Form(_) => Err(Refusal::bad_request("The form lacks the field payload.")),
    }
}

/// `owner/name`, because it becomes part of the paths that are called.
fn repository_name<'n>(full_name: &'n str, field: &str) -> Result<&'n str, Refusal> {
    let plain = |part: &str| {
        (1..=100).contains(&part.len())
            && !part.chars().all(|c| c == '.')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    match full_name.split_once('/') {
        Some((owner, name)) if plain(owner) && plain(name) => Ok(full_name),
        _ => Err(Refusal::bad_request(format!("{field} is not of the form owner/name."))),
    }
}

/// Longest accepted text of a field, in characters; GitHub's own are shorter.
const TEXT_MAX: usize = 255;

/// Text that can be an argument and a database key: not empty, not long, no control characters.
fn text(value: &str, field: &str) -> Result<String, Refusal> {
    if value.is_empty() || value.chars().count() > TEXT_MAX || value.chars().any(char::is_control) {
        return Err(Refusal::bad_request(format!("{field} is empty, too long, or holds control characters.")));
    }
    Ok(value.to_owned())
}

fn short_name(full_name: &str) -> String {
    full_name.rsplit('/').next().unwrap_or_default().to_lowercase()
}

fn is_cleanup(title: &str) -> bool {
    title.to_lowercase().starts_with("cleanup")
}

fn pull_key(full_name: &str, number: i64) -> String {
    format!("{full_name}#{number}")
}

fn queue<J: Job>(delivery: &Delivery<'_>, body: Value, job: &J, key: String) -> Decided {
    let token = format!("delivery:{}:{}:{}", delivery.hook_id, delivery.guid, J::KIND);
    match job.queued(Some(key), token) {
        Ok(job) => Ok(Decision { jobs: vec![job], ..answer(body) }),
        Err(error) => Err(Refusal::bad_request(format!("The payload cannot be queued: {error}."))),
    }
}

fn answer(body: Value) -> Decision {
    Decision { status: StatusCode::ACCEPTED, body, jobs: Vec::new() }
}

fn skip(message: &str) -> Decision {
    answer(json!({ "status": "skip", "message": message }))
}

fn nothing() -> Decision {
    answer(Value::Null)
}
