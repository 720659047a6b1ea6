//! Git references: <https://docs.github.com/en/rest/git/refs>.

use http::Method;

use crate::emulator::error::ApiError;
use crate::emulator::reply::Reply;
use crate::emulator::routes::{Call, READ_CONTENTS, Route, WRITE_CONTENTS, route};

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Method::GET, "/repos/{owner}/{repo}/git/ref/{+ref}", READ_CONTENTS, get),
        route(Method::GET, "/repos/{owner}/{repo}/git/matching-refs", READ_CONTENTS, matching),
        route(Method::GET, "/repos/{owner}/{repo}/git/matching-refs/{+ref}", READ_CONTENTS, matching),
        route(Method::POST, "/repos/{owner}/{repo}/git/refs", WRITE_CONTENTS, create),
        route(Method::PATCH, "/repos/{owner}/{repo}/git/refs/{+ref}", WRITE_CONTENTS, update),
        route(Method::DELETE, "/repos/{owner}/{repo}/git/refs/{+ref}", WRITE_CONTENTS, delete),
    ]
}

fn shown(call: &Call<'_>, name: &str) -> Result<serde_json::Value, ApiError> {
    let repo = call.repo()?;
    let sha = repo.refs.get(name).ok_or_else(ApiError::not_found)?;
    Ok(call.wire().reference(repo, name, sha))
}

fn get(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let name = call.param("ref").to_owned();
    shown(call, &name).map(Reply::ok)
}

/// References that begin with the path's; all without one.
fn matching(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (repo, start) = (call.repo()?, call.param("ref"));
    let found = repo.refs.iter().filter(|(name, _)| name.starts_with(start)).collect();
    Ok(call.list(found, |wire, (name, sha)| wire.reference(repo, name, sha)))
}

fn create(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (fields, id, actor) = (call.fields()?, call.repo_id()?, call.actor());
    let (full, sha) = (fields.required("ref")?, fields.required("sha")?);
    let name = full
        .strip_prefix("refs/")
        .filter(|n| n.split('/').count() >= 2 && !n.ends_with('/'))
        .ok_or_else(|| ApiError::unprocessable("Reference name must start with 'refs/' and contain two slashes"))?;
    if call.repo()?.refs.contains_key(name) {
        return Err(ApiError::unprocessable("Reference already exists"));
    }
    call.world().set_ref(id, name, Some(&sha), actor)?;
    shown(call, name).map(Reply::created)
}

fn update(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (fields, id, actor) = (call.fields()?, call.repo_id()?, call.actor());
    let name = call.param("ref").to_owned();
    let sha = fields.required("sha")?;
    let force = fields.boolean("force")?.unwrap_or(false);
    let repo = call.repo()?;
    let current = repo.refs.get(&name).ok_or_else(|| ApiError::unprocessable("Reference does not exist"))?;
    if !force && !call.backend.world.ancestors(repo, &sha).contains(current) {
        return Err(ApiError::unprocessable("Update is not a fast forward"));
    }
    call.world().set_ref(id, &name, Some(&sha), actor)?;
    shown(call, &name).map(Reply::ok)
}

fn delete(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (id, actor) = (call.repo_id()?, call.actor());
    let name = call.param("ref").to_owned();
    if !call.repo()?.refs.contains_key(&name) {
        return Err(ApiError::unprocessable("Reference does not exist"));
    }
    call.world().set_ref(id, &name, None, actor)?;
    Ok(Reply::no_content())
}
