//! Comments and reactions: <https://docs.github.com/en/rest/issues/comments>,
//! <https://docs.github.com/en/rest/reactions/reactions>. A pull request is an issue here.

use http::Method;
use serde::Deserialize;
use serde_json::json;

use crate::github::{Error, Repository};

/// Longest body of a comment, in characters.
const MAX_CHARACTERS: usize = 65_536;

/// A comment on an issue or pull request.
#[derive(Clone, Debug, Deserialize)]
pub struct Comment {
    /// Its id.
    pub id: i64,
    /// Its page.
    #[serde(default)]
    pub html_url: String,
    /// Its text, Markdown.
    #[serde(default)]
    pub body: Option<String>,
    /// Who wrote it; `None` for a deleted account.
    #[serde(default)]
    pub user: Option<Author>,
}

/// Who wrote a comment.
#[derive(Clone, Debug, Deserialize)]
pub struct Author {
    /// Name of the account.
    pub login: String,
    /// `User`, `Bot`, `Organization` or `Mannequin`.
    #[serde(rename = "type", default)]
    pub kind: String,
}

/// A reaction to a comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// 👀
    Eyes,
    /// 🚀
    Rocket,
    /// 😕
    Confused,
    /// 👎
    ThumbsDown,
}

impl Reaction {
    /// GitHub's word for it.
    pub fn content(self) -> &'static str {
        match self {
            Self::Eyes => "eyes",
            Self::Rocket => "rocket",
            Self::Confused => "confused",
            Self::ThumbsDown => "-1",
        }
    }
}

impl Repository {
    /// `GET …/issues/{number}/comments`, all pages, oldest first.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn comments(&self, number: i64) -> Result<Vec<Comment>, Error> {
        let call = self.call(Method::GET, &format!("issues/{number}/comments"))?.query("per_page", 100);
        self.client().list(&call).await
    }

    /// `POST …/issues/{number}/comments`. Not idempotent: look through [`Repository::comments`] first.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a blank body; else see [`Error`].
    pub async fn create_comment(&self, number: i64, body: &str) -> Result<Comment, Error> {
        if body.trim().is_empty() {
            return Err(Error::Invalid("a comment cannot be blank".into()));
        }
        let body: String = body.chars().take(MAX_CHARACTERS).collect();
        let call = self.call(Method::POST, &format!("issues/{number}/comments"))?.json(&json!({ "body": body }))?;
        self.client().fetch(&call).await
    }

    /// `PATCH …/issues/comments/{id}`: another text; idempotent, retried.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn edit_comment(&self, id: i64, body: &str) -> Result<Comment, Error> {
        let body: String = body.chars().take(MAX_CHARACTERS).collect();
        let call = self.call(Method::PATCH, &format!("issues/comments/{id}"))?.json(&json!({ "body": body }))?;
        self.client().fetch(&call.repeatable(true)).await
    }

    /// `POST …/issues/comments/{id}/reactions`: GitHub keeps one of each kind and person, so this is
    /// idempotent and retried.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn react(&self, comment: i64, reaction: Reaction) -> Result<(), Error> {
        let path = format!("issues/comments/{comment}/reactions");
        let call = self.call(Method::POST, &path)?.json(&json!({ "content": reaction.content() }))?;
        self.client().send(&call.repeatable(true)).await.map(drop)
    }

    /// `POST …/issues/{number}/labels`: labels that are there already stay; idempotent, retried.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn add_labels(&self, number: i64, labels: &[String]) -> Result<(), Error> {
        let call = self.call(Method::POST, &format!("issues/{number}/labels"))?;
        self.client().send(&call.json(&json!({ "labels": labels }))?.repeatable(true)).await.map(drop)
    }
}
