//! `pforge deliveries fixture`.

use std::path::{Path, PathBuf};

use clap_complete::engine::ArgValueCompleter;
use serde_json::{Value, json};

use crate::cli::complete::Deliveries;
use crate::cli::cx::Cx;
use crate::cli::deliveries::Sources;
use crate::cli::deliveries::recorded::Recorded;
use crate::cli::deliveries::scrub::scrub;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::ui::Tone;
use crate::util::file;

/// Make a test fixture of a delivery, without anybody's names in it
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Names, texts, ids, commits, node ids and addresses are replaced, the same value by the same value\n\
    everywhere, inside addresses too. Types, events, actions, states, flags and times stay. The file is\n\
    the payload and nothing else; its name says which event it is.\n\n\
    Examples:\n  pforge deliveries fixture 8f2c1d40\n  \
    pforge deliveries fixture 8f2c1d40 -o tests/pull_request.opened.json\n  \
    pforge deliveries fixture 8f2c1d40 --keep pull_request.labels --keep comment.body"
)]
pub struct Args {
    /// Which: GUID, the beginning of one, or GitHub's number of an attempt
    #[arg(add = ArgValueCompleter::new(Deliveries), value_name = "ID", required_unless_present = "file")]
    id: Option<String>,
    /// A file with a payload instead, or with a delivery as GitHub's API tells it
    #[arg(long, value_name = "FILE", conflicts_with = "id")]
    file: Option<PathBuf>,
    /// With --file: the event that it is
    #[arg(long, value_name = "EVENT", requires = "file")]
    event: Option<String>,
    /// Where to write it, - for standard output; a folder takes EVENT.ACTION.json [default: -]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Leave this as it is, such as pull_request.labels; positions in lists may be left out
    #[arg(long, value_name = "PATH")]
    keep: Vec<String>,
    #[command(flatten)]
    sources: Sources,
}

/// Writes the scrubbed payload.
///
/// # Errors
/// When there is no such delivery, or its payload is not JSON, or the file cannot be written.
pub fn run(args: Args, cx: &Cx) -> Result {
    let event = match (&args.file, &args.id) {
        (Some(path), _) => Recorded::of_file(path, args.event.as_deref())?,
        (None, id) => {
            let id = id.as_deref().unwrap_or_default();
            cx.run(async {
                let mut log = args.sources.open(cx).await?;
                let known = log.find(id).await?;
                Recorded::of(&log, &known).await
            })?
        }
    };
    let (scrubbed, absent) = scrub(&payload(&event)?, &args.keep);
    if let Some(path) = absent.first() {
        return Err(Error::new(Kind::NotFound, format!("the payload has no {path}")));
    }
    let text = serde_json::to_string_pretty(&scrubbed).map_err(|error| Error::new(Kind::Bug, error.to_string()))?;
    let own_name = format!("{}.json", event.name());
    let target = args.output.as_deref().filter(|path| *path != Path::new("-"));
    let Some(target) = target else {
        cx.ui.line(text)?;
        cx.ui.hint(format!("-o {own_name} saves it; then: {}", replaying(Path::new(&own_name), &event)));
        return Ok(());
    };
    let target = if target.is_dir() { target.join(&own_name) } else { target.to_owned() };
    let shown = target.display().to_string();
    file::write_atomic(&target, format!("{text}\n").as_bytes())
        .map_err(|error| Error::failure(format!("cannot write {shown}")).caused_by(&error))?;
    let command = replaying(&target, &event);
    if cx.ui.json() {
        return cx
            .ui
            .document(&json!({ "file": shown, "event": event.event, "action": event.action, "replay": command }));
    }
    cx.ui.status(format!("{} {shown}", cx.ui.paint(Tone::Good, "Written:")));
    cx.ui.hint(command);
    Ok(())
}

/// The document, whatever form it came in.
fn payload(event: &Recorded) -> Result<Value> {
    let read = |text: &[u8]| serde_json::from_slice::<Value>(text).ok().filter(Value::is_object);
    let form = || url::form_urlencoded::parse(&event.body).find(|(name, _)| name == "payload");
    let found = read(&event.body).or_else(|| read(form()?.1.as_bytes()));
    found.ok_or_else(|| Error::failure(format!("the payload of {} is not JSON", event.guid)))
}

/// The command that posts the file.
fn replaying(path: &Path, event: &Recorded) -> String {
    let shown = path.display().to_string();
    let quoted = shlex::try_quote(&shown).map_or_else(|_| shown.clone(), std::borrow::Cow::into_owned);
    let mut command = format!("pforge deliveries replay --file {quoted}");
    if !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&format!("{}.", event.event))) {
        command += &format!(" --event {}", event.event);
    }
    command
}
