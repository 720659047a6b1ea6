//! Deployments and their statuses: <https://docs.github.com/en/rest/deployments>.

use http::{Method, StatusCode};
use serde_json::json;

use crate::emulator::error::ApiError;
use crate::emulator::fields::missing;
use crate::emulator::reply::Reply;
use crate::emulator::routes::{Call, READ_DEPLOYMENTS, Route, WRITE_DEPLOYMENTS, route};
use crate::emulator::state::Deployment;
use crate::emulator::state::deployments::{Asked, NewDeployment, NewStatus, STATES};

/// Longest description of a status, in characters.
const LONGEST: usize = 140;

pub(super) fn routes() -> Vec<Route> {
    let (read, write) = (READ_DEPLOYMENTS, WRITE_DEPLOYMENTS);
    vec![
        route(Method::GET, "/repos/{owner}/{repo}/deployments", read, list),
        route(Method::POST, "/repos/{owner}/{repo}/deployments", write, create),
        route(Method::GET, "/repos/{owner}/{repo}/deployments/{deployment_id}", read, get),
        route(Method::GET, "/repos/{owner}/{repo}/deployments/{deployment_id}/statuses", read, statuses),
        route(Method::POST, "/repos/{owner}/{repo}/deployments/{deployment_id}/statuses", write, add_status),
    ]
}

fn found<'a>(call: &'a Call<'_>, id: i64) -> Result<&'a Deployment, ApiError> {
    call.repo()?.deployments.get(&id).ok_or_else(ApiError::not_found)
}

fn list(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let repo = call.repo()?;
    let is = |name: &str, value: &str| call.query(name).is_none_or(|wanted| wanted == "none" || wanted == value);
    let wanted = repo.deployments.values().rev().filter(|d| {
        is("sha", &d.sha) && is("ref", &d.reference) && is("task", &d.task) && is("environment", &d.environment)
    });
    Ok(call.list(wanted.collect(), |wire, deployment| wire.deployment(repo, deployment)))
}

fn get(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let id = call.number("deployment_id")?;
    Ok(Reply::ok(call.wire().deployment(call.repo()?, found(call, id)?)))
}

fn create(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (fields, repo, actor, app) = (call.fields()?, call.repo_id()?, call.actor(), call.app());
    let payload = fields.value("payload").cloned();
    if payload.as_ref().is_some_and(|p| !p.is_object() && !p.is_string()) {
        return Err(ApiError::invalid_request("For 'properties/payload', it is neither an object nor a string."));
    }
    let new = NewDeployment {
        reference: fields.required("ref")?,
        task: fields.string("task")?,
        auto_merge: fields.boolean("auto_merge")?,
        required_contexts: fields.strings("required_contexts")?,
        payload,
        environment: fields.string("environment")?,
        description: fields.short("description", LONGEST)?,
        transient: fields.boolean("transient_environment")?,
        production: fields.boolean("production_environment")?,
    };
    match call.world().create_deployment(repo, new, actor, app)? {
        Asked::Merged(message) => Ok(Reply::json(StatusCode::ACCEPTED, json!({ "message": message }))),
        Asked::Made(id) => Ok(Reply::created(call.wire().deployment(call.repo()?, found(call, id)?))),
    }
}

fn statuses(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (repo, deployment) = (call.repo()?, found(call, call.number("deployment_id")?)?);
    let newest_first = deployment.statuses.iter().rev().collect();
    Ok(call.list(newest_first, |wire, status| wire.deployment_status(repo, deployment, status)))
}

fn add_status(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (fields, repo, actor, app) = (call.fields()?, call.repo_id()?, call.actor(), call.app());
    let id = call.number("deployment_id")?;
    let log_url = fields.string("log_url")?.or(fields.string("target_url")?);
    let new = NewStatus {
        state: fields.one_of("state", &STATES)?.ok_or_else(|| missing("state"))?,
        description: fields.short("description", LONGEST)?.unwrap_or_default(),
        environment_url: fields.string("environment_url")?.unwrap_or_default(),
        log_url: log_url.unwrap_or_default(),
        environment: fields.string("environment")?,
        auto_inactive: fields.boolean("auto_inactive")?,
    };
    let status = call.world().add_deployment_status(repo, id, new, actor, app)?;
    let deployment = found(call, id)?;
    let added = deployment.statuses.iter().find(|s| s.id == status).ok_or_else(ApiError::not_found)?;
    Ok(Reply::created(call.wire().deployment_status(call.repo()?, deployment, added)))
}
