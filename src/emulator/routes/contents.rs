//! File contents: <https://docs.github.com/en/rest/repos/contents>.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::emulator::error::ApiError;
use crate::emulator::fields::missing;
use crate::emulator::reply::{Body, Reply};
use crate::emulator::routes::git::decoded;
use crate::emulator::routes::{Call, READ_CONTENTS, Route, WRITE_CONTENTS, route};
use crate::emulator::state::git::Edits;

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Method::GET, "/repos/{owner}/{repo}/contents", READ_CONTENTS, get),
        route(Method::GET, "/repos/{owner}/{repo}/contents/{+path}", READ_CONTENTS, get),
        route(Method::PUT, "/repos/{owner}/{repo}/contents/{+path}", WRITE_CONTENTS, put),
        route(Method::DELETE, "/repos/{owner}/{repo}/contents/{+path}", WRITE_CONTENTS, delete),
    ]
}

fn get(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (repo, wire) = (call.repo()?, call.wire());
    let path = call.param("path").trim_end_matches('/');
    let reference = call.query("ref").filter(|r| !r.is_empty()).unwrap_or(&repo.default_branch);
    let commit = wire
        .world
        .resolve(repo, reference)
        .ok_or_else(|| ApiError::new(StatusCode::NOT_FOUND, format!("No commit found for the ref {reference}")))?;
    if let Some(blob) = commit.tree.get(path) {
        if call.accept.contains("raw") {
            let body = Body::Raw("application/vnd.github.raw; charset=utf-8", blob.bytes.to_vec());
            return Ok(Reply { status: StatusCode::OK, body, headers: Vec::new() });
        }
        return Ok(Reply::ok(wire.content_file(repo, reference, path, blob)));
    }
    wire.content_folder(repo, reference, &commit.tree, path).map(Reply::ok).ok_or_else(ApiError::not_found)
}

fn put(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let fields = call.fields()?;
    let (message, content) = (fields.required("message")?, fields.required("content")?);
    let content = decoded(&content).ok_or_else(|| ApiError::unprocessable("content is not valid Base64"))?;
    let branch = branch(call, fields.string("branch")?)?;
    let path = call.param("path").to_owned();
    let known = at(call, &branch, &path)?;
    match (&known, fields.string("sha")?) {
        (Some(_), None) => return Err(missing("sha")),
        (Some(known), Some(sha)) if *known != sha => return Err(mismatch(&path, &sha)),
        (None, Some(sha)) => return Err(mismatch(&path, &sha)),
        (None, None) | (Some(_), Some(_)) => {}
    }
    let edits = Edits::from([(path.clone(), Some(content))]);
    let commit = committed(call, &branch, &edits, &message)?;
    let (repo, wire) = (call.repo()?, call.wire());
    let tip = wire.world.resolve(repo, &format!("heads/{branch}")).ok_or_else(ApiError::not_found)?;
    let blob = tip.tree.get(&path).ok_or_else(ApiError::not_found)?;
    let mut file = wire.content_file(repo, &branch, &path, blob);
    for bulk in ["content", "encoding"] {
        file.as_object_mut().and_then(|map| map.shift_remove(bulk));
    }
    let status = if known.is_some() { StatusCode::OK } else { StatusCode::CREATED };
    Ok(Reply::json(status, json!({ "content": file, "commit": commit })))
}

/// The fields stand in the body or in the query.
fn delete(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let fields = call.fields()?;
    let field = |name: &str| -> Result<Option<String>, ApiError> {
        Ok(fields.string(name)?.or_else(|| call.query(name).map(str::to_owned)))
    };
    let message = field("message")?.ok_or_else(|| missing("message"))?;
    let sha = field("sha")?.ok_or_else(|| missing("sha"))?;
    let branch = branch(call, field("branch")?)?;
    let path = call.param("path").to_owned();
    let known = at(call, &branch, &path)?.ok_or_else(ApiError::not_found)?;
    if known != sha {
        return Err(mismatch(&path, &sha));
    }
    let commit = committed(call, &branch, &Edits::from([(path, None)]), &message)?;
    Ok(Reply::ok(json!({ "content": null, "commit": commit })))
}

/// The branch that is meant; one that does not exist is refused, but for the first of an empty repository.
fn branch(call: &Call<'_>, wanted: Option<String>) -> Result<String, ApiError> {
    let repo = call.repo()?;
    let wanted = wanted.unwrap_or_else(|| repo.default_branch.clone());
    let name = wanted.strip_prefix("refs/heads/").unwrap_or(&wanted);
    let empty = !repo.refs.keys().any(|name| name.starts_with("heads/"));
    if empty || repo.refs.contains_key(&format!("heads/{name}")) {
        return Ok(name.to_owned());
    }
    Err(ApiError::new(StatusCode::NOT_FOUND, format!("Branch {name} not found")))
}

/// The name of the content of `path` on `branch`.
fn at(call: &Call<'_>, branch: &str, path: &str) -> Result<Option<String>, ApiError> {
    let tip = call.backend.world.resolve(call.repo()?, &format!("heads/{branch}"));
    Ok(tip.and_then(|commit| commit.tree.get(path)).map(|blob| blob.sha.clone()))
}

fn mismatch(path: &str, sha: &str) -> ApiError {
    ApiError::new(StatusCode::CONFLICT, format!("{path} does not match {sha}"))
}

fn committed(call: &mut Call<'_>, branch: &str, edits: &Edits, message: &str) -> Result<Value, ApiError> {
    let (repo, actor) = (call.repo_id()?, call.actor());
    let sha = call.world().push(repo, branch, edits, message, actor)?;
    let (repo, wire) = (call.repo()?, call.wire());
    Ok(wire.git_commit(repo, wire.world.commit(repo, &sha).ok_or_else(ApiError::not_found)?))
}
