//! What the REST handlers of every app share: admin check, errors, validated bodies, paging.
//!
//! Stands here and not in `server` because the apps' handlers need it and may not import `server`.
//!
//! - [`Admin`]: an extractor; the handler runs only for a request with the right key. Document such
//!   a route with `security(("api_key" = []))`: the server defines that scheme.
//! - [`ValidJson<T>`](ValidJson): the body, or 422 with the path of what is wrong in it.
//! - [`PageQuery`]: `axum::extract::Query<PageQuery>`, then `query.check(&["id", "name"])?` gives a
//!   [`Page`] or 422. In the OpenAPI document: `params(PageQuery)`.
//! - [`Pairs`]: any other query parameters, with the same 422.
//! - [`resource`]: a table as list, read, add, change and delete, with [`filter`]s and pages: one type
//!   and one line.

use axum::Json;
use axum::extract::{FromRef, FromRequestParts};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::State;
use crate::store;

pub mod body;
pub mod fields;
pub mod filter;
pub mod query;
pub mod resource;

pub use body::ValidJson;
pub use query::{Page, PageQuery, Pairs};

/// What a 503 says of when to come back, in seconds.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("5");

/// An error as a client sees it: `{"detail": …}` and nothing of our insides.
#[derive(Debug)]
pub struct ApiError {
    /// HTTP status.
    pub status: StatusCode,
    /// The `detail`: a sentence, or the list of what is invalid.
    pub detail: Value,
}

/// The body of every error.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// A sentence, or a list of what is invalid: `[{"loc": ["body", "spec"], "msg": "…", "type": "…"}]`.
    pub detail: Detail,
}

/// What is wrong.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = ProblemDetail)]
pub enum Detail {
    /// In a sentence.
    Sentence(String),
    /// Each thing that is not valid.
    Invalid(Vec<Invalid>),
}

/// One thing that is not valid.
#[derive(Debug, Serialize, ToSchema)]
pub struct Invalid {
    /// Where: `body`, `query` or `path`, then names and indexes.
    #[schema(value_type = Vec<Value>)]
    pub loc: Vec<Value>,
    /// What about it.
    pub msg: String,
    /// The kind of mistake, such as `value_error.missing`.
    #[serde(rename = "type")]
    pub kind: String,
}

impl ApiError {
    /// An error with a sentence.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: Value::String(detail.into()) }
    }

    /// 404 for a missing `noun`.
    pub fn not_found(noun: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("{noun} not found"))
    }

    /// 500 with a fixed text. Log the cause where it is known; the client gets none of it.
    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error.")
    }

    /// 422 in the form that FastAPI made usual: `[{"loc": ["body", "spec"], "msg": …, "type": …}]`.
    pub fn invalid(loc: &[&str], msg: impl Into<String>, kind: &str) -> Self {
        Self {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            detail: json!([{ "loc": loc, "msg": msg.into(), "type": kind }]),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(json!({ "detail": self.detail }))).into_response();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        response
    }
}

impl From<store::Error> for ApiError {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Conflict(what) => Self::new(StatusCode::CONFLICT, format!("already exists: {what}")),
            store::Error::ForeignKey(_) => Self::new(StatusCode::CONFLICT, error.to_string()),
            store::Error::Unavailable(_) => {
                tracing::error!(%error, "store unavailable");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "The database is not available. Try again later.")
            }
            _ => {
                tracing::error!(%error, "store failed");
                Self::internal()
            }
        }
    }
}

/// Proof that the request carried the right `X-API-Key`.
#[derive(Clone, Copy, Debug)]
pub struct Admin;

impl<S> FromRequestParts<S> for Admin
where
    S: Send + Sync,
    State: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Some(given) = parts.headers.get("x-api-key") else {
            // 403, not 401: the contract of the FastAPI versions that the clients were written for.
            return Err(ApiError::new(StatusCode::FORBIDDEN, "Not authenticated"));
        };
        match State::from_ref(state).api_key {
            Some(key) if key.matches(given.as_bytes()) => Ok(Self),
            _ => Err(ApiError::new(StatusCode::UNAUTHORIZED, "Invalid API Key")),
        }
    }
}
