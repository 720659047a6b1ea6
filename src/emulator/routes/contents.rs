//! File contents: <https://docs.github.com/en/rest/repos/contents>.

use http::{Method, StatusCode};

use crate::emulator::error::ApiError;
use crate::emulator::reply::{Body, Reply};
use crate::emulator::routes::{Call, READ_CONTENTS, Route, route};

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Method::GET, "/repos/{owner}/{repo}/contents", READ_CONTENTS, get),
        route(Method::GET, "/repos/{owner}/{repo}/contents/{+path}", READ_CONTENTS, get),
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
