//! `pforge deliveries explain`.

use clap_complete::engine::ArgValueCompleter;

use crate::cli::complete::Deliveries;
use crate::cli::cx::Cx;
use crate::cli::deliveries::{Sources, Story, short};
use crate::cli::error::Result;
use crate::github::api::apps::HookDelivery;

/// Tell the life of one event, from GitHub's attempts to what its jobs did
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    pforge deliveries explain f6b3bbf0\n  \
    pforge deliveries explain 12345678901 --json")]
pub struct Args {
    /// The GUID, the beginning of it, or GitHub's number of an attempt
    #[arg(add = ArgValueCompleter::new(Deliveries), value_name = "ID")]
    id: String,
    #[command(flatten)]
    sources: Sources,
}

/// Prints the tree; with `--json` one document.
///
/// # Errors
/// When there is no such delivery, or nobody who could know it answers.
pub fn run(args: Args, cx: &Cx) -> Result {
    let story = cx.run(async {
        let mut log = args.sources.open(cx).await?;
        let known = log.find(&args.id).await?;
        Story::of(&log, known).await
    })?;
    if cx.ui.json() {
        return cx.ui.document(&story.to_json());
    }
    cx.ui.raw(&story.tree(&cx.ui).render())?;
    if !story.known.attempts.is_empty() && !story.known.attempts.iter().any(HookDelivery::is_good) {
        cx.ui.hint(format!("to have it sent again: pforge deliveries redeliver {}", short(&story.known.guid)));
    }
    Ok(())
}
