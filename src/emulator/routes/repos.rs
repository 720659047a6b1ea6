//! Repositories and branches: <https://docs.github.com/en/rest/repos/repos>.

use http::Method;

use crate::emulator::error::ApiError;
use crate::emulator::reply::Reply;
use crate::emulator::routes::{Call, READ_CONTENTS, READ_METADATA, Route, route};

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Method::GET, "/repos/{owner}/{repo}", READ_METADATA, get),
        route(Method::GET, "/repos/{owner}/{repo}/branches", READ_CONTENTS, branches),
        route(Method::GET, "/repos/{owner}/{repo}/branches/{+branch}", READ_CONTENTS, branch),
    ]
}

fn get(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let repo = call.repo()?;
    Ok(Reply::ok(call.wire().full_repo(repo)))
}

fn branches(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let repo = call.repo()?;
    let heads: Vec<(&str, &String)> =
        repo.refs.iter().filter_map(|(name, sha)| name.strip_prefix("heads/").map(|n| (n, sha))).collect();
    Ok(call.list(heads, |wire, (name, sha)| wire.short_branch(repo, name, sha)))
}

fn branch(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (repo, wire, name) = (call.repo()?, call.wire(), call.param("branch"));
    let sha = repo.refs.get(&format!("heads/{name}"));
    let commit = sha.and_then(|sha| wire.world.commit(repo, sha));
    let commit = commit.ok_or_else(|| ApiError::new(http::StatusCode::NOT_FOUND, "Branch not found"))?;
    Ok(Reply::ok(wire.branch(repo, name, commit)))
}
