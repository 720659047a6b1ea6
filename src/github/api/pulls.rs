//! Pull requests: <https://docs.github.com/en/rest/pulls/pulls>.

use http::Method;
use serde::Deserialize;

use crate::github::{Error, Repository};

/// A changed file.
#[derive(Clone, Debug, Deserialize)]
pub struct PullFile {
    /// Path.
    pub filename: String,
    /// `added`, `removed`, `modified`, `renamed`, …
    pub status: String,
}

impl Repository {
    /// `GET …/pulls/{number}/files`, all pages. GitHub lists 3 000 files at most.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn pull_files(&self, number: i64) -> Result<Vec<PullFile>, Error> {
        let call = self.call(Method::GET, &format!("pulls/{number}/files"))?.query("per_page", 100);
        self.client().list(&call).await
    }
}
