//! `pforge secrets set`.

use std::path::PathBuf;

use serde_json::json;

use crate::cli::cx::Cx;
use crate::cli::error::{Error, Result};
use crate::cli::secrets::file::{self, Document, FileFlag};
use crate::cli::secrets::recipients::shown;
use crate::cli::secrets::value::{self, Type};
use crate::secrets::{MacPolicy, Selector, Text};

/// Change or add one value; nothing else in the file changes
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The value is a text. Where a number, true or false stands already, it must be one as well; --type says \
    otherwise. A single line loses the line break at its end; a text of several lines, such as a key, keeps it. \
    Sections that are missing on the way are made. A file that is not encrypted is changed in the same way.\n\n\
    Examples:\n  \
    pforge secrets set github_app.webhook_secret --stdin < secret.txt\n  \
    pforge secrets set github_app.private_key --from-file app.pem\n  \
    pforge secrets set server.workers 8 --type int\n  \
    pforge secrets set recipes.run_only_on '[\"dev\"]' --type json"
)]
pub struct Args {
    /// Where it stands: github_app.id, hosts[0], or ["github_app"]["id"]
    #[arg(value_name = "PATH")]
    path: Selector,
    /// The value; others on this machine can see it here, so a secret belongs into --stdin
    #[arg(value_name = "VALUE", allow_hyphen_values = true, conflicts_with_all = ["stdin", "from_file"])]
    value: Option<String>,
    /// Read the value from standard input
    #[arg(long, conflicts_with = "from_file")]
    stdin: bool,
    /// Read the value from a file
    #[arg(long, value_name = "FILE")]
    from_file: Option<PathBuf>,
    /// Keep the line break at the end of a single line
    #[arg(long)]
    exact: bool,
    /// What it is: text, int, float, bool, null, json
    #[arg(short = 't', long = "type", value_name = "TYPE", value_enum, hide_possible_values = true)]
    kind: Option<Type>,
    #[command(flatten)]
    file: FileFlag,
}

/// Puts the value in its place and writes the file, unless it is there already.
///
/// # Errors
/// When the file does not open, the value is not of its type, or the path leads through a value.
pub fn run(args: Args, cx: &Cx) -> Result {
    let path = args.file.path(cx)?;
    let document = Document::load(cx, &path, None, MacPolicy::Verify)?;
    let place = args.path.to_string();
    let now = args.path.get(document.tree()).ok();
    let text = if args.kind == Some(Type::Null) && args.value.is_none() && !args.stdin && args.from_file.is_none() {
        Text::default()
    } else {
        text(&args, cx, &place)?
    };
    let node = value::node(&place, text, args.kind, now)?;
    let existed = now.is_some();
    let mut tree = document.tree().clone();
    args.path.set(&mut tree, node).map_err(|error| file::about(&path, &error))?;
    let changed = document.save(cx, &tree)?;
    let file = shown(&path);
    if cx.ui.json() {
        return cx
            .ui
            .document(&json!({ "file": file, "path": place, "changed": changed, "added": changed && !existed }));
    }
    cx.ui.status(match (changed, existed) {
        (false, _) => format!("{file}: {place} is that already"),
        (true, true) => format!("{file}: {place} is changed"),
        (true, false) => format!("{file}: {place} is added"),
    });
    let secret = document.is_encrypted() && now.is_none_or(|node| node.sealed.is_some());
    if changed && secret && args.value.is_some() && args.kind.is_none_or(|kind| kind == Type::Text) {
        cx.ui.hint("a value on the command line is seen by other programs and kept by the shell; --stdin is not");
    }
    Ok(())
}

fn text(args: &Args, cx: &Cx, place: &str) -> Result<Text> {
    let bytes = match (&args.value, &args.from_file) {
        (Some(value), _) => return Ok(Text::from(value.as_str())),
        (None, Some(path)) => file::read(path)?,
        (None, None) if args.stdin => file::read_stdin()?,
        (None, None) if cx.ui.interactive() => {
            return rpassword::prompt_password(format!("{place} (not shown): ")).map(Text::from).map_err(Error::from);
        }
        (None, None) => {
            return Err(Error::usage(format!("no value for {place}"))
                .because("give it as VALUE, or with --stdin or --from-file FILE"));
        }
    };
    Ok(if args.exact { bytes } else { value::without_line_break(bytes) }.into())
}
