//! What the commands that touch the database share: which one, and telling of migrations.

use std::time::Duration;

use super::cx::Cx;
use super::error::Result;
use super::ui::{Tone, Ui};
use crate::store::migrate::Progress;
use crate::store::{DatabaseUrl, Db};
use crate::util::text::duration;

/// How long the database may take to answer at the start.
pub const CONNECT_PATIENCE: Duration = Duration::from_secs(10);

/// Which database.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct DatabaseFlags {
    /// The database: sqlite:///abs/path, sqlite:rel/path or postgres://… [env: DATABASE_URL]
    #[arg(long, value_name = "URL")]
    pub database_url: Option<String>,
    /// Accept SQLite for prod and staging
    #[arg(long)]
    pub allow_sqlite: bool,
}

impl DatabaseFlags {
    /// Whether flag, environment or config file names a database.
    pub fn is_named(&self, cx: &Cx) -> bool {
        self.database_url.is_some()
            || cx.env.get("DATABASE_URL").is_some()
            || cx.config().is_ok_and(|file| file.database_url.is_some())
    }

    /// The database that flag, environment or config file names.
    ///
    /// # Errors
    /// When nobody names one, or it is refused.
    pub fn resolve(&self, cx: &Cx) -> Result<DatabaseUrl> {
        let in_file = || Ok(cx.config()?.database_url.clone());
        let url = cx.settings.database_url(self.database_url.as_deref(), &cx.env, self.allow_sqlite, in_file)?;
        Ok(url.value)
    }
}

/// Opens the database, works with it, and closes it whatever happened.
///
/// # Errors
/// When it cannot be reached, and what `work` fails with.
pub async fn with<T>(url: &DatabaseUrl, work: impl AsyncFnOnce(&Db) -> Result<T>) -> Result<T> {
    let db = Db::connect(url, CONNECT_PATIENCE).await?;
    let done = work(&db).await;
    db.close().await;
    done
}

/// Tells what the migrator does, a line each: `doing` and `done` are its verbs.
pub fn tell(ui: &Ui, doing: &str, done: &str, progress: &Progress) {
    match progress {
        Progress::Waiting => ui.status("Another process is migrating; waiting for it."),
        Progress::Applying { version, name } => {
            ui.status(format!("{} {version:04} {name}", ui.paint(Tone::Dim, &format!("{doing}:"))));
        }
        Progress::Applied { version, name, took } => {
            let took = duration(*took);
            ui.status(format!("{} {version:04} {name} in {took}", ui.paint(Tone::Good, &format!("{done}:"))));
        }
    }
}
