//! GraphQL: the viewer, the rate limit, repositories with their issues and pull requests.

use http::Method;
use serde_json::{Map, Value, json};

use crate::emulator::auth::{Caller, Need};
use crate::emulator::error::ApiError;
use crate::emulator::graphql::{BY_NUMBER, Field, NODES, parse, select};
use crate::emulator::reply::Reply;
use crate::emulator::routes::{Call, Route, route};
use crate::emulator::state::permissions::grants;
use crate::emulator::state::{Issue, Level, Repo};
use crate::emulator::wire::{Wire, node_id, time};

pub(super) fn routes() -> Vec<Route> {
    vec![route(Method::POST, "/graphql", Need::Open, answer)]
}

fn answer(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    match &call.caller {
        Caller::Anonymous => {
            let told = "This endpoint requires you to be authenticated.";
            return Err(ApiError::new(http::StatusCode::FORBIDDEN, told));
        }
        Caller::App(_) => return Err(ApiError::not_accessible(None)),
        Caller::Installation { .. } | Caller::Person(_) => {}
    }
    let key = call.caller.rate_key();
    let (used, reset) = call.world().count_call(&key, false);
    let fields = call.fields()?;
    let Some(text) = fields.string("query")? else {
        return Ok(Reply::ok(
            json!({ "errors": [{ "message": "A query attribute must be specified and must be a string." }] }),
        ));
    };
    let query = match parse(&text) {
        Ok(query) => query,
        Err(wrong) => return Ok(Reply::ok(json!({ "errors": [{ "message": format!("Parse error: {wrong}") }] }))),
    };
    let mut variables = query.defaults.clone();
    variables.extend(fields.value("variables").and_then(Value::as_object).cloned().unwrap_or_default());
    let limit = call.backend.world.rate_limit;
    let wire = call.wire();
    let root = json!({
        "viewer": actor(wire, call.actor()),
        "rateLimit": {
            "__typename": "RateLimit", "limit": limit, "cost": 1, "remaining": limit.saturating_sub(used),
            "used": used.min(limit), "resetAt": time(reset),
        },
    });
    let (mut data, mut errors) = (Map::new(), Vec::new());
    for field in &query.fields {
        let path = [field.alias.clone()];
        if field.name != "repository" {
            if let Value::Object(one) = select(&root, std::slice::from_ref(field), &variables, &[], &mut errors) {
                data.extend(one);
            }
            continue;
        }
        let argument = |name| field.argument(name, &variables).as_str().unwrap_or_default().to_owned();
        let (owner, name) = (argument("owner"), argument("name"));
        let value = match visible(call, &owner, &name) {
            Some(repo) if may_see(call, repo, field) => {
                select(&repository(wire, repo), &field.fields, &variables, &path, &mut errors)
            }
            Some(_) => {
                let told = "Resource not accessible by integration";
                errors.push(json!({ "type": "FORBIDDEN", "path": path, "message": told }));
                Value::Null
            }
            None => {
                let told = format!("Could not resolve to a Repository with the name '{owner}/{name}'.");
                errors.push(json!({ "type": "NOT_FOUND", "path": path, "message": told }));
                Value::Null
            }
        };
        data.insert(field.alias.clone(), value);
    }
    // A query that asks for what does not exist is not carried out at all.
    if errors.iter().any(|error| error["extensions"]["code"] == "undefinedField") {
        return Ok(Reply::ok(json!({ "errors": errors })));
    }
    let mut body = json!({ "data": data });
    if !errors.is_empty() {
        body["errors"] = Value::Array(errors);
    }
    Ok(Reply::ok(body))
}

/// The repository, if the caller may know of it.
fn visible<'a>(call: &'a Call<'_>, owner: &str, name: &str) -> Option<&'a Repo> {
    let world = &call.backend.world;
    world.repo(owner, name).filter(|repo| match &call.caller {
        Caller::Installation { token, .. } => {
            !repo.private || world.token_repos(token).iter().any(|reached| reached.id == repo.id)
        }
        Caller::Person(_) => true,
        Caller::App(_) | Caller::Anonymous => !repo.private,
    })
}

/// Whether the caller may see what `field` asks for of a private repository.
fn may_see(call: &Call<'_>, repo: &Repo, field: &Field) -> bool {
    let Caller::Installation { token, .. } = &call.caller else { return true };
    field.fields.iter().all(|asked| {
        let permission = match asked.name.as_str() {
            "issue" | "issues" => "issues",
            "pullRequest" | "pullRequests" => "pull_requests",
            _ => return true,
        };
        !repo.private || grants(&token.permissions, permission, Level::Read)
    })
}

fn actor(wire: Wire<'_>, id: i64) -> Value {
    let user = wire.user(id);
    json!({
        "__typename": user["type"],
        "id": user["node_id"],
        "login": user["login"],
        "url": user["html_url"],
    })
}

fn repository(wire: Wire<'_>, repo: &Repo) -> Value {
    let head = repo.refs.get(&format!("heads/{}", repo.default_branch));
    let branch = head.map(|sha| {
        json!({
            "__typename": "Ref", "name": repo.default_branch, "target": { "__typename": "Commit", "oid": sha },
        })
    });
    let all =
        |pulls: bool| repo.issues.values().filter(move |i| i.pull.is_some() == pulls).map(|i| issue(wire, repo, i));
    let numbered = |pulls: bool| -> Map<String, Value> { all(pulls).map(|i| (i["number"].to_string(), i)).collect() };
    json!({
        "__typename": "Repository",
        "id": node_id("Repository", repo.id),
        "databaseId": repo.id,
        "name": repo.name,
        "nameWithOwner": wire.world.full_name(repo),
        "url": wire.repo_page(repo),
        "description": repo.description,
        "isPrivate": repo.private,
        "isFork": repo.parent.is_some(),
        "owner": actor(wire, repo.owner),
        "defaultBranchRef": branch,
        "issue": { BY_NUMBER: numbered(false) },
        "issues": { "__typename": "IssueConnection", NODES: all(false).collect::<Vec<_>>() },
        "pullRequest": { BY_NUMBER: numbered(true) },
        "pullRequests": { "__typename": "PullRequestConnection", NODES: all(true).collect::<Vec<_>>() },
    })
}

fn issue(wire: Wire<'_>, repo: &Repo, issue: &Issue) -> Value {
    let (kind, page) = if issue.pull.is_some() { ("PullRequest", "pull") } else { ("Issue", "issues") };
    let state = match &issue.pull {
        Some(pull) if pull.merged_at.is_some() => "MERGED",
        _ if issue.open => "OPEN",
        _ => "CLOSED",
    };
    let mut value = json!({
        "__typename": kind,
        "id": node_id(kind, issue.id),
        "databaseId": issue.id,
        "number": issue.number,
        "title": issue.title,
        "body": issue.body.clone().unwrap_or_default(),
        "state": state,
        "url": format!("{}/{page}/{}", wire.repo_page(repo), issue.number),
        "author": actor(wire, issue.user),
        "createdAt": time(issue.created_at),
        "updatedAt": time(issue.updated_at),
    });
    if let Some(pull) = &issue.pull {
        value["headRefName"] = json!(pull.head_ref);
        value["headRefOid"] = json!(pull.head_sha);
        value["baseRefName"] = json!(pull.base_ref);
        value["isDraft"] = json!(pull.draft);
    }
    value
}
