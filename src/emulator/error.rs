//! GitHub's error answers: status, message, and the details that clients print.

use http::StatusCode;
use serde_json::{Value, json};

/// A refused call, in GitHub's own words.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiError {
    /// HTTP status.
    pub status: StatusCode,
    /// What `message` says.
    pub message: String,
    /// What `errors` lists, when validation failed.
    pub errors: Vec<Value>,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
}

impl ApiError {
    /// `status` with `message`.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), errors: Vec::new(), headers: Vec::new() }
    }

    /// 404: also what GitHub says about things that the caller may not see.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "Not Found")
    }

    /// 401 for a token that is unknown, expired or revoked.
    pub fn bad_credentials() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Bad credentials")
    }

    /// 401 for a call without credentials.
    pub fn requires_authentication() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Requires authentication")
    }

    /// 401 for anything that is not an App's JWT.
    pub fn undecodable_jwt() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "A JSON web token could not be decoded")
    }

    /// 403 for an App without the permission; `accepted` goes to `X-Accepted-GitHub-Permissions`.
    pub fn not_accessible(accepted: Option<String>) -> Self {
        let mut error = Self::new(StatusCode::FORBIDDEN, "Resource not accessible by integration");
        error.headers.extend(accepted.map(|needs| ("x-accepted-github-permissions", needs)));
        error
    }

    /// 422 of GitHub's schema check, for example `"name" wasn't supplied.`
    pub fn invalid_request(reason: impl AsRef<str>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, format!("Invalid request.\n\n{}", reason.as_ref()))
    }

    /// 422 with one entry in `errors`: `code` is `missing_field`, `invalid`, `already_exists` or `custom`.
    pub fn validation(resource: &str, field: &str, code: &str, message: Option<&str>) -> Self {
        let mut entry = json!({ "resource": resource, "field": field, "code": code });
        if let Some(message) = message {
            entry["message"] = json!(message);
        }
        let mut error = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "Validation Failed");
        error.errors.push(entry);
        error
    }

    /// 422 with a bare message.
    pub fn unprocessable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, message)
    }

    /// The JSON body.
    pub fn body(&self) -> Value {
        let mut body = json!({ "message": self.message });
        if !self.errors.is_empty() {
            body["errors"] = Value::Array(self.errors.clone());
        }
        body["documentation_url"] = json!("https://docs.github.com/rest");
        body["status"] = json!(self.status.as_str());
        body
    }
}
