//! The Git database: <https://docs.github.com/en/rest/git>.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::emulator::error::ApiError;
use crate::emulator::fields::{Fields, missing};
use crate::emulator::reply::{Body, Reply};
use crate::emulator::routes::{Call, READ_CONTENTS, Route, WRITE_CONTENTS, route};
use crate::emulator::state::Commit;
use crate::emulator::state::objects::{TreeEdit, TreeItem};

pub(super) fn routes() -> Vec<Route> {
    let (read, write) = (READ_CONTENTS, WRITE_CONTENTS);
    vec![
        route(Method::GET, "/repos/{owner}/{repo}/git/blobs/{file_sha}", read, blob),
        route(Method::POST, "/repos/{owner}/{repo}/git/blobs", write, create_blob),
        route(Method::GET, "/repos/{owner}/{repo}/git/trees/{+tree_sha}", read, tree),
        route(Method::POST, "/repos/{owner}/{repo}/git/trees", write, create_tree),
        route(Method::GET, "/repos/{owner}/{repo}/git/commits/{commit_sha}", read, commit),
        route(Method::POST, "/repos/{owner}/{repo}/git/commits", write, create_commit),
    ]
}

/// What base64 stands for; white space is nothing.
pub(super) fn decoded(text: &str) -> Option<Bytes> {
    let text: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(text).ok().map(Bytes::from)
}

fn blob(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (repo, wire, sha) = (call.repo()?, call.wire(), call.param("file_sha"));
    let bytes = wire.world.blob(repo, sha).ok_or_else(ApiError::not_found)?;
    if call.accept.contains("raw") {
        let body = Body::Raw("application/vnd.github.raw; charset=utf-8", bytes.to_vec());
        return Ok(Reply { status: StatusCode::OK, body, headers: Vec::new() });
    }
    Ok(Reply::ok(wire.git_blob(repo, sha, bytes)))
}

fn create_blob(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (fields, repo) = (call.fields()?, call.repo_id()?);
    let content = fields.required("content")?;
    let bytes = match fields.one_of("encoding", &["utf-8", "base64"])?.as_deref() {
        Some("base64") => decoded(&content).ok_or_else(|| ApiError::unprocessable("content is not valid Base64"))?,
        _ => Bytes::from(content),
    };
    let sha = call.world().keep_blob(repo, bytes);
    let url = format!("{}/git/blobs/{sha}", call.wire().repo_url(call.repo()?));
    Ok(Reply::created(json!({ "url": url, "sha": sha })))
}

fn tree(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (repo, wire) = (call.repo()?, call.wire());
    let tree = wire.world.tree(repo, call.param("tree_sha")).ok_or_else(ApiError::not_found)?;
    // GitHub takes any value, `0` and `false` too, for a yes.
    Ok(Reply::ok(wire.git_tree(repo, &tree, call.query("recursive").is_some())))
}

fn create_tree(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (fields, repo) = (call.fields()?, call.repo_id()?);
    let entries = fields.list("tree", usize::MAX)?.ok_or_else(|| missing("tree"))?;
    let edits = entries.into_iter().map(edit).collect::<Result<Vec<_>, _>>()?;
    let base = fields.string("base_tree")?;
    let sha = call.world().write_tree(repo, base.as_deref(), edits)?;
    let (repo, wire) = (call.repo()?, call.wire());
    let tree = wire.world.tree(repo, &sha).ok_or_else(ApiError::not_found)?;
    Ok(Reply::created(wire.git_tree(repo, &tree, false)))
}

fn edit(entry: Value) -> Result<TreeEdit, ApiError> {
    let gone = entry.get("sha").is_some_and(Value::is_null);
    let entry = Fields::of(entry)?;
    let what = match (entry.string("content")?, entry.string("sha")?) {
        (Some(text), None) => TreeItem::Content(Bytes::from(text)),
        (None, Some(sha)) => TreeItem::Named(sha),
        (None, None) if gone => TreeItem::Gone,
        _ => return Err(ApiError::unprocessable("Must supply either tree.sha or tree.content, not both.")),
    };
    Ok(TreeEdit { path: entry.required("path")?, what })
}

fn found<'a>(call: &'a Call<'_>, sha: &str) -> Result<&'a Commit, ApiError> {
    call.backend.world.commit(call.repo()?, sha).ok_or_else(ApiError::not_found)
}

fn commit(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    Ok(Reply::ok(call.wire().git_commit(call.repo()?, found(call, call.param("commit_sha"))?)))
}

fn create_commit(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (fields, repo_id, actor) = (call.fields()?, call.repo_id()?, call.actor());
    let (message, tree) = (fields.required("message")?, fields.required("tree")?);
    let parents = fields.strings("parents")?.unwrap_or_default();
    let (repo, world) = (call.repo()?, &call.backend.world);
    if !parents.iter().all(|parent| world.commit(repo, parent).is_some()) {
        return Err(ApiError::unprocessable("Parent SHA does not exist or is not a commit object"));
    }
    let files = world.tree(repo, &tree).ok_or_else(|| ApiError::unprocessable("Tree SHA does not exist"))?;
    let sha = call.world().write_commit(repo_id, files, parents, &message, actor);
    let value = call.wire().git_commit(call.repo()?, found(call, &sha)?);
    Ok(Reply::created(value))
}
