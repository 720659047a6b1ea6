//! The repairs that are safe to make unasked.

use std::path::PathBuf;
use std::time::Duration;

use crate::cli::client;
use crate::cli::cx::Cx;
use crate::cli::database::{self, DatabaseFlags};
use crate::cli::error::{Error, Result};
use crate::cli::hook_url;
use crate::cli::state::State;
use crate::store::migrate;

/// How long another process may take to migrate the same database.
const PATIENCE: Duration = Duration::from_secs(60);

/// A repair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mend {
    /// Nobody but the owner may read the file.
    Private(PathBuf),
    /// The webhook URL goes back to what it was before a run that ended badly.
    RestoreHook,
    /// The schema is brought up to date.
    Migrate,
}

impl Mend {
    /// Makes it; what was done, as the end of a sentence.
    ///
    /// # Errors
    /// When it cannot be made.
    pub async fn make(&self, cx: &Cx, database: &DatabaseFlags) -> Result<String> {
        match self {
            Self::Private(path) => {
                private(path)
                    .map_err(|error| Error::failure(format!("cannot change {}", path.display())).caused_by(&error))?;
                Ok(format!("{} is private", path.display()))
            }
            Self::RestoreHook => {
                let file = cx.config()?;
                let client = client::of_app(cx, &file)?;
                let state = State::of_app(cx, client.api_url(), file.need_app()?.id)?;
                let back = hook_url::recover(&client, &state).await?;
                Ok(back.map_or_else(
                    || "the webhook URL was changed meanwhile".into(),
                    |url| format!("the webhook URL is {url}"),
                ))
            }
            Self::Migrate => {
                let url = database.resolve(cx)?;
                let applied = database::with(&url, async |db| Ok(migrate::up(db, PATIENCE, &|_| {}).await?)).await?;
                Ok(format!("{} applied", crate::util::text::plural(applied as u64, "migration")))
            }
        }
    }
}

#[cfg(unix)]
fn private(path: &PathBuf) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn private(_: &PathBuf) -> std::io::Result<()> {
    Ok(())
}
