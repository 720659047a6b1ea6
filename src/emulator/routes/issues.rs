//! Issues, comments, reactions and labels: <https://docs.github.com/en/rest/issues>.

use http::{Method, StatusCode};

use crate::emulator::error::ApiError;
use crate::emulator::fields::missing;
use crate::emulator::reply::Reply;
use crate::emulator::routes::{Call, READ_ISSUES, Route, WRITE_ISSUES, route};
use crate::emulator::state::issues::{IssueEdit, REACTIONS};
use crate::emulator::state::{Comment, Label};

pub(super) fn routes() -> Vec<Route> {
    let (read, write) = (READ_ISSUES, WRITE_ISSUES);
    vec![
        route(Method::GET, "/repos/{owner}/{repo}/issues/comments/{comment_id}", read, comment),
        route(Method::PATCH, "/repos/{owner}/{repo}/issues/comments/{comment_id}", write, edit_comment),
        route(Method::GET, "/repos/{owner}/{repo}/issues/comments/{comment_id}/reactions", read, reactions),
        route(Method::POST, "/repos/{owner}/{repo}/issues/comments/{comment_id}/reactions", write, react),
        route(Method::POST, "/repos/{owner}/{repo}/issues", write, create),
        route(Method::GET, "/repos/{owner}/{repo}/issues/{issue_number}", read, get),
        route(Method::PATCH, "/repos/{owner}/{repo}/issues/{issue_number}", write, update),
        route(Method::GET, "/repos/{owner}/{repo}/issues/{issue_number}/comments", read, comments),
        route(Method::POST, "/repos/{owner}/{repo}/issues/{issue_number}/comments", write, add_comment),
        route(Method::GET, "/repos/{owner}/{repo}/issues/{issue_number}/labels", read, labels),
        route(Method::POST, "/repos/{owner}/{repo}/issues/{issue_number}/labels", write, add_labels),
        route(Method::DELETE, "/repos/{owner}/{repo}/issues/{issue_number}/labels/{+name}", write, remove_label),
        route(Method::GET, "/repos/{owner}/{repo}/labels", read, repo_labels),
    ]
}

fn shown(call: &Call<'_>, number: i64) -> Result<serde_json::Value, ApiError> {
    let repo = call.repo()?;
    Ok(call.wire().issue(repo, call.backend.world.issue(repo.id, number)?))
}

fn get(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let number = call.number("issue_number")?;
    shown(call, number).map(Reply::ok)
}

fn create(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (fields, id, actor) = (call.fields()?, call.repo_id()?, call.actor());
    let title = fields.required("title")?;
    let labels = fields.strings("labels")?.unwrap_or_default();
    let body = fields.string("body")?;
    let number = call.world().open_issue(id, &title, body, &labels, actor)?;
    shown(call, number).map(Reply::created)
}

fn update(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (fields, id, actor) = (call.fields()?, call.repo_id()?, call.actor());
    let number = call.number("issue_number")?;
    let edit = IssueEdit {
        title: fields.string("title")?,
        body: fields.string("body")?,
        open: fields.one_of("state", &["open", "closed"])?.map(|s| s == "open"),
        state_reason: fields.one_of("state_reason", &["completed", "not_planned", "duplicate", "reopened"])?,
        labels: fields.strings("labels")?,
    };
    call.world().edit_issue(id, number, edit, actor)?;
    shown(call, number).map(Reply::ok)
}

fn comments(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (repo, number) = (call.repo()?, call.number("issue_number")?);
    call.backend.world.issue(repo.id, number)?;
    let comments: Vec<&Comment> = repo.comments.values().filter(|c| c.number == number).collect();
    Ok(call.list(comments, |wire, comment| wire.comment(repo, comment)))
}

fn add_comment(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (fields, id, actor, app) = (call.fields()?, call.repo_id()?, call.actor(), call.app());
    let body = fields.required("body")?;
    if body.trim().is_empty() {
        return Err(ApiError::validation("IssueComment", "body", "custom", Some("body cannot be blank")));
    }
    if body.chars().count() > 65_536 {
        let said = "body is too long (maximum is 65536 characters)";
        return Err(ApiError::validation("IssueComment", "body", "custom", Some(said)));
    }
    let number = call.number("issue_number")?;
    let comment = call.world().comment(id, number, &body, actor, app)?;
    shown_comment(call, comment).map(Reply::created)
}

fn found_comment<'a>(call: &'a Call<'_>, id: i64) -> Result<&'a Comment, ApiError> {
    call.repo()?.comments.get(&id).ok_or_else(ApiError::not_found)
}

fn shown_comment(call: &Call<'_>, id: i64) -> Result<serde_json::Value, ApiError> {
    Ok(call.wire().comment(call.repo()?, found_comment(call, id)?))
}

fn comment(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let id = call.number("comment_id")?;
    shown_comment(call, id).map(Reply::ok)
}

fn edit_comment(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (body, repo, id) = (call.fields()?.required("body")?, call.repo_id()?, call.number("comment_id")?);
    found_comment(call, id)?;
    let now = call.world().now();
    if let Some(comment) = call.world().repos.get_mut(&repo).and_then(|r| r.comments.get_mut(&id)) {
        comment.body = body;
        comment.updated_at = now;
    }
    shown_comment(call, id).map(Reply::ok)
}

fn reactions(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let comment = found_comment(call, call.number("comment_id")?)?;
    Ok(call.list(comment.reactions.iter().collect(), |wire, reaction| wire.reaction(reaction)))
}

fn react(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let content = call.fields()?.one_of("content", &REACTIONS)?.ok_or_else(|| missing("content"))?;
    let (repo, id, actor) = (call.repo_id()?, call.number("comment_id")?, call.actor());
    let (reaction, new) = call.world().react(repo, id, &content, actor)?;
    let status = if new { StatusCode::CREATED } else { StatusCode::OK };
    Ok(Reply::json(status, call.wire().reaction(&reaction)))
}

fn labels(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let number = call.number("issue_number")?;
    issue_labels(call, number)
}

fn issue_labels(call: &Call<'_>, number: i64) -> Result<Reply, ApiError> {
    let repo = call.repo()?;
    let issue = call.backend.world.issue(repo.id, number)?;
    Ok(Reply::ok(call.wire().labels(repo, &issue.labels)))
}

/// The body is `{"labels": […]}` or the bare list.
fn add_labels(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (repo, number, actor) = (call.repo_id()?, call.number("issue_number")?, call.actor());
    let bare: Result<Vec<String>, _> = serde_json::from_slice(call.body);
    let labels = match bare {
        Ok(labels) => labels,
        Err(_) => call.fields()?.strings("labels")?.ok_or_else(|| missing("labels"))?,
    };
    call.world().issue(repo, number)?;
    call.world().add_labels(repo, number, &labels, actor)?;
    issue_labels(call, number)
}

fn remove_label(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (repo, number, actor) = (call.repo_id()?, call.number("issue_number")?, call.actor());
    let name = call.param("name").to_owned();
    call.world().issue(repo, number)?;
    let removed = call.world().remove_label(repo, number, &name, actor);
    removed.map_err(|_| ApiError::new(StatusCode::NOT_FOUND, "Label does not exist"))?;
    issue_labels(call, number)
}

fn repo_labels(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let repo = call.repo()?;
    let labels: Vec<&Label> = repo.labels.values().collect();
    Ok(call.list(labels, |wire, label| wire.label(repo, label)))
}
