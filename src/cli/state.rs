//! What pforge remembers of an App between runs: one private JSON file per App.
//!
//! It holds addresses and marks, never a secret. Losing it loses comfort, nothing else.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use url::Url;

use super::cx::Cx;
use super::error::{Error, Result};
use crate::util::file;

/// What is remembered of one App.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// The webhook URL that a running pforge put in the place of another.
    pub lease: Option<Lease>,
    /// The webhook URLs before the last changes, newest first.
    pub previous: Vec<String>,
    /// The channel of a transport, by the server's address: it stays the same from run to run.
    pub channels: BTreeMap<String, String>,
    /// Newest delivery (GitHub's id of the attempt) that was forwarded.
    pub last_forwarded: Option<i64>,
    /// Whether the webhook URL may be changed without asking.
    pub may_register: bool,
}

/// A webhook URL that is ours for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// What we put there.
    pub ours: String,
    /// What was there, and goes back; nothing when the App had none.
    pub previous: Option<String>,
    /// The process that holds it.
    pub pid: u32,
    /// Since when.
    pub since: DateTime<Utc>,
}

/// The file of one App.
#[derive(Clone, Debug)]
pub struct State {
    path: PathBuf,
}

impl State {
    /// The file of the App `id` at `api_url`; it need not exist.
    ///
    /// # Errors
    /// When there is no home to keep it in.
    pub fn of_app(cx: &Cx, api_url: &Url, id: u64) -> Result<Self> {
        let home = || cx.env.path("HOME").or_else(|| cx.env.path("USERPROFILE")).map(|home| home.join(".local/state"));
        let folder = cx.env.path("XDG_STATE_HOME").or_else(home).ok_or_else(|| {
            Error::config("neither XDG_STATE_HOME nor HOME is set: there is no place to remember the webhook URL")
                .hint("export XDG_STATE_HOME=$PWD/.state")
        })?;
        let host = api_url.host_str().unwrap_or("github");
        let port = api_url.port().map(|port| format!("-{port}")).unwrap_or_default();
        Ok(Self { path: folder.join("pforge").join(format!("{host}{port}-{id}.json")) })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is remembered; nothing when there is no file or it is damaged.
    pub fn read(&self) -> Memory {
        fs::read(&self.path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
    }

    /// Changes what is remembered. Processes that do this at once wait for each other.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn update<T>(&self, change: impl FnOnce(&mut Memory) -> T) -> Result<T> {
        let told = |error: io::Error| Error::failure(format!("cannot write {}", self.path.display())).caused_by(&error);
        let folder = self.path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(told)?;
        let lock = lock(&self.path.with_extension("lock")).map_err(told)?;
        let mut memory = self.read();
        let out = change(&mut memory);
        let bytes = serde_json::to_vec_pretty(&memory).map_err(|error| told(io::Error::other(error)))?;
        file::write_atomic(&self.path, &bytes).map_err(told)?;
        drop(lock);
        Ok(out)
    }
}

/// Held until it is dropped.
fn lock(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
    file.lock()?;
    Ok(file)
}
