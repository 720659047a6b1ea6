//! `pforge db new`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::cli::cx::Cx;
use crate::cli::error::{Error, Result};
use crate::util::file;

const FOLDER: &str = "src/store/migrations";

/// Write the files of a new migration, for both databases
#[derive(Debug, clap::Args)]
#[command(after_help = "For those who work on pforge itself: run it in a checkout.\n\nExample:\n  \
    pforge db new add_feedstock_owner")]
pub struct Args {
    /// What it does, in snake_case
    #[arg(value_name = "NAME", value_parser = name)]
    name: String,
}

/// Writes the files and prints their paths.
///
/// # Errors
/// When this is no checkout, or a file is there already.
pub fn run(args: Args, cx: &Cx) -> Result {
    let here = std::env::current_dir()?;
    let checkout = here.ancestors().find(|folder| is_checkout(folder)).ok_or_else(|| {
        Error::failure(format!("this is no checkout of pforge: there is no {FOLDER} here or above"))
            .hint("git rev-parse --show-toplevel")
    })?;
    let folder = checkout.join(FOLDER);
    let number = next_number(&folder)?;
    let mut written = Vec::new();
    for dialect in ["sqlite", "postgres"] {
        for (direction, comment) in [("up", "what changes"), ("down", "how it is undone")] {
            let path = folder.join(dialect).join(format!("{number:04}_{}.{direction}.sql", args.name));
            write(&path, &format!("-- {}: {comment}.\n", args.name.replace('_', " ")))?;
            written.push(path.strip_prefix(&here).unwrap_or(&path).display().to_string());
        }
    }
    if cx.ui.json() {
        return cx.ui.document(&json!({ "version": number, "files": written }));
    }
    written.iter().try_for_each(|path| cx.ui.line(path))?;
    cx.ui.hint(format!(
        "add migration!({number}, \"{number:04}_{}\", \"{}\") to the list in src/store/migrate.rs",
        args.name,
        args.name.replace('_', " ")
    ));
    Ok(())
}

fn write(path: &Path, text: &str) -> Result {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)
        .and_then(|()| file::create_private(path, text.as_bytes()))
        .map_err(|error| Error::failure(format!("cannot write {}", path.display())).caused_by(&error))
}

fn is_checkout(folder: &Path) -> bool {
    folder.join(FOLDER).is_dir()
        && fs::read_to_string(folder.join("Cargo.toml")).is_ok_and(|text| text.contains("name = \"pforge\""))
}

/// One more than the highest number in use by either database.
fn next_number(folder: &Path) -> Result<u32> {
    let mut highest = 0;
    for dialect in ["sqlite", "postgres"] {
        let files: PathBuf = folder.join(dialect);
        for entry in fs::read_dir(&files).into_iter().flatten() {
            let name = entry?.file_name();
            let number = name.to_str().and_then(|name| name.split('_').next()?.parse().ok());
            highest = highest.max(number.unwrap_or(0));
        }
    }
    Ok(highest + 1)
}

fn name(text: &str) -> std::result::Result<String, String> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(fits) {
        return Ok(text.to_owned());
    }
    Err("must be lowercase letters, digits and underscores, such as add_feedstock_owner".to_owned())
}
