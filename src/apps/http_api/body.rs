//! JSON bodies: read, or refused with the path of what is wrong.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, Request};
use http::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use serde_path_to_error::{Path, Segment};

use super::ApiError;

/// The request's JSON body as a `T`.
///
/// What does not fit is answered 422 with `{"detail": [{"loc": ["body", "spec"], "msg": …,
/// "type": …}]}`, texts and types as the FastAPI clients know them. Unknown fields are ignored
/// (unless `T` denies them), and so is the content type.
#[derive(Clone, Copy, Debug)]
pub struct ValidJson<T>(pub T);

impl<T, S> FromRequest<S> for ValidJson<T>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let body = Bytes::from_request(request, state).await.map_err(unreadable)?;
        read(&body).map(Self)
    }
}

fn unreadable(rejection: BytesRejection) -> ApiError {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "The body is too large."),
        _ => ApiError::new(StatusCode::BAD_REQUEST, "The body could not be read."),
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    if body.is_empty() {
        return Err(ApiError::invalid(&["body"], "field required", "value_error.missing"));
    }
    // A list would be taken for the fields of a struct in their order.
    if body.trim_ascii_start().first() == Some(&b'[') {
        return Err(ApiError::invalid(&["body"], "value is not a valid dict", "type_error.dict"));
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| explain(error.path(), error.inner()))?;
    reader.end().map_err(|error| explain_syntax(&error))?;
    Ok(value)
}

fn explain_syntax(error: &serde_json::Error) -> ApiError {
    ApiError::invalid(&["body"], error.to_string(), "value_error.jsondecode")
}

fn explain(path: &Path, error: &serde_json::Error) -> ApiError {
    if !error.is_data() {
        return explain_syntax(error);
    }
    let text = error.to_string();
    // "… at line 1 column 7" helps nobody who has the path.
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
    let mut loc = vec![Value::from("body")];
    loc.extend(path.iter().filter_map(|segment| match segment {
        Segment::Seq { index } => Some(json!(index)),
        Segment::Map { key } => Some(json!(key)),
        Segment::Enum { .. } | Segment::Unknown => None,
    }));
    // serde has no error codes: its fixed beginnings are the only way to tell the kinds apart.
    let (msg, kind) = if let Some(field) = text.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'))
    {
        loc.push(json!(field));
        ("field required", "value_error.missing")
    } else if text.starts_with("unknown variant") {
        (text, "type_error.enum")
    } else if text.starts_with("invalid type") {
        (text, "type_error")
    } else if text.starts_with("unknown field") {
        (text, "value_error.extra")
    } else {
        (text, "value_error")
    };
    ApiError { status: StatusCode::UNPROCESSABLE_ENTITY, detail: json!([{ "loc": loc, "msg": msg, "type": kind }]) }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "only read to be refused")]
    struct Run {
        spec: String,
        count: Option<i64>,
        status: Option<Status>,
        at: Option<DateTime<Utc>>,
        parts: Option<Vec<Part>>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Status {
        Queued,
    }

    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "only read to be refused")]
    struct Part {
        name: String,
    }

    #[test]
    fn what_is_wrong_is_named_with_its_path() {
        let cases = [
            ("{}", json!(["body", "spec"]), "value_error.missing"),
            (r#"{"spec":1}"#, json!(["body", "spec"]), "type_error"),
            (r#"{"spec":"a","count":"x"}"#, json!(["body", "count"]), "type_error"),
            (r#"{"spec":"a","status":"paused"}"#, json!(["body", "status"]), "type_error.enum"),
            (r#"{"spec":"a","at":"yesterday"}"#, json!(["body", "at"]), "value_error"),
            (r#"{"spec":"a","parts":[{"name":"x"},{}]}"#, json!(["body", "parts", 1, "name"]), "value_error.missing"),
            ("", json!(["body"]), "value_error.missing"),
            ("{", json!(["body"]), "value_error.jsondecode"),
            (r#"{"spec":"a"} x"#, json!(["body"]), "value_error.jsondecode"),
            (r#" ["a"]"#, json!(["body"]), "type_error.dict"),
        ];
        for (body, loc, kind) in cases {
            let error = read::<Run>(body.as_bytes()).expect_err(body);
            assert_eq!(error.status, StatusCode::UNPROCESSABLE_ENTITY);
            assert_eq!((&error.detail[0]["loc"], error.detail[0]["type"].as_str()), (&loc, Some(kind)), "{body}");
            assert!(!error.detail[0]["msg"].as_str().expect("text").contains("at line") || kind.contains("json"));
        }
    }

    #[test]
    fn unknown_fields_are_ignored() {
        let run = read::<Run>(br#"{"spec":"a","id":7,"other":{}}"#).expect("valid");
        assert_eq!(run.spec, "a");
    }
}
