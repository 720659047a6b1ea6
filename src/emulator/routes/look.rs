//! What people see, under `/_emulator`: calls, unknown calls, deliveries, faults, check runs, comments.

use http::Method;
use serde_json::{Value, json};

use crate::emulator::auth::Need;
use crate::emulator::error::ApiError;
use crate::emulator::reply::Reply;
use crate::emulator::routes::apps::delivery_item;
use crate::emulator::routes::{Call, Route, route};
use crate::emulator::wire::with;

pub(super) fn routes() -> Vec<Route> {
    let look = |pattern, handler| route(Method::GET, pattern, Need::Open, handler);
    vec![
        look("/_emulator", state),
        look("/_emulator/calls", calls),
        look("/_emulator/unknown", unknown),
        look("/_emulator/deliveries", deliveries),
        look("/_emulator/faults", faults),
        look("/_emulator/repos/{owner}/{repo}/check-runs", check_runs),
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

/// All attempts, oldest first, those under way with a `status` of null.
fn deliveries(call: &mut Call<'_>) -> Result<Reply, ApiError> {
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
    Ok(Reply::ok(world.deliveries.values().map(|d| with(delivery_item(d), details(d))).collect()))
}

fn faults(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    Ok(Reply::ok(json!(call.backend.faults.list().collect::<Vec<_>>())))
}

/// Check runs, newest first; `?sha=` for those of one commit.
fn check_runs(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (repo, wire, sha) = (call.repo()?, call.wire(), call.query("sha"));
    let wanted = repo.runs.values().rev().filter(|run| sha.is_none_or(|sha| sha == run.head_sha));
    Ok(Reply::ok(wanted.map(|run| wire.run(repo, run)).collect()))
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
