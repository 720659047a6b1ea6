//! `pforge secrets install-hooks`.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::cli::cx::Cx;
use crate::cli::error::Result;
use crate::cli::secrets::hooks::{Block, Mode, PreCommit, Repository, State, Step, drivers, program};
use crate::cli::secrets::recipients::LIST;
use crate::cli::ui::Tone;

/// Guard a git repository: refuse secrets in clear, diff and merge encrypted files by key
#[derive(Debug, clap::Args)]
#[command(after_help = "Puts in place, each once:\n  \
    a pre-commit hook that runs `pforge secrets check --staged`; one that was there runs after it\n  \
    lines in .gitattributes, and in git's config the drivers that they name (every clone needs its own)\n  \
    a line in .prettierignore: formatters and encrypted files do not get along\n\n\
    Examples:\n  \
    pforge secrets install-hooks\n  \
    pforge secrets install-hooks --dry-run\n  \
    pforge secrets install-hooks --repo ../other --uninstall")]
pub struct Args {
    /// The repository [default: that of the working directory]
    #[arg(long, value_name = "DIR")]
    repo: Option<PathBuf>,
    /// Tell what would be done
    #[arg(long)]
    dry_run: bool,
    /// Take everything out again
    #[arg(long)]
    uninstall: bool,
}

/// The ends of names of documents that are merged key by key.
const DOCUMENTS: [&str; 5] = ["yaml", "yml", "json", "env", "ini"];

/// Puts everything in place.
///
/// # Errors
/// When there is no repository, or a file cannot be written.
pub fn run(args: Args, cx: &Cx) -> Result {
    let repository = Repository::at(args.repo.as_deref().unwrap_or(Path::new(".")))?;
    let mode = Mode { uninstall: args.uninstall, dry_run: args.dry_run };
    let program = program(&cx.env)?;
    let folder = folder(cx, &repository);
    let mut steps = vec![PreCommit::of(&repository).apply(&program, mode)?];
    steps.extend(drivers(&repository, &program, mode)?);
    for block in blocks(&folder) {
        steps.push(block.apply(&repository, mode)?);
    }
    tell(cx, &repository, mode, &steps)
}

fn tell(cx: &Cx, repository: &Repository, mode: Mode, steps: &[Step]) -> Result {
    if cx.ui.json() {
        let step = |step: &Step| json!({ "place": step.place, "state": step.state.name(), "purpose": step.purpose, "detail": step.state.detail() });
        return cx.ui.document(&json!({
            "repository": repository.top.display().to_string(),
            "dry_run": mode.dry_run,
            "steps": steps.iter().map(step).collect::<Vec<_>>(),
        }));
    }
    let wide = steps.iter().map(|step| step.place.len()).max().unwrap_or_default();
    for step in steps {
        let (state, purpose) = (format!("{:<9}", step.state.name()), cx.ui.paint(Tone::Dim, step.purpose));
        let state = match step.state {
            State::Unchanged => cx.ui.paint(Tone::Dim, &state),
            State::Left(_) => cx.ui.paint(Tone::Warn, &state),
            _ => cx.ui.paint(Tone::Good, &state),
        };
        cx.ui.status(format!("{state}  {:<wide$}  {purpose}", step.place));
        if let Some(detail) = step.state.detail() {
            cx.ui.warn(format!("{}: {detail}", step.place));
        }
    }
    if mode.dry_run {
        cx.ui.status("Nothing was written: this was a dry run.");
    } else {
        let changed =
            |step: &&Step| step.place.starts_with('.') && matches!(step.state, State::Written | State::Removed);
        let shared = |step: &&Step| changed(step) && !step.place.contains('/');
        let files: Vec<&str> = steps.iter().filter(shared).map(|step| step.place.as_str()).collect();
        if !files.is_empty() {
            cx.ui.hint(format!("git add {}", files.join(" ")));
        }
    }
    Ok(())
}

/// The folder of the secrets, from the top of the work tree, as git writes paths.
fn folder(cx: &Cx, repository: &Repository) -> String {
    let real = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let root = real(&cx.settings.root.value);
    let below = root.strip_prefix(real(&repository.top)).map(Path::to_path_buf).unwrap_or_default();
    let parts: Vec<String> = below.iter().map(|part| part.to_string_lossy().into_owned() + "/").collect();
    format!("{}secrets/", parts.concat())
}

fn blocks(folder: &str) -> [Block; 2] {
    let mut attributes: Vec<String> =
        DOCUMENTS.iter().map(|end| format!("{folder}**/*.{end} diff=pforge merge=pforge")).collect();
    // Two people who come on two branches are no conflict.
    attributes.push(format!("{folder}{LIST} merge=union"));
    [
        Block { name: ".gitattributes", lines: attributes, purpose: "says which files the drivers are for" },
        Block { name: ".prettierignore", lines: vec![folder.to_owned()], purpose: "keeps prettier away from them" },
    ]
}
