//! Pull requests: <https://docs.github.com/en/rest/pulls/pulls>.

use http::{Method, StatusCode};
use serde_json::json;

use crate::emulator::error::ApiError;
use crate::emulator::reply::Reply;
use crate::emulator::routes::{Call, READ_PULLS, Route, WRITE_CONTENTS, WRITE_PULLS, route};
use crate::emulator::state::issues::IssueEdit;
use crate::emulator::state::pulls::NewPull;
use crate::emulator::state::{Issue, Refusal};

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Method::GET, "/repos/{owner}/{repo}/pulls", READ_PULLS, list),
        route(Method::POST, "/repos/{owner}/{repo}/pulls", WRITE_PULLS, create),
        route(Method::GET, "/repos/{owner}/{repo}/pulls/{pull_number}", READ_PULLS, get),
        route(Method::PATCH, "/repos/{owner}/{repo}/pulls/{pull_number}", WRITE_PULLS, update),
        route(Method::GET, "/repos/{owner}/{repo}/pulls/{pull_number}/files", READ_PULLS, files),
        route(Method::GET, "/repos/{owner}/{repo}/pulls/{pull_number}/commits", READ_PULLS, commits),
        route(Method::PUT, "/repos/{owner}/{repo}/pulls/{pull_number}/merge", WRITE_CONTENTS, merge),
    ]
}

fn list(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let repo = call.repo()?;
    let state = call.query("state").unwrap_or("open");
    let (base, head) = (call.query("base"), call.query("head"));
    let world = &call.backend.world;
    let mut pulls: Vec<&Issue> = repo
        .issues
        .values()
        .filter(|issue| state == "all" || issue.open == (state == "open"))
        .filter(|issue| {
            let Some(pull) = &issue.pull else { return false };
            let owner = pull.head_repo.and_then(|id| world.repos.get(&id)).map_or("", |r| world.login(r.owner));
            base.is_none_or(|b| b == pull.base_ref) && head.is_none_or(|h| h == format!("{owner}:{}", pull.head_ref))
        })
        .collect();
    if call.query("direction") != Some("asc") {
        pulls.reverse();
    }
    Ok(call.list(pulls, |wire, issue| wire.pull(repo, issue)))
}

fn shown(call: &Call<'_>, number: i64) -> Result<serde_json::Value, ApiError> {
    let repo = call.repo()?;
    call.backend.world.pull(repo.id, number)?;
    Ok(call.wire().full_pull(repo, call.backend.world.issue(repo.id, number)?))
}

fn get(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let number = call.number("pull_number")?;
    shown(call, number).map(Reply::ok)
}

fn create(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (fields, actor) = (call.fields()?, call.actor());
    let (head, base) = (fields.required("head")?, fields.required("base")?);
    let title = fields.required("title")?;
    let repo = call.repo()?;
    let (repo_id, invalid) = (repo.id, |field: &str| ApiError::validation("PullRequest", field, "invalid", None));
    let world = &call.backend.world;
    let (head_repo, head_ref) = match head.split_once(':') {
        None => (repo_id, head.clone()),
        Some((owner, branch)) => {
            let relative = world
                .repos
                .values()
                .find(|r| r.network == repo.network && world.login(r.owner).eq_ignore_ascii_case(owner));
            (relative.map(|r| r.id).ok_or_else(|| invalid("head"))?, branch.to_owned())
        }
    };
    let new = NewPull {
        title,
        body: fields.string("body")?,
        head_repo,
        head_ref,
        base_ref: base,
        draft: fields.boolean("draft")?.unwrap_or(false),
        maintainer_can_modify: fields.boolean("maintainer_can_modify")?.unwrap_or(false),
    };
    let number = call.world().open_pull(repo_id, new, actor).map_err(|refusal| match refusal {
        Refusal::Invalid(field) if field == "head" || field == "base" => invalid(&field),
        Refusal::Invalid(text) => ApiError::validation("PullRequest", "head", "custom", Some(&text)),
        other => other.into(),
    })?;
    shown(call, number).map(Reply::created)
}

fn update(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (fields, id, actor) = (call.fields()?, call.repo_id()?, call.actor());
    let number = call.number("pull_number")?;
    let merged = call.backend.world.pull(id, number)?.merged_at.is_some();
    let open = fields.one_of("state", &["open", "closed"])?.map(|s| s == "open");
    if merged && open == Some(true) {
        let said = "state cannot be changed. The pull request cannot be reopened.";
        return Err(ApiError::validation("PullRequest", "state", "custom", Some(said)));
    }
    let base = fields.string("base")?;
    if let Some(base) = base {
        let sha = call.repo()?.refs.get(&format!("heads/{base}")).cloned();
        let sha = sha.ok_or_else(|| ApiError::validation("PullRequest", "base", "invalid", None))?;
        if let Some(pull) = call.world().issue_mut(id, number)?.pull.as_mut() {
            pull.base_ref = base;
            pull.base_sha = sha;
        }
    }
    let edit = IssueEdit { title: fields.string("title")?, body: fields.string("body")?, open, ..IssueEdit::default() };
    call.world().edit_issue(id, number, edit, actor)?;
    shown(call, number).map(Reply::ok)
}

fn files(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let repo = call.repo()?;
    let pull = call.backend.world.pull(repo.id, call.number("pull_number")?)?;
    let files = call.backend.world.pull_files(repo, pull);
    Ok(call.list(files, |wire, file| wire.file_change(repo, &pull.head_sha, &file)))
}

fn commits(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let repo = call.repo()?;
    let world = &call.backend.world;
    let pull = world.pull(repo.id, call.number("pull_number")?)?;
    let commits = world.commits_between(repo, &pull.base_sha, &pull.head_sha);
    let commits: Vec<_> = commits.iter().filter_map(|sha| world.commit(repo, sha)).collect();
    Ok(call.list(commits, |wire, commit| wire.commit(repo, commit)))
}

fn merge(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (fields, id, actor) = (call.fields()?, call.repo_id()?, call.actor());
    let number = call.number("pull_number")?;
    let method = fields.one_of("merge_method", &["merge", "squash", "rebase"])?.unwrap_or_else(|| "merge".to_owned());
    let message = match (fields.string("commit_title")?, fields.string("commit_message")?) {
        (None, None) => None,
        (Some(title), None) => Some(title),
        (title, Some(text)) => Some(format!("{}\n\n{text}", title.unwrap_or_default()).trim().to_owned()),
    };
    let expected = fields.string("sha")?;
    let merged = call.world().merge_pull(id, number, &method, message, expected.as_deref(), actor);
    let sha = merged.map_err(|refusal| match refusal {
        Refusal::Invalid(text) => ApiError::new(StatusCode::METHOD_NOT_ALLOWED, text),
        other => other.into(),
    })?;
    Ok(Reply::ok(json!({ "sha": sha, "merged": true, "message": "Pull Request successfully merged" })))
}
