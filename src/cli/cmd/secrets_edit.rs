//! `pforge secrets edit`.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::cli::cx::Cx;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::secrets::draft::{self, Subject};
use crate::cli::secrets::editor::{self, Draft};
use crate::cli::secrets::file;
use crate::cli::secrets::recipients::{RecipientFlags, shown};
use crate::cli::secrets::rejected::Rejected;
use crate::cli::secrets::rules::RuleFlags;
use crate::secrets::{Format, MacPolicy, Selector, Text};

/// Edit an encrypted file, or one value of it, in your editor
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The editor is SOPS_EDITOR, VISUAL or EDITOR, else vim, nano or vi. It works on a copy that you alone can read, in \
    memory where the machine can, and that is gone afterwards. Only what you change is encrypted anew.\n\n\
    A text that cannot be saved is never lost: the editor opens again, or the text is kept beside FILE, encrypted \
    for the same people, and --resume takes it up. A file that does not exist begins with an example.\n\n\
    Examples:\n  \
    pforge secrets edit\n  \
    pforge secrets edit secrets/config.pforge-local-me.yaml github_app.private_key\n  \
    EDITOR='code --wait' pforge secrets edit secrets/prod.env"
)]
pub struct Args {
    /// The file [default: the deployment's secrets/config.<app>.yaml]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Only what stands here: github_app.private_key, hosts[0], or ["github_app"]["id"]
    #[arg(value_name = "PATH")]
    path: Option<Selector>,
    /// Take up the text that could not be saved the last time
    #[arg(long)]
    resume: bool,
    /// Open the file although its integrity check fails; saving it makes a new one
    #[arg(long)]
    ignore_mac: bool,
    #[command(flatten)]
    recipients: RecipientFlags,
    #[command(flatten)]
    rules: RuleFlags,
}

/// Opens the editor, and writes what changed.
///
/// # Errors
/// When the file does not open, the editor fails, or the text cannot be saved; it is then kept.
pub fn run(args: Args, cx: &Cx) -> Result {
    let path = file::default_path(cx, args.file.as_deref())?;
    let subject = if path.exists() {
        let mac = if args.ignore_mac { MacPolicy::Report } else { MacPolicy::Verify };
        Subject::open(cx, &path, args.path.clone(), mac)?
    } else if let Some(place) = &args.path {
        return Err(file::read(&path).err().unwrap_or_else(|| Error::usage(format!("there is no {place}"))));
    } else if Format::of(&path) == Format::Binary {
        return Err(no_file(cx, &path));
    } else {
        Subject::create(cx, &path, &args.recipients, &args.rules)?
    };
    let rejected = Rejected::of(&path, args.path.as_ref());
    let text = if args.resume { rejected.read(cx)? } else { subject.text()? };
    if !args.resume && rejected.exists() {
        cx.ui.warn(format!("{} holds a text that could not be saved; --resume takes it up", shown(rejected.path())));
    }
    let draft = Draft::new(&cx.env, &subject.name(), &text)?;
    let written = loop {
        let edited = draft.edit(cx)?;
        if let Some(error) = edited.failed {
            return Err(if edited.text == text {
                error
            } else {
                kept(cx, &subject, &rejected, draft, &edited.text, error, args.path.as_ref())
            });
        }
        if edited.text == text && !args.resume {
            tell_unchanged(cx, &path, edited.at_once);
            break false;
        }
        match subject.save(cx, &edited.text) {
            Ok(true) => break true,
            Ok(false) => {
                tell_unchanged(cx, &path, false);
                break false;
            }
            Err(draft::Refused { error, again: true }) if cx.ui.interactive() => {
                cx.ui.error(&error);
                if !editor::ask(cx, "Open the editor again? Otherwise the text is kept.") {
                    let error = Error::new(error.kind, format!("{} is not saved", shown(&path)));
                    return Err(kept(cx, &subject, &rejected, draft, &edited.text, error, args.path.as_ref()));
                }
            }
            Err(draft::Refused { error, .. }) => {
                return Err(kept(cx, &subject, &rejected, draft, &edited.text, error, args.path.as_ref()));
            }
        }
    };
    if args.resume {
        rejected.remove()?;
    }
    if cx.ui.json() {
        return cx.ui.document(&json!({ "file": shown(&path), "changed": written }));
    }
    if written {
        cx.ui.status(format!("{}: saved", shown(&path)));
    }
    Ok(())
}

/// A new file tells its format by its name; another word is most likely the place of a value.
fn no_file(cx: &Cx, path: &Path) -> Error {
    let word = shown(path);
    let told = Error::new(Kind::NotFound, format!("there is no file {word}"))
        .because("a new file is one of YAML, JSON, dotenv or INI, by its name");
    match file::default_path(cx, None) {
        Ok(config) => told.hint(format!("pforge secrets edit {} {word}", shown(&config))),
        Err(_) => told,
    }
}

fn tell_unchanged(cx: &Cx, path: &Path, at_once: bool) {
    cx.ui.status(format!("{}: unchanged, nothing is written", shown(path)));
    if at_once {
        cx.ui.warn("the editor was back at once, before anybody could type: one with windows must be told to wait");
        cx.ui.hint("export EDITOR='code --wait'");
    }
}

/// The error, with what became of the text.
fn kept(
    cx: &Cx,
    subject: &Subject,
    rejected: &Rejected,
    draft: Draft,
    text: &Text,
    error: Error,
    place: Option<&Selector>,
) -> Error {
    match rejected.write(cx, subject.recipients(), text) {
        Ok(()) => {
            let place = place.map_or_else(String::new, |place| format!(" '{place}'"));
            error
                .because(format!("your text is kept, encrypted for the same people, in {}", shown(rejected.path())))
                .hint(format!("pforge secrets edit {}{place} --resume", shown(subject.path())))
        }
        // Better a plaintext that only the user can read than none.
        Err(why) => error
            .because(format!("your text could not be kept encrypted: {}", why.message))
            .because(format!("it is in {}, in clear: take it from there and remove it", draft.keep().display())),
    }
}
