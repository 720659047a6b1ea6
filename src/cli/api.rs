//! A small client of the server's own API.

use std::future::ready;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use reqwest::header::ACCEPT;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde::Serialize;
use serde_json::Value;
use url::Url;

use super::config::{Origin, Sourced};
use super::cx::Cx;
use super::error::{Error, Kind, Result};
use crate::util::{Secret, host, text};

/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Rows of a page of the server's lists; its own limit.
const PAGE: usize = 100;

/// The server, where nobody says which.
pub const DEFAULT: &str = "http://127.0.0.1:8000";

/// Which server to ask.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct ServerFlag {
    /// The server [env: PFORGE_SERVER] [default: http://127.0.0.1:8000]
    #[arg(long, value_name = "URL")]
    pub server: Option<String>,
}

impl ServerFlag {
    /// A client of the server that the flag, the environment or the default names.
    ///
    /// # Errors
    /// When it is no URL or there is no key.
    pub fn client(&self, cx: &Cx) -> Result<Api> {
        Api::new(&self.address(cx), api_key(cx)?)
    }

    /// The server's address: flag, environment, default.
    pub fn address(&self, cx: &Cx) -> Sourced<String> {
        match (&self.server, cx.env.get("PFORGE_SERVER")) {
            (Some(url), _) => Sourced::flag(url.clone(), "--server"),
            (None, Some(url)) => Sourced { value: url.to_owned(), origin: Origin::Env { name: "PFORGE_SERVER" } },
            (None, None) => Sourced::default(DEFAULT.to_owned()),
        }
    }
}

/// The admin key: `PANGEO_FORGE_API_KEY`, or the config file's.
///
/// # Errors
/// When neither has one.
pub fn api_key(cx: &Cx) -> Result<Secret> {
    match cx.env.get("PANGEO_FORGE_API_KEY") {
        Some(key) => Ok(Secret::new(key)),
        None => {
            let file = cx
                .config()
                .map_err(|error| error.context("no API key: PANGEO_FORGE_API_KEY is not set, nor is there a config"))?;
            file.need_api_key().cloned()
        }
    }
}

/// A client of one server.
pub struct Api {
    http: reqwest::Client,
    base: Url,
    key: Secret,
}

impl Api {
    /// A client of the server at `base`.
    ///
    /// # Errors
    /// When `base` is no http or https URL.
    pub fn new(base: &Sourced<String>, key: Secret) -> Result<Self> {
        let url = Url::parse(&base.value).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let url = url.ok_or_else(|| {
            Error::usage(format!("{} must be the URL of a server, such as {DEFAULT}", base.origin.named()))
        })?;
        let mut http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(5))
            .user_agent(concat!("pforge/", env!("CARGO_PKG_VERSION")));
        if host::is_own(&url) {
            // A proxy could not reach it.
            http = http.no_proxy();
        }
        let http = http.build().map_err(|error| Error::failure("cannot prepare HTTP").caused_by(&error))?;
        Ok(Self { http, base: url, key })
    }

    /// `GET path` with `query`.
    ///
    /// # Errors
    /// See [`Api::send`].
    pub async fn get(&self, path: &str, query: &[(&str, String)]) -> Result<Value> {
        self.send(Method::GET, path, query, None::<&()>).await
    }

    /// `POST path` with `query`, and with `body` as JSON when there is one.
    ///
    /// # Errors
    /// See [`Api::send`].
    pub async fn post(&self, path: &str, query: &[(&str, String)], body: Option<&impl Serialize>) -> Result<Value> {
        self.send(Method::POST, path, query, body).await
    }

    /// `DELETE path`.
    ///
    /// # Errors
    /// See [`Api::send`].
    pub async fn delete(&self, path: &str) -> Result<Value> {
        self.send(Method::DELETE, path, &[], None::<&()>).await
    }

    /// `GET path` as a stream of bytes that has no end by itself. What happens on the server after
    /// this returns is in it.
    ///
    /// # Errors
    /// See [`Api::send`].
    pub async fn follow(&self, path: &str) -> Result<BoxStream<'static, Bytes>> {
        let request = self.request(Method::GET, path).header(ACCEPT, "text/event-stream");
        let answer = request.send().await.map_err(|error| self.unreachable(&error))?;
        if !answer.status().is_success() {
            return Err(refusal(&Method::GET, path, answer.status(), None));
        }
        // A stream that breaks off has ended.
        Ok(answer.bytes_stream().take_while(|bytes| ready(bytes.is_ok())).filter_map(|bytes| ready(bytes.ok())).boxed())
    }

    /// `GET path` with `query`; the text of the answer as it comes, which may take as long as it
    /// will. A break of the connection is an error in the stream, its end is the answer's.
    ///
    /// # Errors
    /// See [`Api::send`].
    pub async fn text_stream(
        &self,
        path: &str,
        query: &[(&str, String)],
    ) -> Result<BoxStream<'static, std::result::Result<Bytes, ()>>> {
        let asked = self.request(Method::GET, path).query(query).send();
        // The head comes at once, however long the body takes.
        let answer = match tokio::time::timeout(PATIENCE, asked).await {
            Ok(answer) => answer.map_err(|error| self.unreachable(&error))?,
            Err(_) => {
                let told = Error::new(Kind::Upstream, format!("no answer from {}", self.base));
                return Err(told.because(format!("it took longer than {}", text::duration(PATIENCE))));
            }
        };
        let status = answer.status();
        if status.is_success() {
            return Ok(answer.bytes_stream().map(|bytes| bytes.map_err(drop)).boxed());
        }
        let body = answer.bytes().await.ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
        Err(refusal(&Method::GET, path, status, body.as_ref()))
    }

    /// The rows of the list at `path` that fit `query`, ordered by their ids, at most `limit`; the
    /// id of the last one when there may be more.
    ///
    /// # Errors
    /// See [`Api::send`].
    pub async fn rows(&self, path: &str, query: &[(&str, String)], limit: usize) -> Result<(Vec<Value>, Option<i64>)> {
        let mut query = query.to_vec();
        let mut rows: Vec<Value> = Vec::new();
        loop {
            let wanted = (limit - rows.len()).min(PAGE);
            query.retain(|(name, _)| *name != "limit");
            query.push(("limit", wanted.to_string()));
            let Value::Array(page) = self.get(path, &query).await? else {
                return Err(Error::new(Kind::Upstream, format!("{} is not a pforge server", self.base))
                    .because(format!("GET {path} was answered with something that is not a list")));
            };
            let (last, full) = (page.last().and_then(|row| row["id"].as_i64()), page.len() == wanted);
            rows.extend(page);
            if !full || last.is_none() {
                return Ok((rows, None));
            }
            if rows.len() >= limit {
                return Ok((rows, last));
            }
            query.retain(|(name, _)| *name != "after");
            query.extend(last.map(|id| ("after", id.to_string())));
        }
    }

    /// Host and port of the server.
    pub fn host(&self) -> String {
        let host = self.base.host_str().unwrap_or_default();
        self.base.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        self.http.request(method, url).header("x-api-key", self.key.expose())
    }

    /// `GET path`; the bytes of the answer, whatever they are.
    ///
    /// # Errors
    /// See [`Api::send`].
    pub async fn bytes(&self, path: &str) -> Result<Bytes> {
        self.exchange(Method::GET, path, &[], None::<&()>).await
    }

    /// Sends a request with the admin key and reads the JSON answer.
    ///
    /// # Errors
    /// [`Kind::Upstream`] without an answer, else by the status of the answer.
    async fn send(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, String)],
        body: Option<&impl Serialize>,
    ) -> Result<Value> {
        let bytes = self.exchange(method.clone(), path, query, body).await?;
        serde_json::from_slice(&bytes).map_err(|_| {
            let told = Error::new(Kind::Upstream, format!("{} is not a pforge server", self.base));
            told.because(format!("{method} {path} was answered with something that is not JSON"))
        })
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, String)],
        body: Option<&impl Serialize>,
    ) -> Result<Bytes> {
        let mut request = self.request(method.clone(), path).timeout(PATIENCE);
        if !query.is_empty() {
            request = request.query(query);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = answer.status();
        let bytes = answer.bytes().await.map_err(|error| self.unreachable(&error))?;
        if status.is_success() {
            return Ok(bytes);
        }
        let value: Option<Value> = serde_json::from_slice(&bytes).ok();
        Err(refusal(&method, path, status, value.as_ref()))
    }

    fn unreachable(&self, error: &reqwest::Error) -> Error {
        // Of the chain of layers only the innermost says what happened.
        let mut innermost: &dyn std::error::Error = &error;
        while let Some(source) = innermost.source() {
            innermost = source;
        }
        let told = Error::new(Kind::Upstream, format!("no answer from {}", self.base)).because(innermost);
        if error.is_connect() { told.hint("pforge serve") } else { told }
    }
}

fn refusal(method: &Method, path: &str, status: StatusCode, body: Option<&Value>) -> Error {
    let kind = match status.as_u16() {
        401 | 403 => Kind::Auth,
        404 => Kind::NotFound,
        429 | 500.. => Kind::Upstream,
        _ => Kind::Failure,
    };
    let detail = body.and_then(|body| body.get("detail")).map(|detail| match detail {
        Value::String(text) => text.clone(),
        list => list.to_string(),
    });
    let what = detail.unwrap_or_else(|| status.canonical_reason().unwrap_or("refused").to_owned());
    let told = Error::new(kind, what).because(format!("{method} {path} was answered {}", status.as_u16()));
    if kind == Kind::Auth { told.hint("pforge config show") } else { told }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Kind, Method, StatusCode, refusal};

    #[test]
    fn a_refusal_has_the_servers_words_and_the_right_code() {
        for (status, body, kind, message) in [
            (401, Some(json!({"detail": "Invalid API Key"})), Kind::Auth, "Invalid API Key"),
            (404, Some(json!({"detail": "job not found"})), Kind::NotFound, "job not found"),
            (409, Some(json!({"detail": "running"})), Kind::Failure, "running"),
            (422, Some(json!({"detail": [{"msg": "no"}]})), Kind::Failure, "[{\"msg\":\"no\"}]"),
            (503, None, Kind::Upstream, "Service Unavailable"),
            (429, None, Kind::Upstream, "Too Many Requests"),
        ] {
            let status = StatusCode::from_u16(status).expect("status");
            let error = refusal(&Method::GET, "/jobs", status, body.as_ref());
            assert_eq!((error.kind, error.message.as_str()), (kind, message), "{status}");
        }
    }
}
