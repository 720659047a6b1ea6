//! Check runs and suites with their limits: <https://docs.github.com/en/rest/checks>.

use http::{Method, StatusCode};
use serde_json::json;

use crate::emulator::error::ApiError;
use crate::emulator::fields::{Fields, missing};
use crate::emulator::reply::Reply;
use crate::emulator::routes::{Call, READ_CHECKS, Route, WRITE_CHECKS, route};
use crate::emulator::state::checks::RunEdit;
use crate::emulator::state::{CheckRun, CheckSuite, Refusal};

/// Statuses that an App may set.
const STATUSES: [&str; 3] = ["queued", "in_progress", "completed"];
/// Conclusions that an App may set.
const CONCLUSIONS: [&str; 7] =
    ["action_required", "cancelled", "failure", "neutral", "success", "skipped", "timed_out"];
/// Levels of annotations.
const LEVELS: [&str; 3] = ["notice", "warning", "failure"];
/// Longest summary and text, in characters.
const LONGEST: usize = 65_535;

pub(super) fn routes() -> Vec<Route> {
    let (read, write) = (READ_CHECKS, WRITE_CHECKS);
    vec![
        route(Method::POST, "/repos/{owner}/{repo}/check-runs", write, create),
        route(Method::GET, "/repos/{owner}/{repo}/check-runs/{check_run_id}", read, get),
        route(Method::PATCH, "/repos/{owner}/{repo}/check-runs/{check_run_id}", write, update),
        route(Method::GET, "/repos/{owner}/{repo}/check-runs/{check_run_id}/annotations", read, annotations),
        route(Method::POST, "/repos/{owner}/{repo}/check-runs/{check_run_id}/rerequest", write, rerequest),
        route(Method::POST, "/repos/{owner}/{repo}/check-suites/{check_suite_id}/rerequest", write, rerequest_suite),
        route(Method::GET, "/repos/{owner}/{repo}/commits/{+ref}/check-runs", read, of_ref),
        route(Method::GET, "/repos/{owner}/{repo}/commits/{+ref}/check-suites", read, suites_of_ref),
        route(Method::GET, "/repos/{owner}/{repo}/check-suites/{check_suite_id}", read, suite),
        route(Method::GET, "/repos/{owner}/{repo}/check-suites/{check_suite_id}/check-runs", read, of_suite),
    ]
}

/// What a body sets, checked against GitHub's limits.
fn edit(fields: &Fields) -> Result<RunEdit, ApiError> {
    let mut edit = RunEdit {
        name: fields.string("name")?,
        status: fields.one_of("status", &STATUSES)?,
        conclusion: fields.one_of("conclusion", &CONCLUSIONS)?,
        external_id: fields.string("external_id")?,
        details_url: fields.string("details_url")?,
        started_at: fields.time("started_at")?,
        completed_at: fields.time("completed_at")?,
        ..RunEdit::default()
    };
    if edit.status.as_deref() == Some("completed") && edit.conclusion.is_none() {
        return Err(missing("conclusion"));
    }
    if let Some(output) = fields.object("output")? {
        edit.title = output.string("title")?;
        edit.summary = Some(output.short("summary", LONGEST)?.ok_or_else(|| missing("summary"))?);
        edit.text = output.short("text", LONGEST)?;
        edit.annotations = output.list("annotations", 50)?.unwrap_or_default();
        for annotation in &edit.annotations {
            let annotation = Fields::of(annotation.clone())?;
            annotation.required("path")?;
            annotation.required("message")?;
            for line in ["start_line", "end_line"] {
                annotation.integer(line)?.ok_or_else(|| missing(line))?;
            }
            annotation.one_of("annotation_level", &LEVELS)?.ok_or_else(|| missing("annotation_level"))?;
        }
    }
    edit.actions = fields.list("actions", 3)?;
    for action in edit.actions.iter().flatten() {
        let action = Fields::of(action.clone())?;
        for (name, max) in [("label", 20), ("description", 40), ("identifier", 20)] {
            action.short(name, max)?.ok_or_else(|| missing(name))?;
        }
    }
    Ok(edit)
}

fn own_app(call: &Call<'_>) -> Result<i64, ApiError> {
    call.app().ok_or_else(|| ApiError::new(StatusCode::FORBIDDEN, "You must authenticate via a GitHub App."))
}

fn shown(call: &Call<'_>, id: i64) -> Result<serde_json::Value, ApiError> {
    let repo = call.repo()?;
    Ok(call.wire().run(repo, repo.runs.get(&id).ok_or_else(ApiError::not_found)?))
}

fn create(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (app, repo, actor, fields) = (own_app(call)?, call.repo_id()?, call.actor(), call.fields()?);
    fields.required("name")?;
    let sha = fields.required("head_sha")?;
    let edit = edit(&fields)?;
    let id = call.world().create_run(repo, app, &sha, edit, actor)?;
    shown(call, id).map(Reply::created)
}

fn update(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (app, repo, actor, fields) = (own_app(call)?, call.repo_id()?, call.actor(), call.fields()?);
    let (id, edit) = (call.number("check_run_id")?, edit(&fields)?);
    let updated = call.world().update_run(repo, app, id, edit, actor);
    updated.map_err(|refusal| match refusal {
        Refusal::Conflict(text) => ApiError::new(StatusCode::FORBIDDEN, text),
        other => other.into(),
    })?;
    shown(call, id).map(Reply::ok)
}

fn rerequest(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (repo, id, actor) = (call.repo_id()?, call.number("check_run_id")?, call.actor());
    call.world().rerequest_run(repo, id, actor)?;
    Ok(Reply::created(json!({})))
}

fn rerequest_suite(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (repo, id, actor) = (call.repo_id()?, call.number("check_suite_id")?, call.actor());
    call.world().rerequest_suite(repo, id, actor)?;
    Ok(Reply::created(json!({})))
}

fn get(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let id = call.number("check_run_id")?;
    shown(call, id).map(Reply::ok)
}

fn annotations(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (repo, id) = (call.repo()?, call.number("check_run_id")?);
    let run = repo.runs.get(&id).ok_or_else(ApiError::not_found)?;
    Ok(call.list(run.annotations.clone(), |_, annotation| annotation))
}

/// The object name that the path's `ref` stands for.
fn sha(call: &Call<'_>) -> Result<String, ApiError> {
    let reference = call.param("ref");
    let commit = call.backend.world.resolve(call.repo()?, reference);
    commit
        .map(|c| c.sha.clone())
        .ok_or_else(|| ApiError::unprocessable(format!("No commit found for SHA: {reference}")))
}

fn of_ref(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sha = sha(call)?;
    runs(call, |run| run.head_sha == sha)
}

fn of_suite(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let id = call.number("check_suite_id")?;
    call.repo()?.suites.get(&id).ok_or_else(ApiError::not_found)?;
    runs(call, |run| run.suite == id)
}

fn runs(call: &Call<'_>, belongs: impl Fn(&CheckRun) -> bool) -> Result<Reply, ApiError> {
    let repo = call.repo()?;
    let (name, status) = (call.query("check_name"), call.query("status"));
    let app = call.query("app_id").map(str::parse::<i64>).transpose().map_err(|_| ApiError::not_found())?;
    let mut found: Vec<&CheckRun> = repo
        .runs
        .values()
        .rev()
        .filter(|run| belongs(run))
        .filter(|run| name.is_none_or(|n| n == run.name) && status.is_none_or(|s| s == run.status))
        .filter(|run| app.is_none_or(|id| id == run.app))
        .collect();
    // By default only the newest run of each name and App counts.
    if call.query("filter") != Some("all") {
        let mut seen = std::collections::BTreeSet::new();
        found.retain(|run| seen.insert((run.suite, run.name.as_str())));
    }
    Ok(call.counted("check_runs", found, |wire, run| wire.run(repo, run)))
}

fn suites_of_ref(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (repo, sha) = (call.repo()?, sha(call)?);
    let app = call.query("app_id").and_then(|id| id.parse::<i64>().ok());
    let found: Vec<&CheckSuite> =
        repo.suites.values().filter(|suite| suite.head_sha == sha && app.is_none_or(|id| id == suite.app)).collect();
    Ok(call.counted("check_suites", found, |wire, suite| full_suite(wire, repo, suite)))
}

fn suite(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (repo, id) = (call.repo()?, call.number("check_suite_id")?);
    let suite = repo.suites.get(&id).ok_or_else(ApiError::not_found)?;
    Ok(Reply::ok(full_suite(&call.wire(), repo, suite)))
}

fn full_suite(
    wire: &crate::emulator::wire::Wire<'_>,
    repo: &crate::emulator::state::Repo,
    suite: &CheckSuite,
) -> serde_json::Value {
    let mut value = wire.suite(repo, suite);
    value["repository"] = wire.repo(repo);
    value
}
