//! What people do with check runs, collaborators and drafts, under `/_emulator`.

use http::Method;
use serde_json::{Value, json};

use crate::emulator::auth::Need;
use crate::emulator::error::ApiError;
use crate::emulator::reply::Reply;
use crate::emulator::routes::act::{account, actor, body};
use crate::emulator::routes::{Call, Route, route};
use crate::emulator::state::collaborators::Role;

pub(super) fn routes() -> Vec<Route> {
    let act = |method, pattern, handler| route(method, pattern, Need::Open, handler);
    vec![
        act(Method::POST, "/_emulator/repos/{owner}/{repo}/check-runs/{id}/rerequest", rerequest_run),
        act(Method::POST, "/_emulator/repos/{owner}/{repo}/check-runs/{id}/actions", press),
        act(Method::POST, "/_emulator/repos/{owner}/{repo}/check-suites/{id}/rerequest", rerequest_suite),
        act(Method::POST, "/_emulator/repos/{owner}/{repo}/pulls/{number}/draft", draft),
        act(Method::PUT, "/_emulator/repos/{owner}/{repo}/collaborators/{username}", collaborate),
        act(Method::POST, "/_emulator/repos/{owner}/{repo}/collaborators/{username}/accept", accept),
    ]
}

#[derive(Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ByBody {
    user: Option<String>,
}

fn rerequest_run(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (repo, id, wanted) = (call.repo_id()?, call.number("id")?, body::<ByBody>(call)?);
    let actor = actor(call, wanted.user.as_deref());
    call.world().rerequest_run(repo, id, actor)?;
    Ok(Reply::created(json!({})))
}

fn rerequest_suite(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (repo, id, wanted) = (call.repo_id()?, call.number("id")?, body::<ByBody>(call)?);
    let actor = actor(call, wanted.user.as_deref());
    call.world().rerequest_suite(repo, id, actor)?;
    Ok(Reply::created(json!({})))
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct PressBody {
    identifier: String,
    #[serde(default)]
    user: Option<String>,
}

/// Presses a button that the App has put on its check run.
fn press(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (repo, id, wanted) = (call.repo_id()?, call.number("id")?, body::<PressBody>(call)?);
    let actor = actor(call, wanted.user.as_deref());
    call.world().press(repo, id, &wanted.identifier, actor)?;
    Ok(Reply::created(json!({})))
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct DraftBody {
    draft: bool,
    #[serde(default)]
    user: Option<String>,
}

fn draft(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (repo, number, wanted) = (call.repo_id()?, call.number("number")?, body::<DraftBody>(call)?);
    let actor = actor(call, wanted.user.as_deref());
    call.world().set_draft(repo, number, wanted.draft, actor)?;
    Ok(Reply::no_content())
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleBody {
    role: String,
}

/// Invites somebody, who accepts at once.
fn collaborate(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (repo, wanted, inviter) = (call.repo_id()?, body::<RoleBody>(call)?, call.world().viewer);
    let role = Role::parse(&wanted.role).ok_or_else(|| ApiError::unprocessable("no such role"))?;
    let username = call.param("username").to_owned();
    let invitee = actor(call, Some(&username));
    if call.world().invite(repo, invitee, role, inviter)?.is_some() {
        call.world().accept_invitation(repo, invitee)?;
    }
    Ok(Reply::no_content())
}

/// Accepts an invitation.
fn accept(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (repo, invitee) = (call.repo_id()?, account(call, call.param("username"))?);
    call.world().accept_invitation(repo, invitee)?;
    Ok(Reply::ok(Value::Null))
}
