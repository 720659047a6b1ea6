//! `pforge demo`.

use serde_json::json;

use crate::cli::cx::Cx;
use crate::cli::demo::fail::Fail;
use crate::cli::demo::stage::find;
use crate::cli::demo::story::{self, Ending, Plan};
use crate::cli::env::Env;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::ui::Tone;

/// Show the life of a recipe, offline: from its pull request to a dataset
///
/// Starts a local GitHub and `pforge serve` on free ports with a temporary database, plays the people
/// who propose, test and merge a recipe, and tells each arrow of two sequence diagrams once it was
/// seen from the outside: GitHub's records and the server's API.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Needs no network, no GitHub account, no Python and no configuration. Exit code 1 when something \
    does not hold.\n\n\
    With --runner it needs pangeo-forge-runner, and what its recipe imports: pangeo-forge-recipes, xarray, zarr. \
    The packages of the virtual environment that the command is in are lent to each bake (PYTHONPATH). Each of \
    the four bakes takes a quarter of a minute.\n\n\
    Examples:\n  pforge demo\n  pforge demo --keep           # stays up: look around with a browser or curl\n  \
    pforge demo --json           # one JSON document per arrow\n  \
    pforge demo --fail crash     # the server is killed (-9) while it creates the feedstock\n  \
    pforge demo --runner pangeo-forge-runner    # runs the recipes for real"
)]
pub struct Args {
    /// Stay up after the story and print the addresses; Ctrl-C ends
    #[arg(long)]
    keep: bool,
    /// Let something go wrong
    #[arg(long, value_enum, value_name = "WHAT")]
    fail: Option<Fail>,
    /// Run the recipes by this command instead of a stand-in
    #[arg(long, value_name = "COMMAND")]
    runner: Option<String>,
}

/// Plays the story.
///
/// # Errors
/// When something does not hold.
pub fn run(args: Args, cx: &Cx) -> Result {
    let plan = Plan { fail: args.fail, runner: args.runner.as_deref().map(|line| command(line, &cx.env)).transpose()? };
    cx.run_to_end(async {
        let folder = tempfile::tempdir()?;
        let ending = tokio::select! {
            played = story::play(&cx.ui, &cx.env, folder.path(), &plan) => played?,
            () = cx.shutdown.cancelled() => return Err(Error::new(Kind::Interrupted, "interrupted")),
        };
        if args.keep {
            stay(cx, &ending)?;
            cx.shutdown.cancelled().await;
        }
        ending.end().await
    })
}

/// The words of a command line, whose program is there.
fn command(line: &str, env: &Env) -> Result<Vec<String>> {
    let words = shlex::split(line).unwrap_or_default();
    let Some(program) = words.first() else {
        return Err(Error::usage(format!("--runner {line:?} is not a command"))
            .hint("pforge demo --runner pangeo-forge-runner"));
    };
    if find(program, env).is_none() {
        return Err(Error::usage(format!("--runner {program} is not there or not in the PATH"))
            .hint("pip install pangeo-forge-runner pangeo-forge-recipes"));
    }
    Ok(words)
}

/// Says where everything is.
fn stay(cx: &Cx, ending: &Ending) -> Result {
    let (server, github) = (&ending.scene.server.url, &ending.github.url);
    let key = ending.scene.site.api_key.expose();
    let data = ending.scene.site.data();
    if cx.ui.json() {
        return cx.ui.event(&json!({
            "type": "ready", "url": server, "github": github, "api_key": key, "docs": format!("{server}/docs"),
            "data": data,
        }));
    }
    let link = |url: String| cx.ui.paint_out(Tone::Link, &url);
    cx.ui.line("")?;
    cx.ui.line(format!("  server    {}", link(format!("{server}/docs"))))?;
    cx.ui.line(format!("  github    {}", link(format!("{github}/_emulator"))))?;
    cx.ui.line(format!("  datasets  {}", data.display()))?;
    // The key of a server that lives as long as this command and listens on loopback only.
    cx.ui.line(format!("  look      curl -H 'X-API-Key: {key}' {server}/deliveries"))?;
    cx.ui.line(format!("            PANGEO_FORGE_API_KEY={key} pforge jobs list --server {server}"))?;
    cx.ui.status("Ctrl-C ends the demo; nothing of it stays.");
    Ok(())
}
