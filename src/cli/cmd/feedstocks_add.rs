//! `pforge feedstocks add`.

use serde_json::json;

use super::init_db::spec;
use crate::cli::api::ServerFlag;
use crate::cli::cx::Cx;
use crate::cli::error::{Kind, Result};

/// Register a feedstock
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Feedstocks of merged recipes register themselves; this is for the repository of staged recipes, and for\n\
    feedstocks that came into being elsewhere. The App has to be installed there.\n\n\
    Example:\n  pforge feedstocks add pangeo-forge/staged-recipes"
)]
pub struct Args {
    #[command(flatten)]
    server: ServerFlag,
    /// Its repository
    #[arg(value_name = "OWNER/REPO", value_parser = spec)]
    spec: String,
}

/// Registers it.
///
/// # Errors
/// When it is registered, or the server cannot be reached or refuses.
pub fn run(args: Args, cx: &Cx) -> Result {
    let api = args.server.client(cx)?;
    let body = json!({ "spec": args.spec });
    let row = cx.run(api.post("/feedstocks/", &[], Some(&body))).map_err(|error| {
        let told = error.context(format!("feedstock {} was not registered", args.spec));
        if told.kind == Kind::Failure { told.hint(format!("pforge feedstocks show {}", args.spec)) } else { told }
    })?;
    if cx.ui.json() {
        return cx.ui.document(&row);
    }
    cx.ui.status(format!("feedstock {} (#{}) is registered", args.spec, row["id"]));
    Ok(())
}
