//! Apps, their hooks and deliveries, installations and tokens: <https://docs.github.com/en/rest/apps>.

use chrono::{DateTime, Utc};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::emulator::auth::{Caller, Need, suspended};
use crate::emulator::error::ApiError;
use crate::emulator::page::{Page, with_query};
use crate::emulator::reply::Reply;
use crate::emulator::routes::{Call, Route, route};
use crate::emulator::state::permissions::{Level, Permissions};
use crate::emulator::state::{App, Delivery, Installation, Kind, Repo};
use crate::emulator::wire::{node_id, permissions, time, with};
use crate::util::Secret;

pub(super) fn routes() -> Vec<Route> {
    let app = Need::App;
    vec![
        route(Method::GET, "/app", app, get),
        route(Method::GET, "/apps/{app_slug}", Need::Open, by_slug),
        route(Method::GET, "/app/hook/config", app, hook_config),
        route(Method::PATCH, "/app/hook/config", app, set_hook_config),
        route(Method::GET, "/app/hook/deliveries", app, deliveries),
        route(Method::GET, "/app/hook/deliveries/{delivery_id}", app, delivery),
        route(Method::POST, "/app/hook/deliveries/{delivery_id}/attempts", app, redeliver),
        route(Method::GET, "/app/installation-requests", app, requests),
        route(Method::GET, "/app/installations", app, installations),
        route(Method::GET, "/app/installations/{installation_id}", app, installation),
        route(Method::DELETE, "/app/installations/{installation_id}", app, uninstall),
        route(Method::PUT, "/app/installations/{installation_id}/suspended", app, suspend),
        route(Method::DELETE, "/app/installations/{installation_id}/suspended", app, unsuspend),
        route(Method::POST, "/app/installations/{installation_id}/access_tokens", app, token),
        route(Method::GET, "/repos/{owner}/{repo}/installation", app, of_repo),
        route(Method::GET, "/orgs/{org}/installation", app, of_org),
        route(Method::GET, "/users/{username}/installation", app, of_user),
        route(Method::DELETE, "/installation/token", Need::Installation, revoke),
        route(Method::GET, "/installation/repositories", Need::Installation, repositories),
    ]
}

fn own<'a>(call: &'a Call<'_>) -> Result<&'a App, ApiError> {
    call.app().and_then(|id| call.backend.world.apps.get(&id)).ok_or_else(ApiError::undecodable_jwt)
}

fn get(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    Ok(Reply::ok(call.wire().own_app(own(call)?)))
}

fn by_slug(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let wire = call.wire();
    let app = wire.world.app_by_slug(call.param("app_slug")).ok_or_else(ApiError::not_found)?;
    Ok(Reply::ok(wire.app(app)))
}

fn hook_config(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let hook = &own(call)?.hook;
    let mut config = json!({ "content_type": hook.content_type, "insecure_ssl": hook.insecure_ssl });
    if hook.secret.is_some() {
        config["secret"] = json!("********");
    }
    if let Some(url) = &hook.url {
        config["url"] = json!(url);
    }
    Ok(Reply::ok(config))
}

fn set_hook_config(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let fields = call.fields()?;
    let url = fields.string("url")?;
    if let Some(url) = url.as_deref().filter(|u| !is_web_address(u)) {
        let said = format!("{url} is not a valid URL");
        return Err(ApiError::validation("Hook", "url", "custom", Some(&said)));
    }
    let content_type = fields.one_of("content_type", &["json", "form"])?;
    let insecure_ssl = fields.value("insecure_ssl").map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned));
    let secret = fields.string("secret")?;
    let id = own(call)?.id;
    let app = call.world().apps.get_mut(&id).ok_or_else(ApiError::not_found)?;
    if url.is_some() {
        app.hook.active = true;
        app.hook.url = url;
    }
    app.hook.content_type = content_type.unwrap_or_else(|| app.hook.content_type.clone());
    app.hook.insecure_ssl = insecure_ssl.unwrap_or_else(|| app.hook.insecure_ssl.clone());
    if let Some(secret) = secret {
        app.hook.secret = (!secret.is_empty()).then(|| Secret::new(secret));
    }
    hook_config(call)
}

/// Whether `text` is an absolute HTTP address.
pub(in crate::emulator) fn is_web_address(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// Newest first, paged by an opaque cursor: `v1_` and the id of the last delivery seen.
fn deliveries(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let app = own(call)?.id;
    let page = Page::from_query(&call.query);
    let before = match call.query("cursor") {
        None => i64::MAX,
        Some(cursor) => cursor
            .strip_prefix("v1_")
            .and_then(|id| id.parse().ok())
            .ok_or_else(|| ApiError::new(StatusCode::BAD_REQUEST, "Invalid cursor"))?,
    };
    let mut found: Vec<&Delivery> = call.backend.world.deliveries_of(app, before).rev().take(page.size + 1).collect();
    let more = found.len() > page.size;
    found.truncate(page.size);
    let mut reply = Reply::ok(found.iter().map(|d| delivery_item(d)).collect());
    if let Some(last) = found.last().filter(|_| more) {
        let next = with_query(&call.url, &call.query, "cursor", &format!("v1_{}", last.id));
        reply.headers.push(("link", format!("<{next}>; rel=\"next\"")));
    }
    Ok(reply)
}

/// A delivery in a list.
pub(super) fn delivery_item(delivery: &Delivery) -> Value {
    let outcome = delivery.outcome.as_ref();
    // Seconds with two decimals, as GitHub gives them.
    #[allow(clippy::cast_precision_loss, reason = "milliseconds of at most ten seconds")]
    let duration = outcome.map_or(0.0, |o| (o.duration.num_milliseconds() as f64 / 10.0).round() / 100.0);
    json!({
        "id": delivery.id,
        "guid": delivery.guid,
        "delivered_at": time(delivery.delivered_at),
        "redelivery": delivery.redelivery,
        "duration": duration,
        "status": outcome.map(|o| o.status.clone()),
        "status_code": outcome.map(|o| o.status_code),
        "event": delivery.event,
        "action": delivery.action,
        "installation_id": delivery.installation,
        "repository_id": delivery.repository,
        "throttled_at": null,
    })
}

fn delivery(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let delivery = own_delivery(call)?;
    let outcome = delivery.outcome.as_ref().ok_or_else(ApiError::not_found)?;
    let object = |headers: &[(String, String)]| -> Value {
        Value::Object(headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect())
    };
    let payload: Value = serde_json::from_slice(&delivery.payload).unwrap_or(Value::Null);
    let details = json!({
        "url": outcome.url,
        "request": { "headers": object(&outcome.request_headers), "payload": payload },
        "response": {
            "headers": object(&outcome.response_headers),
            "payload": outcome.response_body.clone().unwrap_or_default(),
        },
    });
    Ok(Reply::ok(with(delivery_item(delivery), details)))
}

fn own_delivery<'a>(call: &'a Call<'_>) -> Result<&'a Delivery, ApiError> {
    let app = own(call)?.id;
    let id = call.number("delivery_id")?;
    call.backend.world.delivery_of(app, id).ok_or_else(ApiError::not_found)
}

fn redeliver(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let id = own_delivery(call)?.id;
    call.world().redeliver(id).ok_or_else(ApiError::not_found)?;
    Ok(Reply::json(StatusCode::ACCEPTED, json!({})))
}

fn requests(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let app = own(call)?.id;
    let mine: Vec<_> = call.backend.world.requests.iter().filter(|r| r.app == app).collect();
    Ok(call.list(mine, |wire, request| {
        json!({
            "id": request.id,
            "node_id": node_id("IntegrationInstallationRequest", request.id),
            "account": wire.user(request.account),
            "requester": wire.user(request.requester),
            "created_at": time(request.created_at),
        })
    }))
}

fn installations(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let app = own(call)?.id;
    let world = &call.backend.world;
    // GitHub says of it only that it is a string: everything but a no asks for those that have yet to approve.
    let outdated = call.query("outdated").is_some_and(|v| !matches!(v, "" | "0" | "false"));
    let since = call.query("since").and_then(|at| at.parse::<DateTime<Utc>>().ok());
    let wanted = |i: &&Installation| {
        i.app == app && (!outdated || world.is_outdated(i)) && since.is_none_or(|since| i.updated_at >= since)
    };
    let mine: Vec<_> = world.installations.values().filter(wanted).collect();
    Ok(call.list(mine, |wire, installation| {
        let mut value = wire.installation(installation);
        // GitHub's description of this list wants an enterprise's fields in every account.
        if let Some(account) = wire.world.accounts.get(&installation.account) {
            let (made, slug) = (time(account.created_at), account.login.to_lowercase());
            let fields = json!({ "name": account.login, "slug": slug, "created_at": made, "updated_at": made });
            value["account"] = with(value["account"].take(), fields);
        }
        value
    }))
}

fn own_installation(call: &Call<'_>) -> Result<i64, ApiError> {
    let (app, id) = (own(call)?.id, call.number("installation_id")?);
    let found = call.backend.world.installations.get(&id).filter(|i| i.app == app);
    found.map(|i| i.id).ok_or_else(ApiError::not_found)
}

fn shown(call: &Call<'_>, id: Option<i64>) -> Result<Reply, ApiError> {
    let wire = call.wire();
    let installation = id.and_then(|id| wire.world.installations.get(&id)).ok_or_else(ApiError::not_found)?;
    Ok(Reply::ok(wire.installation(installation)))
}

fn installation(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let id = own_installation(call)?;
    shown(call, Some(id))
}

fn uninstall(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (id, actor) = (own_installation(call)?, call.actor());
    call.world().uninstall(id, actor)?;
    Ok(Reply::no_content())
}

fn suspend(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (id, actor) = (own_installation(call)?, call.actor());
    call.world().suspend(id, true, actor)?;
    Ok(Reply::no_content())
}

fn unsuspend(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (id, actor) = (own_installation(call)?, call.actor());
    call.world().suspend(id, false, actor)?;
    Ok(Reply::no_content())
}

fn of_repo(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (app, repo) = (own(call)?.id, call.repo_id()?);
    let id = call.backend.world.installations_on(repo).find(|i| i.app == app).map(|i| i.id);
    shown(call, id)
}

fn of_org(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    of_account(call, "org", Kind::Organization)
}

fn of_user(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    of_account(call, "username", Kind::User)
}

fn of_account(call: &Call<'_>, name: &str, kind: Kind) -> Result<Reply, ApiError> {
    let app = own(call)?.id;
    let account = call.backend.world.account(call.param(name)).filter(|a| a.kind == kind).map(|a| a.id);
    let mut installations = call.backend.world.installations.values();
    let id = installations.find(|i| i.app == app && Some(i.account) == account).map(|i| i.id);
    shown(call, id)
}

fn token(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let id = own_installation(call)?;
    let world = &call.backend.world;
    let model = world.installations.get(&id).ok_or_else(ApiError::not_found)?;
    if model.suspended.is_some() {
        return Err(suspended());
    }
    let fields = call.fields()?;
    let mut wanted = fields.integers("repository_ids")?;
    if let Some(names) = fields.strings("repositories")? {
        let owner = world.login(model.account);
        let found = names.iter().map(|name| world.repo(owner, name).map(|r| r.id));
        // An unknown name asks for something out of reach, like an unknown id.
        wanted.get_or_insert_default().extend(found.map(|id| id.unwrap_or(-1)));
    }
    fields.object("permissions")?;
    // No permissions are none wished for: some clients always send an empty object.
    let asked = Some(read_permissions(fields.value("permissions"))?).filter(|wanted| !wanted.is_empty());
    let (text, token) = call.world().issue_token(id, wanted, asked)?;
    let wire = call.wire();
    let mut answer = json!({
        "token": text,
        "expires_at": time(token.expires_at),
        "permissions": permissions(&token.permissions),
        "repository_selection": if token.repositories.is_some() {
            "selected"
        } else {
            wire.world.installations.get(&id).map_or("all", crate::emulator::wire::selection)
        },
    });
    if token.repositories.is_some() {
        answer["repositories"] = wire.world.token_repos(&token).into_iter().map(|r| wire.repo(r)).collect();
    }
    Ok(Reply::created(answer))
}

/// Permissions from a body.
fn read_permissions(value: Option<&Value>) -> Result<Permissions, ApiError> {
    let Some(map) = value.and_then(Value::as_object) else { return Ok(Permissions::new()) };
    map.iter()
        .map(|(name, level)| {
            let level: Level = serde_json::from_value(level.clone()).map_err(|_| {
                ApiError::invalid_request(format!("{level} is not a member of [\"read\", \"write\", \"admin\"]."))
            })?;
            Ok((name.clone(), level))
        })
        .collect()
}

fn revoke(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    if let Caller::Installation { text, .. } = &call.caller {
        let text = text.clone();
        call.world().tokens.remove(text.expose());
    }
    Ok(Reply::no_content())
}

fn repositories(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let Caller::Installation { token, .. } = &call.caller else { return Err(ApiError::not_accessible(None)) };
    let reached: Vec<&Repo> = call.backend.world.token_repos(token);
    let mut reply = call.counted("repositories", reached, |wire, repo| wire.repo(repo));
    if let crate::emulator::reply::Body::Json(body) = &mut reply.body {
        let installation = call.backend.world.installations.get(&token.installation);
        let narrowed = token.repositories.is_some();
        body["repository_selection"] =
            json!(if narrowed { "selected" } else { installation.map_or("all", crate::emulator::wire::selection) });
    }
    Ok(reply)
}
