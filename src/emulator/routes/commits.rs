//! Commits: <https://docs.github.com/en/rest/commits/commits>.

use http::{Method, StatusCode};

use crate::emulator::error::ApiError;
use crate::emulator::reply::{Body, Reply};
use crate::emulator::routes::{Call, READ_CONTENTS, READ_PULLS, Route, route};
use crate::emulator::state::Pull;

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Method::GET, "/repos/{owner}/{repo}/commits/{commit_sha}/pulls", READ_PULLS, pulls),
        route(Method::GET, "/repos/{owner}/{repo}/commits/{+ref}", READ_CONTENTS, get),
    ]
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

/// Pull requests that bring the commit, or whose merge it is.
fn pulls(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (repo, world) = (call.repo()?, &call.backend.world);
    let sha = world.resolve(repo, call.param("commit_sha")).map(|c| c.sha.clone());
    let sha = sha.ok_or_else(ApiError::not_found)?;
    let brings = |pull: &Pull| {
        pull.merge_commit_sha.as_deref() == Some(&sha)
            || world.commits_between(repo, &pull.base_sha, &pull.head_sha).contains(&sha)
    };
    let found = repo.issues.values().rev().filter(|issue| issue.pull.as_ref().is_some_and(brings));
    Ok(call.list(found.collect(), |wire, issue| wire.pull(repo, issue)))
}
