//! `pforge demo`.

use serde_json::json;

use crate::cli::cx::Cx;
use crate::cli::demo::story::{self, Ending};
use crate::cli::error::{Error, Result};
use crate::cli::ui::Tone;

/// Show the path of a delivery, offline, from webhook to check run
///
/// Starts a local GitHub and the server on free ports with a temporary database, plays a person
/// who opens a pull request, and checks every step that it tells.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Needs no network, no GitHub account and no configuration. Exit code 1 when a step does not hold.\n\n\
    Examples:\n  pforge demo\n  pforge demo --keep    # stays up: look around with a browser or curl\n  \
    pforge demo --json    # one JSON document per step"
)]
pub struct Args {
    /// Stay up after the story and print the addresses; Ctrl-C ends
    #[arg(long)]
    keep: bool,
}

/// Plays the story.
///
/// # Errors
/// When a step does not hold.
pub fn run(args: Args, cx: &Cx) -> Result {
    cx.run_to_end(async {
        let folder = tempfile::tempdir()?;
        let scene = tokio::select! {
            played = story::play(&cx.ui, folder.path()) => played?,
            () = cx.shutdown.cancelled() => return Err(Error::new(crate::cli::error::Kind::Interrupted, "interrupted")),
        };
        if args.keep {
            stay(cx, &scene)?;
            cx.shutdown.cancelled().await;
        }
        scene.end().await
    })
}

/// Says where everything is.
fn stay(cx: &Cx, scene: &Ending) -> Result {
    let key = scene.api_key.expose();
    if cx.ui.json() {
        return cx.ui.event(&json!({
            "type": "ready", "url": scene.server.url, "github": scene.github.url, "api_key": key,
            "docs": format!("{}/docs", scene.server.url),
        }));
    }
    let link = |url: String| cx.ui.paint_out(Tone::Link, &url);
    cx.ui.line("")?;
    cx.ui.line(format!("  server    {}", link(format!("{}/docs", scene.server.url))))?;
    cx.ui.line(format!("  github    {}", link(format!("{}/_emulator", scene.github.url))))?;
    // The key of a server that lives as long as this command and listens on loopback only.
    cx.ui.line(format!("  look      curl -H 'X-API-Key: {key}' {}/deliveries", scene.server.url))?;
    cx.ui.line(format!("            PANGEO_FORGE_API_KEY={key} pforge jobs list --server {}", scene.server.url))?;
    cx.ui.status("Ctrl-C ends the demo; nothing of it stays.");
    Ok(())
}
