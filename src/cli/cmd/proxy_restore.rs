//! `pforge proxy restore`.

use serde_json::json;

use crate::cli::client;
use crate::cli::cx::Cx;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::hook_url;
use crate::cli::state::State;

/// Put the previous webhook URL back
#[derive(Debug, clap::Args)]
#[command(
    after_help = "After `proxy set-url` this is the URL before; after a `proxy start` or `dev` that could not put it back\n\
    itself, the one that it found.\n\nExamples:\n  pforge proxy restore"
)]
pub struct Args {}

/// Puts it back.
///
/// # Errors
/// When nothing is remembered, or GitHub refuses.
pub fn run(_args: Args, cx: &Cx) -> Result {
    let file = cx.config()?;
    let client = client::of_app(cx, &file)?;
    let state = State::of_app(cx, client.api_url(), file.need_app()?.id)?;
    let changed = cx.run(hook_url::restore(&client, &state))?.ok_or_else(|| {
        Error::new(Kind::NotFound, "no earlier webhook URL is remembered")
            .because(format!("{} names none", state.path().display()))
            .hint("pforge proxy set-url URL")
    })?;
    if cx.ui.json() {
        return cx.ui.document(&json!({ "url": changed.now, "was": changed.previous }));
    }
    cx.ui.line(&changed.now)?;
    cx.ui.status(format!("was {}", changed.previous.as_deref().unwrap_or("none")));
    Ok(())
}
