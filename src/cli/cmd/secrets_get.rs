//! `pforge secrets get`.

use std::io::IsTerminal;
use std::time::Duration;

use crate::cli::cx::Cx;
use crate::cli::duration;
use crate::cli::error::{Error, Result};
use crate::cli::secrets::clipboard;
use crate::cli::secrets::file::{self, Document, FileFlag};
use crate::cli::secrets::recipients::shown;
use crate::secrets::tree::{Map, Node, Scalar, Value};
use crate::secrets::{Error as SecretsError, Format, MacPolicy, Selector, Style, Text, Tree};
use crate::util::Secret;

/// Show one value
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A text is printed as it is, without a line break when the output goes to a file or a program; a section \
    is printed as YAML. Works on files that are not encrypted, too.\n\n\
    Examples:\n  \
    pforge secrets get github_app.webhook_secret --copy\n  \
    pforge secrets get github_app.private_key > app.pem\n  \
    pforge secrets get -f secrets/prod.env DATABASE_URL\n  \
    pforge secrets get '[\"a.b\"][\"c\"][0]' --json"
)]
pub struct Args {
    /// Where it stands: github_app.id, hosts[0], or ["github_app"]["id"]
    #[arg(value_name = "PATH")]
    path: Selector,
    #[command(flatten)]
    file: FileFlag,
    /// Put it on the clipboard instead; tell its fingerprint only
    #[arg(long, conflicts_with = "json")]
    copy: bool,
    /// When the clipboard is cleared again; 0s never does
    #[arg(long, value_name = "TIME", default_value = "45s", value_parser = duration::argument, requires = "copy")]
    clear_after: Duration,
}

/// Prints the value, or copies it.
///
/// # Errors
/// When there is no such value, or the file does not open.
pub fn run(args: Args, cx: &Cx) -> Result {
    let path = args.file.path(cx)?;
    let document = Document::load(cx, &path, None, MacPolicy::Verify)?;
    let about = |error: SecretsError| file::about(&path, &error);
    let node = args.path.get(document.tree()).map_err(about)?;
    if cx.ui.json() {
        if matches!(&node.value, Value::Scalar(Scalar::Text(text)) if text.expose_str().is_none()) {
            return Err(Error::failure("it is no text, which JSON cannot hold"));
        }
        let mut report = Map::default();
        report.push("file", Node::text(shown(&path)));
        report.push("path", Node::text(args.path.to_string()));
        report.push("value", node.clone());
        let text = Format::Json.write_plain(&Tree { documents: vec![report] }, Style { indent: Some(2) });
        return cx.ui.bytes(text.map_err(about)?.expose());
    }
    let text = document.format.write_value(node, Style::default()).map_err(about)?;
    if args.copy {
        return copy(cx, &text, args.clear_after);
    }
    cx.ui.bytes(text.expose())?;
    let unended = !text.expose().ends_with(b"\n");
    if unended && std::io::stdout().is_terminal() { cx.ui.raw("\n") } else { Ok(()) }
}

fn copy(cx: &Cx, value: &Text, clear_after: Duration) -> Result {
    let value = value.expose_str().ok_or_else(|| Error::failure("it is no text: a clipboard cannot hold it"))?;
    let secret = Secret::new(value);
    let clipboard = clipboard::find(&cx.env)?;
    clipboard.put(cx, &secret)?;
    cx.ui.status(format!("Copied {} through {}.", secret.fingerprint(), clipboard.name()));
    if clear_after.is_zero() {
        return Ok(());
    }
    cx.ui.status(format!("Cleared in {clear_after:?}, or now with Ctrl-C."));
    cx.run_to_end(async {
        tokio::select! {
            () = tokio::time::sleep(clear_after) => {}
            () = cx.shutdown.cancelled() => {}
        }
        Ok(())
    })?;
    if clipboard.clear(cx, &secret)? {
        cx.ui.status("The clipboard is cleared.");
    } else {
        cx.ui.status("The clipboard holds something else by now; it is left alone.");
    }
    Ok(())
}
