//! `pforge bakeries add`.

use serde_json::json;

use crate::cli::api::ServerFlag;
use crate::cli::cx::Cx;
use crate::cli::error::{Kind, Result};

/// Register a bakery
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Recipes name their bakery in meta.yaml. How it is reached stands in bakeries/NAME.DEPLOYMENT.yaml, which the\n\
    server reads when it starts.\n\n\
    Example:\n  pforge bakeries add local-test-bakery --region local --description 'This machine'"
)]
pub struct Args {
    #[command(flatten)]
    server: ServerFlag,
    /// Its name
    #[arg(value_name = "NAME")]
    name: String,
    /// Where it is, such as gcp.us-central1
    #[arg(long, value_name = "REGION")]
    region: String,
    /// What it is, in one line
    #[arg(long, value_name = "TEXT", default_value = "")]
    description: String,
}

/// Registers it.
///
/// # Errors
/// When there is one of this name, or the server cannot be reached or refuses.
pub fn run(args: Args, cx: &Cx) -> Result {
    let api = args.server.client(cx)?;
    let body = json!({ "name": args.name, "region": args.region, "description": args.description });
    let row = cx.run(api.post("/bakeries/", &[], Some(&body))).map_err(|error| {
        let told = error.context(format!("bakery {} was not registered", args.name));
        if told.kind == Kind::Failure { told.hint(format!("pforge bakeries show {}", args.name)) } else { told }
    })?;
    if cx.ui.json() {
        return cx.ui.document(&row);
    }
    cx.ui.status(format!("bakery {} (#{}) is registered", args.name, row["id"]));
    Ok(())
}
