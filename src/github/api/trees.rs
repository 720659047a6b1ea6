//! Trees and blobs: <https://docs.github.com/en/rest/git>.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde::Deserialize;

use crate::github::call::segment;
use crate::github::{Error, Repository};

/// A tree: a folder at a commit, or with all that is below it.
#[derive(Clone, Debug, Deserialize)]
pub struct Tree {
    /// Its id.
    pub sha: String,
    /// What is in it.
    pub tree: Vec<TreeEntry>,
    /// Whether GitHub left something out: over 100 000 entries or 7 MB of them.
    #[serde(default)]
    pub truncated: bool,
}

/// One entry of a tree.
#[derive(Clone, Debug, Deserialize)]
pub struct TreeEntry {
    /// Its path below the tree.
    pub path: String,
    /// `100644` a file, `100755` a program, `040000` a folder, `120000` a symbolic link, `160000` a
    /// submodule.
    pub mode: String,
    /// `blob`, `tree` or `commit`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Id of the blob, the tree or the commit.
    pub sha: String,
    /// Bytes of a blob.
    #[serde(default)]
    pub size: Option<u64>,
}

#[derive(Deserialize)]
struct Blob {
    content: String,
    encoding: String,
}

impl Repository {
    /// `GET …/git/trees/{sha}` of a tree or a commit; with `recursive` also of all that is below.
    /// `None` when there is no such tree.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn tree(&self, sha: &str, recursive: bool) -> Result<Option<Tree>, Error> {
        let mut call = self.call(Method::GET, &format!("git/trees/{}", segment(sha)?))?;
        if recursive {
            call = call.query("recursive", 1);
        }
        match self.client().fetch(&call).await {
            Err(error) if error.status() == Some(404) => Ok(None),
            outcome => outcome.map(Some),
        }
    }

    /// `GET …/git/blobs/{sha}`, decoded. GitHub gives blobs of up to 100 MB.
    ///
    /// # Errors
    /// [`Error::Decode`] when its encoding is not known; else see [`Error`].
    pub async fn blob(&self, sha: &str) -> Result<Vec<u8>, Error> {
        let call = self.call(Method::GET, &format!("git/blobs/{}", segment(sha)?))?;
        let Blob { content, encoding } = self.client().fetch(&call).await?;
        match encoding.as_str() {
            "base64" => {
                // GitHub breaks the lines.
                let packed: String = content.split_ascii_whitespace().collect();
                STANDARD.decode(packed).map_err(|error| call.undecodable(error.to_string()))
            }
            "utf-8" => Ok(content.into_bytes()),
            other => Err(call.undecodable(format!("the encoding {other} is not known"))),
        }
    }
}
