//! File contents: <https://docs.github.com/en/rest/repos/contents>.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde::Deserialize;
use serde_json::json;

use crate::github::call::{Call, RAW, segment};
use crate::github::{Error, Repository};

/// What stands at a path. A folder is an array and does not fit here.
#[derive(Deserialize)]
struct Content {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    encoding: Option<String>,
    #[serde(default)]
    content: Option<String>,
}

/// An entry of a folder, or a file without its content.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Entry {
    /// From the root of the repository.
    pub path: String,
    /// git's name of the file's content, or of the folder.
    pub sha: String,
    /// `file`, `dir`, `symlink` or `submodule` (a folder lists these as `file`).
    #[serde(rename = "type")]
    pub kind: String,
    /// In bytes.
    #[serde(default)]
    pub size: u64,
    /// Only of a submodule.
    #[serde(default)]
    pub submodule_git_url: Option<String>,
}

/// What becomes of a file that shall be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deleted {
    /// It is deleted.
    Yes,
    /// There is no such file.
    Absent,
    /// It has another content than expected, and stays.
    Changed,
}

impl Repository {
    /// `GET …/contents/{path}?ref=…` of a folder; `None` when there is none. GitHub lists 1 000
    /// entries at most.
    ///
    /// # Errors
    /// [`Error::Decode`] when something else than a folder is there; else see [`Error`].
    pub async fn folder(&self, path: &str, git_ref: &str) -> Result<Option<Vec<Entry>>, Error> {
        match self.client().fetch(&self.contents(Method::GET, path)?.query("ref", git_ref)).await {
            Err(error) if error.status() == Some(404) => Ok(None),
            outcome => outcome.map(Some),
        }
    }

    /// git's name of the content of the file at `path`; `None` when there is none.
    ///
    /// # Errors
    /// [`Error::Decode`] when a folder is there; else see [`Error`].
    pub async fn file_sha(&self, path: &str, git_ref: &str) -> Result<Option<String>, Error> {
        match self.client().fetch::<Entry>(&self.contents(Method::GET, path)?.query("ref", git_ref)).await {
            Err(error) if error.status() == Some(404) => Ok(None),
            outcome => Ok(Some(outcome?.sha)),
        }
    }

    /// `PUT …/contents/{path}`: commits a file to `branch`. `replacing` is the name of the content
    /// that is there; without it GitHub only makes files that are not there (422).
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn put_file(
        &self,
        path: &str,
        branch: &str,
        message: &str,
        content: &[u8],
        replacing: Option<&str>,
    ) -> Result<(), Error> {
        let mut body = json!({ "message": message, "content": STANDARD.encode(content), "branch": branch });
        if let Some(sha) = replacing {
            body["sha"] = json!(sha);
        }
        self.client().send(&self.contents(Method::PUT, path)?.json(&body)?).await.map(drop)
    }

    /// `DELETE …/contents/{path}` on `branch`, when its content is still `sha`.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn delete_file(&self, path: &str, branch: &str, message: &str, sha: &str) -> Result<Deleted, Error> {
        let body = json!({ "message": message, "sha": sha, "branch": branch });
        match self.client().send(&self.contents(Method::DELETE, path)?.json(&body)?).await {
            Ok(_) => Ok(Deleted::Yes),
            // The branch moved, or the file is another.
            Err(error) if matches!(error.status(), Some(404 | 409 | 422)) => match self.file_sha(path, branch).await? {
                None => Ok(Deleted::Absent),
                Some(there) if there != sha => Ok(Deleted::Changed),
                Some(_) => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    /// `GET …/contents/{path}?ref=…` of a file, decoded; `None` when there is none.
    ///
    /// # Errors
    /// [`Error::Decode`] when something else than a file is there; else see [`Error`].
    pub async fn file(&self, path: &str, git_ref: &str) -> Result<Option<Vec<u8>>, Error> {
        match self.read(&self.contents(Method::GET, path)?.query("ref", git_ref)).await {
            Err(error) if error.status() == Some(404) => Ok(None),
            outcome => outcome.map(Some),
        }
    }

    fn contents(&self, method: Method, path: &str) -> Result<Call, Error> {
        let segments: Vec<String> = path.trim_matches('/').split('/').map(segment).collect::<Result<_, _>>()?;
        self.call(method, &format!("contents/{}", segments.join("/")))
    }

    async fn read(&self, call: &Call) -> Result<Vec<u8>, Error> {
        let answer = self.client().send(call).await?;
        if answer.body.first() == Some(&b'[') {
            return Err(call.undecodable("there is a folder, not a file"));
        }
        let Content { kind, encoding, content } = answer.json(call)?;
        if kind != "file" {
            return Err(call.undecodable(format!("there is a {kind}, not a file")));
        }
        match (encoding.as_deref(), content) {
            (Some("base64"), Some(text)) => {
                // GitHub breaks the lines.
                let packed: String = text.split_ascii_whitespace().collect();
                STANDARD.decode(packed).map_err(|error| call.undecodable(error.to_string()))
            }
            // Files over 1 MB come without their content.
            _ => Ok(self.client().send(&call.clone().accept(RAW)).await?.body.to_vec()),
        }
    }
}
