//! `pforge runs watch`.

use clap_complete::engine::ArgValueCompleter;

use crate::cli::api::ServerFlag;
use crate::cli::complete::Runs;
use crate::cli::cx::Cx;
use crate::cli::error::Result;
use crate::cli::runs::watch::{self, Watched};

/// Watch runs until they end
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Without IDs: every run that somebody has asked for and that is not over. On a terminal what is going on is\n\
    shown below; each change is one line.\n\n\
    Exit codes: 0 all of them succeeded; 1 one of them did not.\n\n\
    Examples:\n  \
    pforge runs watch\n  \
    pforge runs watch 7 8 && echo both are built\n  \
    pforge runs watch 7 --json   # {\"type\":\"ready\",…}, {\"type\":\"run\",…}, {\"type\":\"end\",…}"
)]
pub struct Args {
    #[command(flatten)]
    server: ServerFlag,
    /// The runs
    #[arg(value_name = "ID", add = ArgValueCompleter::new(Runs))]
    ids: Vec<i64>,
}

/// Watches.
///
/// # Errors
/// When one did not succeed, there is no such run, or the server stays away.
pub fn run(args: Args, cx: &Cx) -> Result {
    let api = args.server.client(cx)?;
    cx.run(async {
        let mut ids = args.ids;
        ids.sort_unstable();
        ids.dedup();
        let watched = if ids.is_empty() {
            watch::open(&api).await?
        } else {
            ids.into_iter().map(|id| Watched { id, asked: None }).collect()
        };
        if watched.is_empty() && !cx.ui.json() {
            cx.ui.status("No run is going on.");
            return Ok(());
        }
        watch::watch(cx, &api, watched).await
    })
}
