//! What the owners of Apps and of accounts do, under `/_emulator`: change an App, its keys, approve, ask.

use http::Method;
use serde_json::json;

use crate::emulator::auth::Need;
use crate::emulator::error::ApiError;
use crate::emulator::reply::Reply;
use crate::emulator::routes::act::{account, actor, body};
use crate::emulator::routes::{Call, Route, route};
use crate::emulator::state::Permissions;
use crate::emulator::state::settings::AppEdit;

pub(super) fn routes() -> Vec<Route> {
    let act = |method, pattern, handler| route(method, pattern, Need::Open, handler);
    vec![
        act(Method::PATCH, "/_emulator/apps/{app_slug}", edit),
        act(Method::POST, "/_emulator/apps/{app_slug}/keys", add_key),
        act(Method::DELETE, "/_emulator/apps/{app_slug}/keys", revoke_keys),
        act(Method::POST, "/_emulator/apps/{app_slug}/installation-requests", request),
        act(Method::POST, "/_emulator/installations/{id}/approve", approve),
    ]
}

fn app(call: &Call<'_>) -> Result<i64, ApiError> {
    call.backend.world.app_by_slug(call.param("app_slug")).map(|a| a.id).ok_or_else(ApiError::not_found)
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct EditBody {
    #[serde(default)]
    permissions: Option<Permissions>,
    #[serde(default)]
    events: Option<Vec<String>>,
    #[serde(default)]
    hook_active: Option<bool>,
    #[serde(default)]
    hook_url: Option<String>,
}

fn edit(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (id, EditBody { permissions, events, hook_active, hook_url }) = (app(call)?, body(call)?);
    call.world().edit_app(id, AppEdit { permissions, events, hook_active, hook_url })?;
    let wire = call.wire();
    Ok(Reply::ok(wire.own_app(wire.world.apps.get(&id).ok_or_else(ApiError::not_found)?)))
}

fn add_key(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let id = app(call)?;
    let pem = call.world().add_key(id)?;
    Ok(Reply::created(json!({ "pem": pem.expose() })))
}

fn revoke_keys(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let id = app(call)?;
    call.world().revoke_keys(id)?;
    Ok(Reply::no_content())
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestBody {
    account: String,
    #[serde(default)]
    user: Option<String>,
}

fn request(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (id, wanted) = (app(call)?, body::<RequestBody>(call)?);
    let (account, requester) = (account(call, &wanted.account)?, actor(call, wanted.user.as_deref()));
    let request = call.world().request_installation(id, account, requester)?;
    Ok(Reply::created(json!({ "id": request })))
}

fn approve(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (id, actor) = (call.number("id")?, call.world().viewer);
    call.world().approve(id, actor)?;
    Ok(Reply::no_content())
}
