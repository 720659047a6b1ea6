//! File contents: <https://docs.github.com/en/rest/repos/contents>.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde::Deserialize;

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

impl Repository {
    /// `GET …/contents/{path}?ref=…` of a file, decoded; `None` when there is none.
    ///
    /// # Errors
    /// [`Error::Decode`] when something else than a file is there; else see [`Error`].
    pub async fn file(&self, path: &str, git_ref: &str) -> Result<Option<Vec<u8>>, Error> {
        let segments: Vec<String> = path.trim_matches('/').split('/').map(segment).collect::<Result<_, _>>()?;
        let call = self.call(Method::GET, &format!("contents/{}", segments.join("/")))?.query("ref", git_ref);
        match self.read(&call).await {
            Err(error) if error.status() == Some(404) => Ok(None),
            outcome => outcome.map(Some),
        }
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
