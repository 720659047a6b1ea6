//! `pforge runs retry`.

use clap_complete::engine::ArgValueCompleter;
use serde_json::json;

use crate::cli::api::ServerFlag;
use crate::cli::complete::Runs;
use crate::cli::cx::Cx;
use crate::cli::error::{Kind, Result};
use crate::cli::runs;
use crate::cli::runs::watch::{self, Watched};

/// Run recipes again, or for the first time
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A run is one recipe at one commit: what is run again is the same code. A run that is not over is refused.\n\n\
    Exit codes: 1 one was refused, or, with --watch, did not succeed.\n\n\
    Examples:\n  pforge runs retry 7\n  pforge runs retry 7 8 --watch"
)]
pub struct Args {
    #[command(flatten)]
    server: ServerFlag,
    /// The runs
    #[arg(value_name = "ID", required = true, add = ArgValueCompleter::new(Runs))]
    ids: Vec<i64>,
    /// Watch them until they end
    #[arg(short, long)]
    watch: bool,
}

/// Asks for them; stops at the first that is refused.
///
/// # Errors
/// When there is no such run, it is not over, the server cannot be reached, or one that is watched
/// does not succeed.
pub fn run(args: Args, cx: &Cx) -> Result {
    let api = args.server.client(cx)?;
    cx.run(async {
        let (mut watched, mut answers) = (Vec::new(), Vec::new());
        for id in args.ids {
            let attempts = runs::attempts(&api, id).await?;
            let before = attempts.last().and_then(|attempt| attempt["number"].as_i64()).unwrap_or_default();
            let answer = api.post(&format!("/recipe_runs/{id}/retry"), &[], None::<&()>).await.map_err(|error| {
                let told = error.context(format!("run {id} was not asked for"));
                match told.kind {
                    Kind::NotFound => told.hint("pforge runs list"),
                    Kind::Failure => told.hint(format!("pforge runs watch {id}")),
                    _ => told,
                }
            })?;
            if !cx.ui.json() {
                cx.ui.status(format!("Run {id} is asked for."));
            }
            watched.push(Watched { id, asked: Some(before) });
            answers.push(json!({ "run": id, "before": before, "answer": answer }));
        }
        match (args.watch, cx.ui.json()) {
            (true, _) => watch::watch(cx, &api, watched).await,
            (false, true) => cx.ui.document(&json!({ "items": answers })),
            (false, false) => {
                let ids: Vec<String> = watched.iter().map(|watched| watched.id.to_string()).collect();
                cx.ui.hint(format!("pforge runs watch {}", ids.join(" ")));
                Ok(())
            }
        }
    })
}
