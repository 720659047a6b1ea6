//! What a route answers.

use http::StatusCode;
use serde_json::Value;

use crate::emulator::error::ApiError;
use crate::emulator::state::Refusal;

/// The body of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// None.
    Empty,
    /// JSON, compact.
    Json(Value),
    /// A page for people.
    Html(String),
    /// Bytes of a media type.
    Raw(&'static str, Vec<u8>),
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// HTTP status.
    pub status: StatusCode,
    /// Body.
    pub body: Body,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
}

impl Reply {
    /// `status` with JSON.
    pub fn json(status: StatusCode, body: Value) -> Self {
        Self { status, body: Body::Json(body), headers: Vec::new() }
    }

    /// 200 with JSON.
    pub fn ok(body: Value) -> Self {
        Self::json(StatusCode::OK, body)
    }

    /// 201 with JSON.
    pub fn created(body: Value) -> Self {
        Self::json(StatusCode::CREATED, body)
    }

    /// 204.
    pub fn no_content() -> Self {
        Self { status: StatusCode::NO_CONTENT, body: Body::Empty, headers: Vec::new() }
    }

    /// A page.
    pub fn html(status: StatusCode, page: String) -> Self {
        Self { status, body: Body::Html(page), headers: Vec::new() }
    }

    /// 302 to `location`.
    pub fn redirect(location: String) -> Self {
        Self { status: StatusCode::FOUND, body: Body::Empty, headers: vec![("location", location)] }
    }
}

impl From<ApiError> for Reply {
    fn from(error: ApiError) -> Self {
        Self { status: error.status, body: Body::Json(error.body()), headers: error.headers }
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotFound => Self::not_found(),
            Refusal::Exists(_) => Self::unprocessable(refusal.to_string()),
            Refusal::Invalid(text) => Self::unprocessable(text),
            Refusal::Conflict(text) => Self::new(StatusCode::CONFLICT, text),
        }
    }
}
