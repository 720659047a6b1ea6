//! What people see, under `/_emulator`: calls, unknown calls, deliveries, faults, check runs, comments.

use http::Method;
use serde_json::{Map, Value, json};

use crate::emulator::auth::Need;
use crate::emulator::error::ApiError;
use crate::emulator::reply::Reply;
use crate::emulator::routes::apps::delivery_item;
use crate::emulator::routes::{Call, Route, route};
use crate::emulator::state::git::Blob;
use crate::emulator::state::{Deployment, Issue};
use crate::emulator::wire::with;

pub(super) fn routes() -> Vec<Route> {
    let look = |pattern, handler| route(Method::GET, pattern, Need::Open, handler);
    vec![
        look("/_emulator", state),
        look("/_emulator/calls", calls),
        look("/_emulator/unknown", unknown),
        look("/_emulator/deliveries", deliveries),
        look("/_emulator/delivery-states", delivery_states),
        look("/_emulator/faults", faults),
        look("/_emulator/repos/{owner}/{repo}/check-runs", check_runs),
        look("/_emulator/repos/{owner}/{repo}", repository),
        look("/_emulator/repos/{owner}/{repo}/deployments", deployments),
        look("/_emulator/repos/{owner}/{repo}/files", files),
        look("/_emulator/repos/{owner}/{repo}/issues", issues),
        look("/_emulator/repos/{owner}/{repo}/comments/{id}/reactions", reactions),
        look("/_emulator/repos/{owner}/{repo}/issues/{number}", issue),
        look("/_emulator/repos/{owner}/{repo}/issues/{number}/comments", comments),
    ]
}

/// Everything in short.
fn state(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let wire = call.wire();
    let world = wire.world;
    Ok(Reply::ok(json!({
        "viewer": world.login(world.viewer),
        "users": world.accounts.values().map(|a| json!({ "login": a.login, "type": a.kind.name() })).collect::<Vec<_>>(),
        "repos": world.repos.values().map(|r| world.full_name(r)).collect::<Vec<_>>(),
        "apps": world.apps.values().map(|a| wire.own_app(a)).collect::<Vec<_>>(),
        "installations": world.installations.values().map(|i| {
            with(wire.installation(i), json!({ "outdated": world.is_outdated(i) }))
        }).collect::<Vec<_>>(),
        "pending_deliveries": world.pending_deliveries(),
        "skew_seconds": world.skew.num_seconds(),
    })))
}

fn calls(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let after = call.query("after").and_then(|n| n.parse().ok()).unwrap_or(0);
    Ok(Reply::ok(call.backend.calls.after(after).map(crate::emulator::calls::Exchange::to_json).collect()))
}

fn unknown(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    Ok(Reply::ok(call.backend.calls.unknown().map(crate::emulator::calls::Exchange::to_json).collect()))
}

/// All attempts, oldest first, those under way with a `status` of null; `?after=` for those with a
/// greater id.
fn deliveries(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let after = call.query("after").and_then(|id| id.parse().ok()).unwrap_or(0);
    let world = &call.backend.world;
    let details = |d: &crate::emulator::state::Delivery| -> Value {
        let outcome = d.outcome.as_ref();
        json!({
            "app_id": d.app,
            "payload": serde_json::from_slice::<Value>(&d.payload).unwrap_or(Value::Null),
            "body": String::from_utf8_lossy(&d.payload),
            "response": outcome.and_then(|o| o.response_body.clone()),
        })
    };
    let wanted = world.deliveries.values().filter(|d| d.id > after);
    Ok(Reply::ok(wanted.map(|d| with(delivery_item(d), details(d))).collect()))
}

/// All attempts as the API lists them, without their payloads, oldest first.
fn delivery_states(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    Ok(Reply::ok(call.backend.world.deliveries.values().map(delivery_item).collect()))
}

fn faults(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    Ok(Reply::ok(json!(call.backend.faults.list().collect::<Vec<_>>())))
}

/// Check runs, newest first; `?sha=` for those of one commit.
fn check_runs(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (repo, wire, sha) = (call.repo()?, call.wire(), call.query("sha"));
    let wanted = repo.runs.values().rev().filter(|run| sha.is_none_or(|sha| sha == run.head_sha));
    // The API does not tell which buttons there are; people see them.
    Ok(Reply::ok(wanted.map(|run| with(wire.run(repo, run), json!({ "actions": run.actions }))).collect()))
}

fn issue(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (repo, wire) = (call.repo()?, call.wire());
    let issue = wire.world.issue(repo.id, call.number("number")?)?;
    Ok(Reply::ok(if issue.pull.is_some() { wire.full_pull(repo, issue) } else { wire.issue(repo, issue) }))
}

fn comments(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (repo, wire, number) = (call.repo()?, call.wire(), call.number("number")?);
    Ok(Reply::ok(repo.comments.values().filter(|c| c.number == number).map(|c| wire.comment(repo, c)).collect()))
}

/// A repository with its branches and who works on it.
fn repository(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (repo, wire) = (call.repo()?, call.wire());
    let login = |id: i64| wire.world.login(id).to_owned();
    let people = repo.collaborators.iter().map(|(id, role)| (login(*id), json!(role.name())));
    let invited = repo.invitations.values().map(|i| (login(i.invitee), json!(i.role.name())));
    let more = json!({
        "refs": repo.refs,
        "collaborators": people.collect::<Map<_, _>>(),
        "invitations": invited.collect::<Map<_, _>>(),
    });
    Ok(Reply::ok(with(wire.full_repo(repo), more)))
}

/// Deployments, oldest first, each with its `statuses`, oldest first.
fn deployments(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (repo, wire) = (call.repo()?, call.wire());
    let full = |deployment: &Deployment| {
        let statuses = deployment.statuses.iter().map(|s| wire.deployment_status(repo, deployment, s));
        with(wire.deployment(repo, deployment), json!({ "statuses": statuses.collect::<Vec<_>>() }))
    };
    Ok(Reply::ok(repo.deployments.values().map(full).collect()))
}

/// Files by path with their text; `?ref=` for those of another branch or commit than the default branch.
fn files(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (repo, world) = (call.repo()?, &call.backend.world);
    let reference = call.query("ref").unwrap_or(&repo.default_branch);
    let tree = world.tree(repo, reference).ok_or_else(ApiError::not_found)?;
    let text = |(path, blob): (String, Blob)| (path, json!(String::from_utf8_lossy(&blob.bytes)));
    Ok(Reply::ok(Value::Object(tree.into_iter().map(text).collect())))
}

/// Issues and pull requests, oldest first, the latter in their long form.
fn issues(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (repo, wire) = (call.repo()?, call.wire());
    let shown =
        |issue: &Issue| if issue.pull.is_some() { wire.full_pull(repo, issue) } else { wire.issue(repo, issue) };
    Ok(Reply::ok(repo.issues.values().map(shown).collect()))
}

/// Reactions to a comment, oldest first.
fn reactions(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (repo, wire) = (call.repo()?, call.wire());
    let comment = repo.comments.get(&call.number("id")?).ok_or_else(ApiError::not_found)?;
    Ok(Reply::ok(comment.reactions.iter().map(|r| wire.reaction(r)).collect()))
}
