//! The API about itself: root, meta, rate limit, accounts.

use http::Method;
use serde_json::{Value, json};

use crate::emulator::auth::{Caller, Need};
use crate::emulator::error::ApiError;
use crate::emulator::reply::Reply;
use crate::emulator::routes::{Call, Route, route};

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Method::GET, "/", Need::Open, root),
        route(Method::GET, "/meta", Need::Open, meta),
        route(Method::GET, "/zen", Need::Open, zen),
        route(Method::GET, "/rate_limit", Need::Open, rate_limit),
        route(Method::GET, "/user", Need::Open, me),
        route(Method::GET, "/users/{username}", Need::Open, user),
    ]
}

/// What the root names, most of which this GitHub does not answer.
const NAMED: [(&str, &str); 31] = [
    ("current_user_url", "/user"),
    ("current_user_authorizations_html_url", "/settings/connections/applications{/client_id}"),
    ("authorizations_url", "/authorizations"),
    ("code_search_url", "/search/code?q={query}{&page,per_page,sort,order}"),
    ("commit_search_url", "/search/commits?q={query}{&page,per_page,sort,order}"),
    ("emails_url", "/user/emails"),
    ("emojis_url", "/emojis"),
    ("events_url", "/events"),
    ("feeds_url", "/feeds"),
    ("followers_url", "/user/followers"),
    ("following_url", "/user/following{/target}"),
    ("gists_url", "/gists{/gist_id}"),
    ("issue_search_url", "/search/issues?q={query}{&page,per_page,sort,order}"),
    ("issues_url", "/issues"),
    ("keys_url", "/user/keys"),
    ("label_search_url", "/search/labels?q={query}&repository_id={repository_id}{&page,per_page}"),
    ("notifications_url", "/notifications"),
    ("organization_url", "/orgs/{org}"),
    ("organization_repositories_url", "/orgs/{org}/repos{?type,page,per_page,sort}"),
    ("organization_teams_url", "/orgs/{org}/teams"),
    ("public_gists_url", "/gists/public"),
    ("rate_limit_url", "/rate_limit"),
    ("repository_url", "/repos/{owner}/{repo}"),
    ("repository_search_url", "/search/repositories?q={query}{&page,per_page,sort,order}"),
    ("current_user_repositories_url", "/user/repos{?type,page,per_page,sort}"),
    ("starred_url", "/user/starred{/owner}{/repo}"),
    ("starred_gists_url", "/gists/starred"),
    ("user_url", "/users/{user}"),
    ("user_organizations_url", "/user/orgs"),
    ("user_repositories_url", "/users/{user}/repos{?type,page,per_page,sort}"),
    ("user_search_url", "/search/users?q={query}{&page,per_page,sort,order}"),
];

fn root(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let root = |name: &str| if name.ends_with("_html_url") { &call.links.html } else { &call.links.api };
    let named = NAMED.iter().map(|(name, path)| ((*name).to_owned(), json!(format!("{}{path}", root(name)))));
    let mut reply = Reply::ok(Value::Object(named.collect()));
    // `gh auth status` looks at the scopes of a token here.
    if matches!(call.caller, Caller::Person(_)) {
        reply.headers.push(("x-oauth-scopes", "repo, read:org, gist".to_owned()));
    }
    Ok(reply)
}

fn meta(_call: &mut Call<'_>) -> Result<Reply, ApiError> {
    Ok(Reply::ok(json!({
        "verifiable_password_authentication": false,
        "hooks": ["127.0.0.0/8", "::1/128"],
        "web": ["127.0.0.0/8", "::1/128"],
        "api": ["127.0.0.0/8", "::1/128"],
        "git": ["127.0.0.0/8", "::1/128"],
        "domains": { "website": ["localhost"] },
    })))
}

fn zen(_call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let body = crate::emulator::reply::Body::Raw("text/plain; charset=utf-8", b"Design for failure.".to_vec());
    Ok(Reply { body, ..Reply::ok(Value::Null) })
}

fn rate_limit(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let key = call.caller.rate_key();
    let (used, reset) = call.world().count_call(&key, true);
    let limit = call.world().rate_limit;
    let core = json!({
        "limit": limit,
        "used": used.min(limit),
        "remaining": limit.saturating_sub(used),
        "reset": reset.timestamp(),
        "resource": "core",
    });
    let search = json!({ "limit": 30, "used": 0, "remaining": 30, "reset": reset.timestamp(), "resource": "search" });
    Ok(Reply::ok(json!({ "resources": { "core": core, "search": search }, "rate": core })))
}

fn me(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    match &call.caller {
        Caller::Person(id) => account(call, *id),
        Caller::Anonymous => Err(ApiError::requires_authentication()),
        Caller::App(_) | Caller::Installation { .. } => Err(ApiError::not_accessible(None)),
    }
}

fn user(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let id = call.backend.world.account(call.param("username")).map(|a| a.id).ok_or_else(ApiError::not_found)?;
    account(call, id)
}

fn account(call: &Call<'_>, id: i64) -> Result<Reply, ApiError> {
    let wire = call.wire();
    let account = wire.world.accounts.get(&id).ok_or_else(ApiError::not_found)?;
    Ok(Reply::ok(wire.public_user(account)))
}
