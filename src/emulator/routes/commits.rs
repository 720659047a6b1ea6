//! Commits: <https://docs.github.com/en/rest/commits/commits>.

use http::{Method, StatusCode};

use crate::emulator::error::ApiError;
use crate::emulator::reply::{Body, Reply};
use crate::emulator::routes::{Call, READ_CONTENTS, Route, route};

pub(super) fn routes() -> Vec<Route> {
    vec![route(Method::GET, "/repos/{owner}/{repo}/commits/{+ref}", READ_CONTENTS, get)]
}

fn get(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (repo, wire, reference) = (call.repo()?, call.wire(), call.param("ref"));
    let commit = wire
        .world
        .resolve(repo, reference)
        .ok_or_else(|| ApiError::unprocessable(format!("No commit found for SHA: {reference}")))?;
    if call.accept.contains("application/vnd.github.sha") {
        let body = Body::Raw("application/vnd.github.sha; charset=utf-8", commit.sha.clone().into_bytes());
        return Ok(Reply { status: StatusCode::OK, body, headers: Vec::new() });
    }
    Ok(Reply::ok(wire.full_commit(repo, commit)))
}
