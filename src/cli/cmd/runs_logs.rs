//! `pforge runs logs`.

use clap_complete::engine::ArgValueCompleter;
use serde_json::json;

use crate::cli::api::ServerFlag;
use crate::cli::complete::Runs;
use crate::cli::cx::Cx;
use crate::cli::error::Result;
use crate::cli::runs::logs::{Log, attempt};
use crate::cli::runs::{state, tone};

/// Print what the runner wrote
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The server takes out what it knows to be secret, and shows nothing in which it finds a secret that it does not\n\
    know. With -f the command ends when the attempt ends, with exit code 0 whatever the end was; a server that\n\
    restarts meanwhile is waited for.\n\n\
    Examples:\n  \
    pforge runs logs 7 -f\n  \
    pforge runs logs 7 --attempt 1 > first.log\n  \
    pforge runs logs 7 -f --json   # {\"type\":\"ready\",…}, {\"type\":\"log\",\"text\":…}, {\"type\":\"end\",…}"
)]
pub struct Args {
    #[command(flatten)]
    server: ServerFlag,
    /// The run
    #[arg(value_name = "ID", add = ArgValueCompleter::new(Runs))]
    id: i64,
    /// Which attempt at it [default: the newest]
    #[arg(long, value_name = "N")]
    attempt: Option<i64>,
    /// Go on until the attempt is over
    #[arg(short, long)]
    follow: bool,
}

/// Prints the log.
///
/// # Errors
/// When there is no such run or attempt, or the server cannot be reached or refuses to show it.
pub fn run(args: Args, cx: &Cx) -> Result {
    let api = args.server.client(cx)?;
    cx.run(async {
        let found = attempt(&api, args.id, args.attempt).await?;
        let number = found["number"].as_i64().unwrap_or_default();
        if cx.ui.json() {
            cx.ui.event(&json!({ "type": "ready", "run": args.id, "attempt": number }))?;
        }
        let mut log = Log::new(cx, &api, args.id, number);
        let ended = if args.follow {
            log.follow().await?
        } else {
            log.print().await?;
            found
        };
        if cx.ui.json() {
            return cx
                .ui
                .event(&json!({ "type": "end", "conclusion": ended["conclusion"], "reason": ended["reason"] }));
        }
        if args.follow {
            let state = cx.ui.paint(tone(state(&ended)), state(&ended));
            cx.ui.status(format!("attempt {number} at run {} ended: {state}", args.id));
        } else if ended["conclusion"].is_null() {
            cx.ui.hint(format!("it is not over: pforge runs logs {} -f", args.id));
        }
        Ok(())
    })
}
