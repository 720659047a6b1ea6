//! `pforge deliveries diff`.

use serde_json::{Value, json};

use crate::cli::cx::Cx;
use crate::cli::deliveries::{Change, Sources, Story, diff, short};
use crate::cli::error::{Error, Result};
use crate::cli::ui::{Tone, Ui};
use crate::util::text::{plural, truncate};

/// Characters of a value on a line.
const VALUE: usize = 80;

/// Compare the payloads of two deliveries, path by path
///
/// The order of keys does not matter. The exit code is 0 when they are the same and 1 when not.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    pforge deliveries diff f6b3bbf0 dfdabc30\n  \
    pforge deliveries diff f6b3bbf0 dfdabc30 --headers --json")]
pub struct Args {
    /// The one: GUID, the beginning of it, or GitHub's number of an attempt
    #[arg(value_name = "A")]
    a: String,
    /// The other
    #[arg(value_name = "B")]
    b: String,
    /// Compare the headers of the requests as well
    #[arg(long)]
    headers: bool,
    #[command(flatten)]
    sources: Sources,
}

/// Prints the differences; with `--json` `{"same": …, "payload": […]}`.
///
/// # Errors
/// When one cannot be found; [`Error::told`] with 1 when they differ.
pub fn run(args: Args, cx: &Cx) -> Result {
    let ((a, b), payload, headers) = cx.run(async {
        let mut log = args.sources.open(cx).await?;
        let (a, b) = (log.find(&args.a).await?, log.find(&args.b).await?);
        let payload = diff(&log.payload(&a).await?.document(), &log.payload(&b).await?.document());
        let guids = (a.guid.clone(), b.guid.clone());
        let headers = if args.headers {
            let (a, b) = (Story::of(&log, a).await?, Story::of(&log, b).await?);
            Some(diff(&Value::Object(a.headers()), &Value::Object(b.headers())))
        } else {
            None
        };
        Ok((guids, payload, headers))
    })?;
    let count = payload.len() + headers.as_ref().map_or(0, Vec::len);
    if cx.ui.json() {
        let mut told = json!({ "a": a, "b": b, "same": count == 0, "payload": payload });
        if let Some(headers) = headers {
            told["headers"] = json!(headers);
        }
        cx.ui.document(&told)?;
    } else {
        for change in &payload {
            cx.ui.line(line(&cx.ui, change))?;
        }
        for change in headers.iter().flatten() {
            cx.ui.line(format!("header {}", line(&cx.ui, change)))?;
        }
        let (a, b) = (short(&a), short(&b));
        cx.ui.status(match count {
            0 => format!("{a} and {b} are the same."),
            _ => format!("{a} → {b}: {}.", plural(count as u64, "difference")),
        });
    }
    if count == 0 { Ok(()) } else { Err(Error::told(1)) }
}

fn line(ui: &Ui, change: &Change) -> String {
    let shown = |value: &Value| truncate(&value.to_string(), VALUE);
    let path = if change.path.is_empty() { "(all)" } else { &change.path };
    match (&change.old, &change.new) {
        (Some(old), Some(new)) => {
            format!("{} {path}  {} → {}", ui.paint_out(Tone::Warn, "~"), shown(old), shown(new))
        }
        (Some(old), None) => format!("{} {path}  {}", ui.paint_out(Tone::Bad, "-"), shown(old)),
        (_, new) => {
            let new = new.as_ref().map(shown).unwrap_or_default();
            format!("{} {path}  {new}", ui.paint_out(Tone::Good, "+"))
        }
    }
}
