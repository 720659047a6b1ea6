//! Telling people on a pull request, once.

use super::github_failure;
use crate::github::Repository;
use crate::github::api::issues::Comment;
use crate::jobs::Failure;
use crate::util::text::truncate;

/// What GitHub takes in a comment.
const MAX_CHARACTERS: usize = 65_536;

/// Comments on the pull request `number` unless a comment about `what` is there. `what` is hidden in
/// the text, such as `comment/17` or `recipe-run/3/attempt/1`, and must say for what the answer is.
pub(in crate::apps::recipes) async fn comment_once(
    repository: &Repository,
    number: i64,
    what: &str,
    text: &str,
) -> Result<Comment, Failure> {
    let marker = marker(what);
    let there = repository.comments(number).await.map_err(github_failure)?;
    if let Some(comment) = there.into_iter().find(|comment| is_ours(comment, &marker)) {
        return Ok(comment);
    }
    repository.create_comment(number, &marked(what, text)).await.map_err(github_failure)
}

/// As [`comment_once`], but the comment that is there gets this text.
pub(super) async fn keep_comment(repository: &Repository, number: i64, what: &str, text: &str) -> Result<(), Failure> {
    let comment = comment_once(repository, number, what, text).await?;
    let body = marked(what, text);
    if comment.body.as_deref().is_none_or(|there| there.trim_end() != body) {
        repository.edit_comment(comment.id, &body).await.map_err(github_failure)?;
    }
    Ok(())
}

/// The marker must never be what is cut off: without it the comment would not be found again.
fn marked(what: &str, text: &str) -> String {
    let marker = marker(what);
    let room = MAX_CHARACTERS.saturating_sub(marker.chars().count() + 2);
    format!("{}\n\n{marker}", truncate(text, room))
}

fn marker(what: &str) -> String {
    format!("<!-- pforge: {what} -->")
}

/// Anybody can write the marker, but only Apps are bots; and what we quote never stands at the end.
fn is_ours(comment: &Comment, marker: &str) -> bool {
    comment.user.as_ref().is_some_and(|user| user.kind == "Bot")
        && comment.body.as_ref().is_some_and(|body| body.trim_end().ends_with(marker))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_comment_that_is_too_long_keeps_its_marker() {
        let marked = marked("comment/1", &"é".repeat(70_000));
        assert_eq!(marked.chars().count(), MAX_CHARACTERS);
        assert!(marked.ends_with("…\n\n<!-- pforge: comment/1 -->"));
    }

    #[test]
    fn people_cannot_answer_in_our_place() {
        let marker = "<!-- pforge: comment/1 -->";
        for (user, body, ours) in [
            (json!({ "login": "app[bot]", "type": "Bot" }), format!("x\n\n{marker}"), true),
            (json!({ "login": "mallory", "type": "User" }), format!("x\n\n{marker}"), false),
            (json!({ "login": "app[bot]", "type": "Bot" }), "<!-- pforge: comment/11 -->".to_owned(), false),
            (
                json!({ "login": "app[bot]", "type": "Bot" }),
                format!("the log says {marker}\n\n<!-- pforge: x -->"),
                false,
            ),
            (json!(null), marker.to_owned(), false),
        ] {
            let comment = serde_json::from_value(json!({ "id": 1, "user": user, "body": body })).expect("a comment");
            assert_eq!(is_ours(&comment, marker), ours, "{comment:?}");
        }
    }
}
