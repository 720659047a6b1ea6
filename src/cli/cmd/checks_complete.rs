//! `pforge checks complete`.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::cli::checks::{self, Named};
use crate::cli::client;
use crate::cli::cx::Cx;
use crate::cli::error::{Error, Result};
use crate::github::api::checks::{CONCLUSIONS, Finish, Output};

/// More runs than this are not ended without a question.
const MANY: usize = 10;

/// End check runs that nobody else can end
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    pforge checks complete 9 --conclusion success\n  \
    pforge checks complete https://github.com/alice/mock/runs/9 --conclusion neutral --title 'Skipped by hand'\n  \
    pforge checks list --repo alice/mock --json | jq -r '.[].id' | xargs pforge checks complete --yes")]
pub struct Args {
    /// The runs: ids, or addresses of their pages
    #[arg(value_name = "ID", required = true)]
    runs: Vec<Named>,
    /// Where the runs are; looked for in all repositories of the App when left out
    #[arg(short = 'R', long, value_name = "OWNER/REPO")]
    repo: Option<String>,
    /// success, failure, neutral, cancelled, skipped, timed_out, action_required
    #[arg(long, value_name = "CONCLUSION", default_value = "success", value_parser = CONCLUSIONS, hide_possible_values = true)]
    conclusion: String,
    /// One line about it [default: what the run shows now stays]
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// More about it, in Markdown
    #[arg(long, value_name = "TEXT")]
    summary: Option<String>,
    /// Add the annotations in this file: a JSON list in GitHub's form
    #[arg(long, value_name = "FILE")]
    annotations: Option<PathBuf>,
    /// Only tell what would be done
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// Ends the runs and prints their pages; with `--json` an array of them.
///
/// # Errors
/// When one cannot be found or ended.
pub fn run(args: Args, cx: &Cx) -> Result {
    let client = client::of_app(cx, &*cx.config()?)?;
    let annotations = args.annotations.as_deref().map(read_annotations).transpose()?.unwrap_or_default();
    let output = match (&args.title, &args.summary) {
        (None, None) if annotations.is_empty() => None,
        (title, summary) => Some(Output {
            title: title.clone().unwrap_or_else(|| "Ended by hand".to_owned()),
            summary: summary.clone().unwrap_or_default(),
            text: None,
        }),
    };
    cx.run(async {
        let found = checks::by_name(cx, &client, &args.runs, args.repo.as_deref()).await?;
        if args.dry_run {
            return super::checks_cancel::rehearse(cx, &found, &args.conclusion);
        }
        if found.len() > MANY && !args.yes {
            let question = format!("End {} check runs as {}?", found.len(), args.conclusion);
            if !cx.ui.confirm(&question, "--yes")? {
                return Ok(());
            }
        }
        let end = |_: &_| Finish {
            conclusion: args.conclusion.clone(),
            completed_at: cx.clock.now(),
            output: output.clone(),
            annotations: annotations.clone(),
        };
        checks::finish(cx, &client, &found, end).await
    })
}

fn read_annotations(path: &std::path::Path) -> Result<Vec<Value>> {
    let named = path.display();
    let bytes = fs::read(path).map_err(|error| Error::failure(format!("cannot read {named}")).caused_by(&error))?;
    serde_json::from_slice(&bytes).map_err(|error| {
        Error::failure(format!("{named} is no list of annotations")).caused_by(&error).because(
            r#"[{"path": "a.py", "start_line": 1, "end_line": 1, "annotation_level": "notice", "message": "…"}]"#,
        )
    })
}
