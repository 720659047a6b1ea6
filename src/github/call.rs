//! A call and its answer, as values.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::header::{DATE, LINK};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use super::auth::{Auth, Scheme};
use super::error::Error;
use super::pages;

/// GitHub's JSON.
pub const JSON: &str = "application/vnd.github+json";
/// The bytes of a file.
pub const RAW: &str = "application/vnd.github.raw+json";

/// A call that is not yet made.
#[derive(Clone)]
pub struct Call {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) body: Option<Bytes>,
    pub(super) accept: &'static str,
    pub(super) headers: HeaderMap,
    pub(super) auth: Auth,
    pub(super) repeatable: bool,
    pub(super) conditional: bool,
    pub(super) confidential: bool,
}

impl Call {
    /// `method` on `path`: without host, or an address that GitHub itself gave (`Link`).
    /// GET, HEAD, PUT and DELETE count as idempotent.
    pub fn new(method: Method, path: impl Into<String>, auth: Auth) -> Self {
        let repeatable = method.is_idempotent();
        Self {
            method,
            path: path.into(),
            query: Vec::new(),
            body: None,
            accept: JSON,
            headers: HeaderMap::new(),
            auth,
            repeatable,
            conditional: false,
            confidential: false,
        }
    }

    /// `GET path`.
    pub fn get(path: impl Into<String>, auth: Auth) -> Self {
        Self::new(Method::GET, path, auth)
    }

    /// Adds `name=value` to the query.
    #[must_use]
    pub fn query(mut self, name: &str, value: impl ToString) -> Self {
        self.query.push((name.to_owned(), value.to_string()));
        self
    }

    /// With `body` as JSON.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it has no JSON form.
    pub fn json<T: Serialize + ?Sized>(mut self, body: &T) -> Result<Self, Error> {
        let bytes = serde_json::to_vec(body).map_err(|_| Error::Invalid("the body has no JSON form".into()))?;
        self.body = Some(bytes.into());
        Ok(self)
    }

    /// With `body` as it is; it counts as JSON unless a header says otherwise.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Adds a header. It takes the place of the one that the client would send by itself.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    /// As whom it is made.
    pub fn auth(&self) -> &Auth {
        &self.auth
    }

    /// Asks for another media type than [`JSON`].
    #[must_use]
    pub fn accept(mut self, media_type: &'static str) -> Self {
        self.accept = media_type;
        self
    }

    /// Says whether doing it twice is the same as doing it once, so that it may be sent again
    /// when nobody knows whether it arrived.
    #[must_use]
    pub fn repeatable(mut self, repeatable: bool) -> Self {
        self.repeatable = repeatable;
        self
    }

    /// For polling: remembers the answer and asks GitHub only whether it changed, which costs
    /// nothing of the rate limit when it did not.
    #[must_use]
    pub fn conditional(mut self) -> Self {
        self.conditional = true;
        self
    }

    /// The answer holds a secret: nothing of it may be quoted in an error.
    #[must_use]
    pub fn confidential(mut self) -> Self {
        self.confidential = true;
        self
    }

    /// The path as it may be shown: without host, query and one-time codes.
    pub fn shown_path(&self) -> String {
        let address = self.path.split(['?', '#']).next().unwrap_or_default();
        let path = match Url::parse(address) {
            Ok(url) => url.path().to_owned(),
            Err(_) => format!("/{}", address.trim_start_matches('/')),
        };
        let mut segments: Vec<&str> = path.split('/').collect();
        if let Some(at) = segments.iter().position(|s| *s == "app-manifests")
            && let Some(code) = segments.get_mut(at + 1)
        {
            *code = "…";
        }
        segments.join("/")
    }

    pub(super) fn scheme(&self) -> Scheme {
        self.auth.scheme()
    }

    pub(super) fn undecodable(&self, reason: impl Into<String>) -> Error {
        Error::Decode { method: self.method.to_string(), path: self.shown_path(), reason: reason.into() }
    }
}

impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Call({} {})", self.method, self.shown_path())
    }
}

/// What came back, whole.
#[derive(Clone)]
pub struct Answer {
    /// Version of HTTP that it came by.
    pub version: Version,
    /// HTTP status.
    pub status: StatusCode,
    /// HTTP headers.
    pub headers: HeaderMap,
    /// The body, decompressed.
    pub body: Bytes,
    /// How often GitHub was asked for it.
    pub attempts: u32,
}

impl Answer {
    /// The body as `T`.
    ///
    /// # Errors
    /// [`Error::Decode`] when it has another shape.
    pub fn json<T: DeserializeOwned>(&self, call: &Call) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|error| {
            // The library's message quotes the value that does not fit.
            let reason = if call.confidential {
                format!("{:?} error at line {} column {}", error.classify(), error.line(), error.column())
            } else {
                error.to_string()
            };
            call.undecodable(reason)
        })
    }

    /// When GitHub sent it, by GitHub's clock.
    pub fn date(&self) -> Option<DateTime<Utc>> {
        let text = self.headers.get(DATE)?.to_str().ok()?;
        DateTime::parse_from_rfc2822(text).ok().map(|date| date.to_utc())
    }

    /// The address of the next page, as GitHub gave it.
    pub fn next_page(&self) -> Option<String> {
        self.headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok()).find_map(pages::next)
    }
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Answer({}, {} bytes)", self.status, self.body.len())
    }
}

/// One segment of a path, encoded.
///
/// # Errors
/// [`Error::Invalid`] for `.`, `..` and nothing, which would make it another path.
pub(super) fn segment(text: &str) -> Result<String, Error> {
    if matches!(text, "" | "." | "..") {
        return Err(Error::Invalid(format!("{text:?} cannot stand in a path")));
    }
    // The form encoding differs from the path encoding only in the blank.
    Ok(url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_cannot_leave_their_place() {
        for (text, expected) in
            [("main", "main"), ("feature/a b", "feature%2Fa%20b"), ("a+b?c#d%", "a%2Bb%3Fc%23d%25"), ("é", "%C3%A9")]
        {
            assert_eq!(segment(text).expect("fits"), expected);
        }
        for text in ["", ".", ".."] {
            assert!(segment(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_shown_path_has_no_host_query_or_code() {
        for (path, expected) in [
            ("/repos/o/r?token=x", "/repos/o/r"),
            ("app", "/app"),
            ("https://api.github.com/repositories/1/pulls?page=2", "/repositories/1/pulls"),
            ("/app-manifests/s3cret/conversions", "/app-manifests/…/conversions"),
            ("/api/v3/app-manifests/s3cret/conversions", "/api/v3/app-manifests/…/conversions"),
        ] {
            let call = Call::get(path, Auth::Anonymous);
            assert_eq!(call.shown_path(), expected);
            assert!(!format!("{call:?}").contains("s3cret"));
        }
    }
}
