//! What people do, under `/_emulator`: open, push, comment, merge, install, break things.

use std::collections::BTreeMap;

use bytes::Bytes;
use chrono::TimeDelta;
use http::{Method, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::emulator::auth::Need;
use crate::emulator::error::ApiError;
use crate::emulator::faults::Fault;
use crate::emulator::reply::Reply;
use crate::emulator::routes::{Call, Route, route};
use crate::emulator::seed::SeedApp;
use crate::emulator::serve::LONGEST_LATENCY;
use crate::emulator::state::deliveries::{Delivery, Tampering};
use crate::emulator::state::git::Edits;
use crate::emulator::state::issues::IssueEdit;
use crate::emulator::state::pulls::NewPull;
use crate::emulator::state::repos::NewRepo;
use crate::emulator::state::{Kind, Selection};
use crate::util::Secret;
use crate::util::id::guid;

pub(super) fn routes() -> Vec<Route> {
    let act = |method, pattern, handler| route(method, pattern, Need::Open, handler);
    vec![
        act(Method::POST, "/_emulator/users", user),
        act(Method::POST, "/_emulator/orgs", org),
        act(Method::POST, "/_emulator/repos", repo),
        act(Method::POST, "/_emulator/apps", app),
        act(Method::POST, "/_emulator/apps/{app_slug}/installations", install),
        act(Method::DELETE, "/_emulator/installations/{id}", uninstall),
        act(Method::POST, "/_emulator/installations/{id}/suspended", suspend),
        act(Method::POST, "/_emulator/installations/{id}/repositories", select),
        act(Method::DELETE, "/_emulator/repos/{owner}/{repo}", delete_repo),
        act(Method::POST, "/_emulator/repos/{owner}/{repo}/forks", fork),
        act(Method::POST, "/_emulator/repos/{owner}/{repo}/push", push),
        act(Method::POST, "/_emulator/repos/{owner}/{repo}/pulls", open_pull),
        act(Method::POST, "/_emulator/repos/{owner}/{repo}/pulls/{number}/merge", merge),
        act(Method::POST, "/_emulator/repos/{owner}/{repo}/issues", open_issue),
        act(Method::POST, "/_emulator/repos/{owner}/{repo}/issues/{number}", edit),
        act(Method::POST, "/_emulator/repos/{owner}/{repo}/issues/{number}/comments", comment),
        act(Method::POST, "/_emulator/repos/{owner}/{repo}/issues/{number}/labels", label),
        act(Method::POST, "/_emulator/deliveries", deliver),
        act(Method::POST, "/_emulator/deliveries/{id}/attempts", redeliver),
        act(Method::PUT, "/_emulator/clock", clock),
        act(Method::POST, "/_emulator/faults", add_fault),
        act(Method::DELETE, "/_emulator/faults", clear_faults),
    ]
}

/// The body, with a reason when it does not fit.
pub(super) fn body<T: DeserializeOwned>(call: &Call<'_>) -> Result<T, ApiError> {
    let bytes = if call.body.is_empty() { b"{}" } else { call.body };
    serde_json::from_slice(bytes).map_err(|e| ApiError::new(StatusCode::BAD_REQUEST, e.to_string()))
}

/// The account called `user`; without one the person at the browser. An unknown person is made.
pub(super) fn actor(call: &mut Call<'_>, user: Option<&str>) -> i64 {
    match user {
        Some(login) => call.world().ensure_account(login, Kind::User),
        None => call.world().viewer,
    }
}

pub(super) fn account(call: &Call<'_>, login: &str) -> Result<i64, ApiError> {
    call.backend.world.account(login).map(|a| a.id).ok_or_else(ApiError::not_found)
}

#[derive(serde::Deserialize)]
struct NewAccount {
    login: String,
    #[serde(default)]
    token: Option<Secret>,
}

fn user(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    new_account(call, Kind::User)
}

fn org(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    new_account(call, Kind::Organization)
}

fn new_account(call: &mut Call<'_>, kind: Kind) -> Result<Reply, ApiError> {
    let new: NewAccount = body(call)?;
    let id = call.world().create_account(&new.login, kind)?;
    if let Some(account) = call.world().accounts.get_mut(&id) {
        account.token = new.token;
    }
    Ok(Reply::created(call.wire().user(id)))
}

/// Files by path; `null` deletes one.
type Files = BTreeMap<String, Option<String>>;

fn edits(files: Files) -> Edits {
    files.into_iter().map(|(path, text)| (path, text.map(Bytes::from))).collect()
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct RepoBody {
    owner: String,
    name: String,
    #[serde(default)]
    private: bool,
    #[serde(default)]
    default_branch: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    template: bool,
    #[serde(default)]
    files: Files,
}

fn repo(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let new: RepoBody = body(call)?;
    let owner = account(call, &new.owner)?;
    let repo = NewRepo {
        name: new.name,
        private: new.private,
        default_branch: new.default_branch,
        description: new.description,
        template: new.template,
        files: edits(new.files),
        ..NewRepo::default()
    };
    let viewer = call.world().viewer;
    let id = call.world().create_repo(owner, repo, viewer)?;
    shown_repo(call, id)
}

fn shown_repo(call: &Call<'_>, id: i64) -> Result<Reply, ApiError> {
    let wire = call.wire();
    Ok(Reply::created(wire.full_repo(wire.world.repos.get(&id).ok_or_else(ApiError::not_found)?)))
}

fn delete_repo(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (repo, viewer) = (call.repo_id()?, call.world().viewer);
    call.world().delete_repo(repo, viewer)?;
    Ok(Reply::no_content())
}

/// A seed's App, made now.
fn app(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let new: SeedApp = body(call)?;
    let id = new.plant(call.world()).map_err(|e| ApiError::unprocessable(e.to_string()))?;
    let wire = call.wire();
    Ok(Reply::created(wire.app(wire.world.apps.get(&id).ok_or_else(ApiError::not_found)?)))
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct InstallBody {
    account: String,
    #[serde(default)]
    repositories: Option<Vec<String>>,
}

fn install(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let wanted: InstallBody = body(call)?;
    let owner = account(call, &wanted.account)?;
    let world = &call.backend.world;
    let app = world.app_by_slug(call.param("app_slug")).map(|a| a.id).ok_or_else(ApiError::not_found)?;
    let selection = match &wanted.repositories {
        None => Selection::All,
        Some(names) => Selection::Only(named(call, &wanted.account, names)?),
    };
    let actor = call.world().viewer;
    let id = call.world().install(app, owner, selection, actor)?;
    let wire = call.wire();
    Ok(Reply::created(wire.installation(wire.world.installations.get(&id).ok_or_else(ApiError::not_found)?)))
}

fn named(call: &Call<'_>, owner: &str, names: &[String]) -> Result<Vec<i64>, ApiError> {
    let found = names.iter().map(|name| call.backend.world.repo(owner, name).map(|r| r.id));
    found.collect::<Option<_>>().ok_or_else(ApiError::not_found)
}

fn uninstall(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (id, actor) = (call.number("id")?, call.world().viewer);
    call.world().uninstall(id, actor)?;
    Ok(Reply::no_content())
}

#[derive(serde::Deserialize)]
struct SuspendBody {
    suspended: bool,
}

fn suspend(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (id, actor, wanted) = (call.number("id")?, call.world().viewer, body::<SuspendBody>(call)?);
    call.world().suspend(id, wanted.suspended, actor)?;
    Ok(Reply::no_content())
}

#[derive(Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct SelectBody {
    add: Vec<String>,
    remove: Vec<String>,
}

fn select(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (id, actor, wanted) = (call.number("id")?, call.world().viewer, body::<SelectBody>(call)?);
    let installation = call.backend.world.installations.get(&id).ok_or_else(ApiError::not_found)?;
    let owner = call.backend.world.login(installation.account).to_owned();
    let (add, remove) = (named(call, &owner, &wanted.add)?, named(call, &owner, &wanted.remove)?);
    call.world().select(id, &add, &remove, actor)?;
    Ok(Reply::no_content())
}

#[derive(serde::Deserialize)]
struct ForkBody {
    user: String,
}

fn fork(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (repo, wanted) = (call.repo_id()?, body::<ForkBody>(call)?);
    let owner = actor(call, Some(&wanted.user));
    let id = call.world().fork(repo, owner)?;
    shown_repo(call, id)
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct PushBody {
    branch: String,
    files: Files,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    user: Option<String>,
}

fn push(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (repo, wanted) = (call.repo_id()?, body::<PushBody>(call)?);
    let actor = actor(call, wanted.user.as_deref());
    let message = wanted.message.unwrap_or_else(|| "Update files".to_owned());
    let sha = call.world().push(repo, &wanted.branch, &edits(wanted.files), &message, actor)?;
    Ok(Reply::created(json!({ "sha": sha })))
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct PullBody {
    branch: String,
    title: String,
    #[serde(default)]
    files: Files,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    base: Option<String>,
    #[serde(default)]
    user: Option<String>,
    /// Commit to a fork of the user instead of the repository itself.
    #[serde(default)]
    fork: bool,
    #[serde(default)]
    draft: bool,
    #[serde(default)]
    labels: Vec<String>,
}

/// Commits `files` to a new branch and opens a pull request from it.
fn open_pull(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (repo, wanted) = (call.repo_id()?, body::<PullBody>(call)?);
    let actor = actor(call, wanted.user.as_deref());
    let head_repo = if wanted.fork { call.world().fork(repo, actor)? } else { repo };
    if !wanted.files.is_empty() {
        call.world().push(head_repo, &wanted.branch, &edits(wanted.files), &wanted.title, actor)?;
    }
    let base_ref = wanted
        .base
        .unwrap_or_else(|| call.backend.world.repos.get(&repo).map(|r| r.default_branch.clone()).unwrap_or_default());
    let new = NewPull {
        title: wanted.title,
        body: wanted.body,
        head_repo,
        head_ref: wanted.branch,
        base_ref,
        draft: wanted.draft,
        maintainer_can_modify: wanted.fork,
    };
    let number = call.world().open_pull(repo, new, actor)?;
    call.world().add_labels(repo, number, &wanted.labels, actor)?;
    let (repo, wire) = (call.repo()?, call.wire());
    Ok(Reply::created(wire.full_pull(repo, wire.world.issue(repo.id, number)?)))
}

#[derive(Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct MergeBody {
    user: Option<String>,
    method: Option<String>,
}

fn merge(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (repo, number, wanted) = (call.repo_id()?, call.number("number")?, body::<MergeBody>(call)?);
    let actor = actor(call, wanted.user.as_deref());
    let method = wanted.method.as_deref().unwrap_or("merge");
    let sha = call.world().merge_pull(repo, number, method, None, None, actor)?;
    Ok(Reply::ok(json!({ "sha": sha })))
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct IssueBody {
    title: String,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    user: Option<String>,
    #[serde(default)]
    labels: Vec<String>,
}

fn open_issue(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (repo, wanted) = (call.repo_id()?, body::<IssueBody>(call)?);
    let actor = actor(call, wanted.user.as_deref());
    let number = call.world().open_issue(repo, &wanted.title, wanted.body, &wanted.labels, actor)?;
    let (repo, wire) = (call.repo()?, call.wire());
    Ok(Reply::created(wire.issue(repo, wire.world.issue(repo.id, number)?)))
}

#[derive(Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct EditBody {
    user: Option<String>,
    title: Option<String>,
    body: Option<String>,
    open: Option<bool>,
}

/// Edits, closes or reopens an issue or pull request.
fn edit(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (repo, number, wanted) = (call.repo_id()?, call.number("number")?, body::<EditBody>(call)?);
    let actor = actor(call, wanted.user.as_deref());
    let edit = IssueEdit { title: wanted.title, body: wanted.body, open: wanted.open, ..IssueEdit::default() };
    call.world().edit_issue(repo, number, edit, actor)?;
    let (repo, wire) = (call.repo()?, call.wire());
    Ok(Reply::ok(wire.issue(repo, wire.world.issue(repo.id, number)?)))
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct CommentBody {
    body: String,
    #[serde(default)]
    user: Option<String>,
}

fn comment(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (repo, number, wanted) = (call.repo_id()?, call.number("number")?, body::<CommentBody>(call)?);
    let actor = actor(call, wanted.user.as_deref());
    let id = call.world().comment(repo, number, &wanted.body, actor, None)?;
    let (repo, wire) = (call.repo()?, call.wire());
    Ok(Reply::created(wire.comment(repo, repo.comments.get(&id).ok_or_else(ApiError::not_found)?)))
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct LabelBody {
    labels: Vec<String>,
    #[serde(default)]
    user: Option<String>,
}

fn label(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (repo, number, wanted) = (call.repo_id()?, call.number("number")?, body::<LabelBody>(call)?);
    let actor = actor(call, wanted.user.as_deref());
    call.world().issue(repo, number)?;
    call.world().add_labels(repo, number, &wanted.labels, actor)?;
    Ok(Reply::no_content())
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct DeliverBody {
    /// The App's slug; the first App when `None`.
    #[serde(default)]
    app: Option<String>,
    event: String,
    #[serde(default)]
    guid: Option<String>,
    /// A string is sent byte for byte, anything else as compact JSON.
    payload: Value,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    secret: Option<Secret>,
    #[serde(default)]
    headers: BTreeMap<String, Option<String>>,
}

/// Sends something that did not happen, or that is not what it claims to be.
fn deliver(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let wanted: DeliverBody = body(call)?;
    let world = &call.backend.world;
    let app = match &wanted.app {
        Some(slug) => world.app_by_slug(slug),
        None => world.apps.values().next(),
    };
    let app = app.map(|a| a.id).ok_or_else(ApiError::not_found)?;
    let action = wanted.payload["action"].as_str().map(str::to_owned);
    let payload = match wanted.payload {
        Value::String(text) => text,
        other => other.to_string(),
    };
    let headers = wanted.headers.into_iter().collect();
    let delivery = Delivery {
        id: 0,
        guid: wanted.guid.unwrap_or_else(guid),
        app,
        event: wanted.event,
        action,
        installation: None,
        repository: None,
        redelivery: false,
        payload: Bytes::from(payload),
        tampering: Some(Tampering { url: wanted.url, secret: wanted.secret, headers }),
        delivered_at: world.now(),
        outcome: None,
    };
    let guid = delivery.guid.clone();
    let id = call.world().file_delivery(delivery);
    Ok(Reply::json(StatusCode::ACCEPTED, json!({ "id": id, "guid": guid })))
}

fn redeliver(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let id = call.number("id")?;
    let new = call.world().redeliver(id).ok_or_else(ApiError::not_found)?;
    Ok(Reply::json(StatusCode::ACCEPTED, json!({ "id": new })))
}

#[derive(serde::Deserialize)]
struct ClockBody {
    skew_seconds: i64,
}

fn clock(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let wanted: ClockBody = body(call)?;
    let skew = TimeDelta::try_seconds(wanted.skew_seconds).filter(|s| s.num_days().abs() < 36_500);
    call.world().skew = skew.ok_or_else(|| ApiError::unprocessable("skew_seconds is out of range"))?;
    Ok(Reply::no_content())
}

fn add_fault(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let fault: Fault = body(call)?;
    if fault.latency() > LONGEST_LATENCY {
        return Err(ApiError::unprocessable("latency_ms is too large"));
    }
    call.backend.faults.add(fault);
    Ok(Reply::no_content())
}

fn clear_faults(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    call.backend.faults.clear();
    Ok(Reply::no_content())
}
