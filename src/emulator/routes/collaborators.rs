//! Collaborators and invitations: <https://docs.github.com/en/rest/collaborators>.

use http::Method;
use serde_json::{Value, json};

use crate::emulator::auth::Need;
use crate::emulator::error::ApiError;
use crate::emulator::reply::Reply;
use crate::emulator::routes::{ADMINISTER, Call, READ_METADATA, Route, route};
use crate::emulator::state::collaborators::{Invitation, Role};
use crate::emulator::state::{Kind, Level, Repo};
use crate::emulator::wire::{Wire, node_id, time, with};

pub(super) fn routes() -> Vec<Route> {
    let (read, write) = (READ_METADATA, Need::Repo(ADMINISTER));
    let look = Need::Repo(&[("administration", Level::Read)]);
    vec![
        route(Method::GET, "/repos/{owner}/{repo}/collaborators", read, list),
        route(Method::GET, "/repos/{owner}/{repo}/collaborators/{username}", read, check),
        route(Method::PUT, "/repos/{owner}/{repo}/collaborators/{username}", write, invite),
        route(Method::DELETE, "/repos/{owner}/{repo}/collaborators/{username}", write, remove),
        route(Method::GET, "/repos/{owner}/{repo}/collaborators/{username}/permission", read, permission),
        route(Method::GET, "/repos/{owner}/{repo}/invitations", look, invitations),
        route(Method::DELETE, "/repos/{owner}/{repo}/invitations/{invitation_id}", write, withdraw),
    ]
}

fn user(call: &Call<'_>) -> Result<i64, ApiError> {
    call.backend.world.account(call.param("username")).map(|a| a.id).ok_or_else(ApiError::not_found)
}

/// A person with what they may do, in all three ways in which GitHub says it.
fn shown(wire: &Wire<'_>, id: i64, role: Option<Role>) -> Value {
    let at_least = |least: Role| role.is_some_and(|role| role >= least);
    with(
        wire.user(id),
        json!({
            "permissions": {
                "admin": at_least(Role::Admin), "maintain": at_least(Role::Maintain), "push": at_least(Role::Write),
                "triage": at_least(Role::Triage), "pull": at_least(Role::Read),
            },
            "role_name": role.map_or("none", Role::name),
        }),
    )
}

fn list(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (repo, world) = (call.repo()?, &call.backend.world);
    let people = world.accounts.values().filter(|a| a.kind == Kind::User).map(|a| a.id);
    let people: Vec<i64> = people.filter(|id| world.is_collaborator(repo, *id)).collect();
    Ok(call.list(people, |wire, id| shown(wire, id, wire.world.role(repo, id))))
}

fn check(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let there = call.backend.world.is_collaborator(call.repo()?, user(call)?);
    if there { Ok(Reply::no_content()) } else { Err(ApiError::not_found()) }
}

fn permission(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (repo, wire, id) = (call.repo()?, call.wire(), user(call)?);
    let role = wire.world.role(repo, id);
    Ok(Reply::ok(json!({
        "permission": role.map_or("none", Role::permission),
        "role_name": role.map_or("none", Role::name),
        "user": shown(&wire, id, role),
    })))
}

fn invite(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (fields, repo, invitee, actor) = (call.fields()?, call.repo_id()?, user(call)?, call.actor());
    let wanted = fields.string("permission")?.unwrap_or_else(|| "push".to_owned());
    let role = Role::parse(&wanted)
        .ok_or_else(|| ApiError::validation("Repository", "permission", "invalid", Some("invalid permission")))?;
    match call.world().invite(repo, invitee, role, actor)? {
        None => Ok(Reply::no_content()),
        Some(id) => {
            let repo = call.repo()?;
            let invitation = repo.invitations.get(&id).ok_or_else(ApiError::not_found)?;
            Ok(Reply::created(render(&call.wire(), repo, invitation)))
        }
    }
}

fn render(wire: &Wire<'_>, repo: &Repo, invitation: &Invitation) -> Value {
    let id = invitation.id;
    json!({
        "id": id,
        "node_id": node_id("RepositoryInvitation", id),
        "repository": wire.repo(repo),
        "invitee": wire.user(invitation.invitee),
        "inviter": wire.user(invitation.inviter),
        "permissions": invitation.role.name(),
        "created_at": time(invitation.created_at),
        "expired": false,
        "url": format!("{}/user/repository_invitations/{id}", wire.links.api),
        "html_url": format!("{}/invitations", wire.repo_page(repo)),
    })
}

fn remove(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (repo, account, actor) = (call.repo_id()?, user(call)?, call.actor());
    call.world().remove_collaborator(repo, account, actor)?;
    Ok(Reply::no_content())
}

fn invitations(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let repo = call.repo()?;
    Ok(call.list(repo.invitations.values().collect(), |wire, invitation| render(wire, repo, invitation)))
}

fn withdraw(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (repo, id, actor) = (call.repo_id()?, call.number("invitation_id")?, call.actor());
    let invitee = call.repo()?.invitations.get(&id).map(|i| i.invitee).ok_or_else(ApiError::not_found)?;
    call.world().remove_collaborator(repo, invitee, actor)?;
    Ok(Reply::no_content())
}
