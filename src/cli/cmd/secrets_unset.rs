//! `pforge secrets unset`.

use serde_json::json;

use crate::cli::cx::Cx;
use crate::cli::error::Result;
use crate::cli::secrets::file::{self, Document, FileFlag};
use crate::cli::secrets::recipients::shown;
use crate::secrets::{Error as SecretsError, MacPolicy, Selector};

/// Take one value or section out; nothing else in the file changes
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pforge secrets unset github_app.previous_webhook_secrets[1]\n  \
    pforge secrets unset -f secrets/prod.env OLD_TOKEN --idempotent")]
pub struct Args {
    /// Where it stands: github_app.id, hosts[0], or ["github_app"]["id"]
    #[arg(value_name = "PATH")]
    path: Selector,
    #[command(flatten)]
    file: FileFlag,
    /// Do not mind when it is not there
    #[arg(long)]
    idempotent: bool,
}

/// Takes the value out and writes the file.
///
/// # Errors
/// When the file does not open, or there is no such value.
pub fn run(args: Args, cx: &Cx) -> Result {
    let path = args.file.path(cx)?;
    let document = Document::load(cx, &path, None, MacPolicy::Verify)?;
    let mut tree = document.tree().clone();
    let changed = match args.path.unset(&mut tree) {
        Ok(()) => document.save(cx, &tree)?,
        Err(SecretsError::NoSuchPath(_)) if args.idempotent => false,
        Err(error) => return Err(file::about(&path, &error)),
    };
    let (file, place) = (shown(&path), args.path.to_string());
    if cx.ui.json() {
        return cx.ui.document(&json!({ "file": file, "path": place, "changed": changed }));
    }
    cx.ui.status(if changed { format!("{file}: {place} is gone") } else { format!("{file}: there is no {place}") });
    Ok(())
}
