//! Answers kept on disk for a while (`--cache`), one private file each.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use aws_lc_rs::digest::{Context, SHA256};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version};
use serde::{Deserialize, Serialize};

use super::request::{Body, Request};
use crate::cli::cx::Cx;
use crate::cli::error::{Error, Result};
use crate::github::{Answer, Auth};
use crate::util::file;

/// Answers that nobody asked for in this time are swept away.
const FORGOTTEN: Duration = Duration::from_secs(7 * 86_400);

/// The answers of one App at one GitHub.
pub struct Cache {
    folder: PathBuf,
    identity: String,
    lifetime: Duration,
}

/// An answer on disk.
#[derive(Serialize, Deserialize)]
struct Kept {
    status: u16,
    http: u8,
    headers: Vec<(String, String)>,
    body: String,
}

impl Cache {
    /// The cache for calls of `identity`, whose answers are good for `lifetime`.
    ///
    /// # Errors
    /// When there is no place for it.
    pub fn new(cx: &Cx, identity: String, lifetime: Duration) -> Result<Self> {
        let home = || cx.env.path("HOME").or_else(|| cx.env.path("USERPROFILE")).map(|home| home.join(".cache"));
        let folder = cx.env.path("XDG_CACHE_HOME").or_else(home).ok_or_else(|| {
            Error::config("neither XDG_CACHE_HOME nor HOME is set: there is no place for --cache")
                .hint("export XDG_CACHE_HOME=$PWD/.cache")
        })?;
        Ok(Self { folder: folder.join("pforge").join("answers"), identity, lifetime })
    }

    /// The answer to `request` spoken as `auth`, if it is kept and young enough.
    pub fn find(&self, request: &Request, auth: &Auth) -> Option<Answer> {
        let path = self.path(request, auth)?;
        let age = SystemTime::now().duration_since(fs::metadata(&path).ok()?.modified().ok()?).ok()?;
        if age > self.lifetime {
            return None;
        }
        let kept: Kept = serde_json::from_slice(&fs::read(&path).ok()?).ok()?;
        let header = |(name, value): (String, String)| {
            Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(&value).ok()?))
        };
        let mut headers = HeaderMap::new();
        for (name, value) in kept.headers.into_iter().filter_map(header) {
            headers.append(name, value);
        }
        Some(Answer {
            version: if kept.http == 2 { Version::HTTP_2 } else { Version::HTTP_11 },
            status: StatusCode::from_u16(kept.status).ok()?,
            headers,
            body: Bytes::from(STANDARD.decode(kept.body).ok()?),
            attempts: 0,
        })
    }

    /// Keeps `answer`, if such answers are kept: reads that succeeded.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep(&self, request: &Request, auth: &Auth, answer: &Answer) -> Result {
        let Some(path) = self.path(request, auth).filter(|_| answer.status.is_success()) else { return Ok(()) };
        let text = |value: &HeaderValue| value.to_str().ok().map(str::to_owned);
        let kept = Kept {
            status: answer.status.as_u16(),
            http: if answer.version == Version::HTTP_2 { 2 } else { 1 },
            headers: answer.headers.iter().filter_map(|(name, v)| Some((name.to_string(), text(v)?))).collect(),
            body: STANDARD.encode(&answer.body),
        };
        let told = |error: std::io::Error| {
            Error::failure(format!("cannot keep the answer in {}", self.folder.display())).caused_by(&error)
        };
        private_folder(&self.folder).map_err(told)?;
        let bytes = serde_json::to_vec(&kept).map_err(|error| told(error.into()))?;
        file::write_atomic(&path, &bytes).map_err(told)?;
        self.sweep();
        Ok(())
    }

    fn path(&self, request: &Request, auth: &Auth) -> Option<PathBuf> {
        let mut digest = Context::new(&SHA256);
        let mut part = |bytes: &[u8]| {
            digest.update(&u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_le_bytes());
            digest.update(bytes);
        };
        match (&request.body, request.method.is_safe()) {
            (Body::None, true) => {}
            (Body::Fields(fields), false) if request.graphql && is_query(fields) => {
                part(serde_json::to_string(fields).ok()?.as_bytes());
            }
            _ => return None,
        }
        for text in [&self.identity, &format!("{auth:?}"), request.method.as_str(), &request.path] {
            part(text.as_bytes());
        }
        for (name, value) in &request.query {
            part(name.as_bytes());
            part(value.as_bytes());
        }
        for (name, value) in &request.headers {
            part(name.as_str().as_bytes());
            part(value.as_bytes());
        }
        Some(self.folder.join(format!("{}.json", hex::encode(digest.finish()))))
    }

    /// Removes what nobody asked for in a long time.
    fn sweep(&self) {
        let now = SystemTime::now();
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let written = entry.metadata().and_then(|metadata| metadata.modified());
            let age = written.ok().and_then(|written| now.duration_since(written).ok());
            if age.is_some_and(|age| age > FORGOTTEN.max(self.lifetime)) {
                // Another pforge may have been faster.
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// Whether GraphQL only reads.
fn is_query(fields: &serde_json::Map<String, serde_json::Value>) -> bool {
    let query = fields.get("query").and_then(serde_json::Value::as_str).unwrap_or_default();
    !query.contains("mutation") && !query.contains("subscription")
}

#[cfg(unix)]
fn private_folder(folder: &std::path::Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn private_folder(folder: &std::path::Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)
}
