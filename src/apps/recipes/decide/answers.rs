//! The answers of the table, and the jobs that come with them.

use std::borrow::Cow;

use http::StatusCode;
use serde_json::{Value, json};

use super::facts::{Facts, is_not_allowed};
use super::payloads::{PullRequest, ReportEvent, RunId};
use super::{Decided, Refusal};
use crate::apps::Decision;
use crate::apps::payload::Payload;
use crate::apps::recipes::checks::run_of;
use crate::apps::recipes::jobs::{
    Answer, CreateFeedstock, DeployProd, Forward, MergedPull, Report, ReportByName, RequestRun, Resynchronize, RunTest,
    Synchronize, pull_key, pull_of, run_key,
};
use crate::apps::recipes::text::run as text_of;
use crate::jobs::Job;
use crate::util::text::truncate;

const NOT_HANDLED: &str = "No handling implemented for this event type.";
const MALFORMED: &str = "Command /run not of form ``['/run', RECIPE_NAME]``.";
/// Longest accepted text of a field, in characters; GitHub's own are shorter.
const TEXT_MAX: usize = 255;

pub(super) fn nothing(_: &Facts<'_>) -> Decided {
    Ok(answer(Value::Null))
}

pub(super) fn ok(_: &Facts<'_>) -> Decided {
    Ok(answer(json!({ "status": "ok" })))
}

pub(super) fn not_handled(_: &Facts<'_>) -> Decided {
    Err(Refusal { status: StatusCode::NOT_IMPLEMENTED, detail: NOT_HANDLED.to_owned() })
}

/// Another deployment does all that is to be done.
pub(super) fn forward(facts: &Facts<'_>) -> Decided {
    let targets = facts.targets();
    let tasks: Vec<Value> = targets.iter().map(|url| json!({ "task": "forward", "args": [url.as_str()] })).collect();
    let mut decision = answer(json!({ "status": "ok", "background_tasks": tasks }));
    for url in targets {
        let job = Forward { url: url.to_string() };
        decision.jobs.push(queued(&job, None, format!("{}:{url}", token(facts, Forward::KIND)))?);
    }
    Ok(decision)
}

pub(super) fn skip_without_label(facts: &Facts<'_>) -> Decided {
    let wanted = facts.settings.run_only_on.join(", ");
    Ok(skip(&format!("The pull request carries no label of: {wanted}. Skipping.")))
}

pub(super) fn skip_another_repository(facts: &Facts<'_>) -> Decided {
    let message = format!("Skipping synchronize for repo {}", truncate(&facts.pull()?.base.repo.full_name, TEXT_MAX));
    Ok(answer(json!({ "status": "ok", "message": message })))
}

pub(super) fn skip_cleanup(_: &Facts<'_>) -> Decided {
    Ok(skip("This is an automated cleanup PR. Skipping."))
}

pub(super) fn skip_no_feedstock(_: &Facts<'_>) -> Decided {
    Ok(skip("This not a -feedstock repo. Skipping."))
}

pub(super) fn skip_talk(_: &Facts<'_>) -> Decided {
    Ok(answer(json!({ "status": "ok", "message": "Comment is not a slash command." })))
}

pub(super) fn skip_no_pull_request(_: &Facts<'_>) -> Decided {
    Ok(skip("Comment is not on a pull request. Skipping."))
}

pub(super) fn synchronize(facts: &Facts<'_>) -> Decided {
    let pull = facts.pull()?;
    let base = &pull.base.repo;
    let full_name = repository_name(&base.full_name, "pull_request.base.repo.full_name")?;
    // The fork may be gone; GitHub keeps the commits of a pull request in its base repository.
    let head_html_url = pull.head.repo.as_ref().map_or(&base.html_url, |repo| &repo.html_url);
    let head_html_url = text(head_html_url, "pull_request.head.repo.html_url")?;
    let job = Synchronize {
        head_html_url: Some(head_html_url.clone()),
        head_sha: text(&pull.head.sha, "pull_request.head.sha")?,
        pr_number: pull.number,
        base_api_url: text(&base.url, "pull_request.base.repo.url")?,
        base_full_name: full_name.to_owned(),
        installation_id: facts.installation_id(),
    };
    let task = json!({
        "task": "synchronize",
        "args": [head_html_url, job.head_sha, job.pr_number, job.base_api_url, job.base_full_name],
    });
    let key = pull_key(full_name, job.pr_number);
    queue(facts, json!({ "status": "ok", "background_tasks": [task] }), &job, Some(key))
}

pub(super) fn create_feedstock(facts: &Facts<'_>) -> Decided {
    let merged = merged_pull(facts.pull()?, facts.installation_id())?;
    let key = pull_key(&merged.base_full_name, merged.pr_number);
    queue(facts, Value::Null, &CreateFeedstock(merged), Some(key))
}

pub(super) fn deploy_prod(facts: &Facts<'_>) -> Decided {
    let merged = merged_pull(facts.pull()?, facts.installation_id())?;
    let key = pull_key(&merged.base_full_name, merged.pr_number);
    queue(facts, Value::Null, &DeployProd(merged), Some(key))
}

fn merged_pull(pull: &PullRequest<'_>, installation_id: Option<i64>) -> Result<MergedPull, Refusal> {
    let base = &pull.base.repo;
    let full_name = repository_name(&base.full_name, "pull_request.base.repo.full_name")?;
    let sha = pull
        .merge_commit_sha
        .as_deref()
        .ok_or_else(|| Refusal::bad_request("pull_request.merge_commit_sha is missing in a merged pull request."))?;
    Ok(MergedPull {
        base_full_name: full_name.to_owned(),
        base_html_url: text(&base.html_url, "pull_request.base.repo.html_url")?,
        base_api_url: text(&base.url, "pull_request.base.repo.url")?,
        base_ref: text(&pull.base.git_ref, "pull_request.base.ref")?,
        pr_number: pull.number,
        merge_commit_sha: text(sha, "pull_request.merge_commit_sha")?,
        installation_id,
    })
}

/// Commands of other Apps are not ours to answer on the pull request.
pub(super) fn refuse_the_command(_: &Facts<'_>) -> Decided {
    Err(Refusal::bad_request(NOT_HANDLED))
}

/// The answer to GitHub is an error, and the person is told.
pub(super) fn answer_a_malformed_command(facts: &Facts<'_>) -> Decided {
    let told = if is_not_allowed(facts)? { refusal(facts)? } else { reply(facts, None, text_of::malformed())? };
    let decision = queue_for_pull(facts, json!({ "detail": MALFORMED }), &told)?;
    Ok(Decision { status: StatusCode::BAD_REQUEST, ..decision })
}

pub(super) fn answer_who_may_not_run(facts: &Facts<'_>) -> Decided {
    let allowed = facts.settings.run_associations.join(", ");
    let association = truncate(&facts.command()?.comment.author_association, TEXT_MAX);
    let message = format!("Command /run is reserved for {allowed}; this comment's author is {association}.");
    queue_for_pull(facts, json!({ "status": "skip", "message": message }), &refusal(facts)?)
}

/// Who may is told to each person once on a pull request, however often they try.
fn refusal(facts: &Facts<'_>) -> Result<Answer, Refusal> {
    let login = text(facts.command()?.login(), "comment.user.login")?;
    let said = text_of::not_allowed(&login, &facts.settings.run_associations);
    reply(facts, Some(format!("may-not-run/{login}")), said)
}

/// An answer to the command; `refused` says to whom nothing is said twice.
fn reply(facts: &Facts<'_>, refused: Option<String>, text: String) -> Result<Answer, Refusal> {
    let command = facts.command()?;
    Ok(Answer {
        base_full_name: repository_name(&command.repository.full_name, "repository.full_name")?.to_owned(),
        pr_number: command.issue.number,
        installation_id: facts.installation_id(),
        comment_id: command.comment.id,
        refused: refused.is_some(),
        about: refused.unwrap_or_else(|| format!("comment/{}", command.comment.id)),
        text,
    })
}

fn queue_for_pull(facts: &Facts<'_>, body: Value, job: &Answer) -> Decided {
    queue(facts, body, job, Some(pull_key(&job.base_full_name, job.pr_number)))
}

pub(super) fn run_test(facts: &Facts<'_>) -> Decided {
    let command = facts.command()?;
    let full_name = repository_name(&command.repository.full_name, "repository.full_name")?;
    let recipe_id = facts.words()?.get(1).copied().unwrap_or_default();
    let job = RunTest {
        base_full_name: full_name.to_owned(),
        pr_number: command.issue.number,
        comment_id: command.comment.id,
        requested_by: Some(text(command.login(), "comment.user.login")?),
        recipe_id: text(recipe_id, "comment.body")?,
        installation_id: facts.installation_id(),
    };
    queue(facts, Value::Null, &job, Some(pull_key(full_name, job.pr_number)))
}

/// A bakery says how a recipe run ended, as a form or as JSON.
pub(super) fn report(facts: &Facts<'_>) -> Decided {
    let (conclusion, run_id, job_name) = match &facts.delivery.payload {
        Payload::Form(fields) => {
            let field = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.to_string());
            let conclusion =
                field("conclusion").ok_or_else(|| Refusal::bad_request("The form lacks the field conclusion."))?;
            (conclusion, field("recipe_run_id").map(RunId::Text), field("job_name"))
        }
        Payload::Json(_) => {
            let event = facts.read::<ReportEvent<'_>>()?;
            (event.conclusion.into_owned(), event.recipe_run_id, event.job_name.map(Cow::into_owned))
        }
    };
    if conclusion != "success" && conclusion != "failure" {
        let conclusion = truncate(&conclusion, 100);
        let detail = format!("No handling implemented for payload['conclusion'] = '{conclusion}'.");
        return Err(Refusal::bad_request(detail));
    }
    let run_id = match (run_id, job_name) {
        (Some(RunId::Number(id)), _) => Some(id),
        (Some(RunId::Text(text)), _) => text.trim().parse().ok(),
        (None, Some(job_name)) => {
            let job = ReportByName { job_name: text(&job_name, "job_name")?, conclusion };
            let key = format!("job-name/{}", job.job_name);
            return queue(facts, Value::Null, &job, Some(key));
        }
        (None, None) => return Err(Refusal::bad_request("The report names neither recipe_run_id nor job_name.")),
    };
    let Some(recipe_run_id) = run_id.filter(|id| *id > 0) else {
        return Err(Refusal::bad_request("recipe_run_id is not the number of a recipe run."));
    };
    // Which pull request or feedstock the run belongs to is known only to the database.
    let job = Report { recipe_run_id, attempt: None, conclusion, reason: None, trace: None };
    queue(facts, Value::Null, &job, Some(run_key(recipe_run_id)))
}

/// The check run called `synchronize` is asked for again. Which fork its commit came from is not
/// said here; the job asks.
pub(super) fn synchronize_again(facts: &Facts<'_>) -> Decided {
    let Some(event) = facts.check_run() else { return nothing(facts) };
    let Some(pr_number) = pull_of(event.external_id()) else { return nothing(facts) };
    let full_name = repository_name(&event.repository.full_name, "repository.full_name")?;
    let job = Synchronize {
        head_html_url: None,
        head_sha: text(&event.check_run.head_sha, "check_run.head_sha")?,
        pr_number,
        base_api_url: text(&event.repository.url, "repository.url")?,
        base_full_name: full_name.to_owned(),
        installation_id: facts.installation_id(),
    };
    queue(facts, Value::Null, &job, Some(pull_key(full_name, pr_number)))
}

/// A recipe's check run is asked for again, or its button was pressed.
pub(super) fn request_run(facts: &Facts<'_>) -> Decided {
    let Some(event) = facts.check_run() else { return nothing(facts) };
    let Some(recipe_run_id) = run_of(event.external_id()) else { return nothing(facts) };
    let job = RequestRun {
        recipe_run_id,
        requested_by: text(&event.sender.login, "sender.login")?,
        from_github: true,
        head_sha: Some(text(&event.check_run.head_sha, "check_run.head_sha")?),
    };
    queue(facts, Value::Null, &job, None)
}

/// All checks of a commit are asked for again. Recipes are not run for that: each has its button.
pub(super) fn resynchronize(facts: &Facts<'_>) -> Decided {
    // Suites are answered `ok`, whatever they hold.
    let Some(event) = facts.check_suite() else { return ok(facts) };
    let Ok(full_name) = repository_name(&event.repository.full_name, "repository.full_name") else { return ok(facts) };
    let Ok(head_sha) = text(&event.check_suite.head_sha, "check_suite.head_sha") else { return ok(facts) };
    let job = Resynchronize {
        head_sha,
        base_api_url: text(&event.repository.url, "repository.url")?,
        base_full_name: full_name.to_owned(),
        installation_id: facts.installation_id(),
    };
    queue(facts, json!({ "status": "ok" }), &job, None)
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

/// Text that can be an argument and a database key: not empty, not long, no control characters.
fn text(value: &str, field: &str) -> Result<String, Refusal> {
    if value.is_empty() || value.chars().count() > TEXT_MAX || value.chars().any(char::is_control) {
        return Err(Refusal::bad_request(format!("{field} is empty, too long, or holds control characters.")));
    }
    Ok(value.to_owned())
}

fn token(facts: &Facts<'_>, kind: &str) -> String {
    format!("delivery:{}:{}:{kind}", facts.delivery.hook_id, facts.delivery.guid)
}

fn queue<J: Job>(facts: &Facts<'_>, body: Value, job: &J, key: Option<String>) -> Decided {
    Ok(Decision { jobs: vec![queued(job, key, token(facts, J::KIND))?], ..answer(body) })
}

fn queued<J: Job>(job: &J, key: Option<String>, token: String) -> Result<crate::store::jobs::NewJob, Refusal> {
    job.queued(key, token).map_err(|error| Refusal::bad_request(format!("The payload cannot be queued: {error}.")))
}

fn answer(body: Value) -> Decision {
    Decision { status: StatusCode::ACCEPTED, body, jobs: Vec::new() }
}

fn skip(message: &str) -> Decision {
    answer(json!({ "status": "skip", "message": message }))
}
