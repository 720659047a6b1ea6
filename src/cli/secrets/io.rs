//! Documents in and out: files, standard input, in place or elsewhere.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::file;
use super::recipients::shown;
use crate::cli::cx::Cx;
use crate::cli::error::{Error, Result};
use crate::secrets::Text;

/// What to work on and where the result goes.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct IoFlags {
    /// The files; - is standard input
    #[arg(value_name = "FILE", required_unless_present = "all", conflicts_with = "all")]
    files: Vec<PathBuf>,
    /// Every file in secrets/
    #[arg(long)]
    all: bool,
    /// Replace the files, each as a whole or not at all
    #[arg(short, long, conflicts_with = "output")]
    pub in_place: bool,
    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// What standard input would be called as a file: decides format, rules and recipients
    #[arg(long, visible_alias = "filename-override", value_name = "NAME")]
    filename: Option<PathBuf>,
}

/// A document that came in.
#[derive(Debug)]
pub struct Input {
    /// Its file; `None` for standard input.
    pub path: Option<PathBuf>,
    /// Its name: of the file, or as given for standard input.
    pub name: PathBuf,
    /// What it holds; may be plaintext.
    pub bytes: Text,
}

impl Input {
    /// Its name for a person.
    pub fn shown(&self) -> String {
        match &self.path {
            Some(path) => shown(path),
            None => "standard input".to_owned(),
        }
    }
}

impl IoFlags {
    /// Reads what is named, or what `all` finds. `typed` says that the format is given.
    ///
    /// # Errors
    /// Usage errors for flags that do not fit together; files that cannot be read.
    pub fn inputs(&self, cx: &Cx, typed: bool, all: impl FnOnce(&Cx) -> Result<Vec<PathBuf>>) -> Result<Vec<Input>> {
        let paths = if self.all { all(cx)? } else { self.files.clone() };
        if (self.all || paths.len() > 1) && !self.in_place {
            return Err(Error::usage("several files cannot go to one place").because("-i replaces each of them"));
        }
        let mut inputs = Vec::new();
        for path in paths {
            inputs.push(if path == Path::new("-") { self.stdin(typed)? } else { input(path)? });
        }
        Ok(inputs)
    }

    fn stdin(&self, typed: bool) -> Result<Input> {
        if self.in_place {
            return Err(Error::usage("standard input cannot be replaced: leave -i out"));
        }
        let Some(name) = self.filename.clone().or_else(|| typed.then(|| PathBuf::from("stdin"))) else {
            return Err(Error::usage("standard input has no name to tell its format")
                .because("--filename config.yaml or --input-type yaml tells it"));
        };
        Ok(Input { path: None, name, bytes: file::read_stdin()?.into() })
    }

    /// The file that the result for `input` replaces or makes; `None` for standard output.
    pub fn target<'a>(&'a self, input: &'a Input) -> Option<&'a Path> {
        if self.in_place { input.path.as_deref() } else { self.output.as_deref() }
    }

    /// Writes the result for `input`. Under `--json` a result for standard output becomes the key
    /// `content` of `report` instead.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn put(&self, cx: &Cx, input: &Input, bytes: &[u8], report: &mut Value) -> Result {
        match self.target(input) {
            Some(path) => file::write(path, bytes),
            None if cx.ui.json() => {
                report["content"] = match std::str::from_utf8(bytes) {
                    Ok(text) => json!(text),
                    Err(_) => {
                        return Err(
                            Error::failure("it is no text, which JSON cannot hold").because("-o FILE writes it")
                        );
                    }
                };
                Ok(())
            }
            None => cx.ui.bytes(bytes),
        }
    }
}

fn input(path: PathBuf) -> Result<Input> {
    Ok(Input { bytes: file::read(&path)?.into(), name: path.clone(), path: Some(path) })
}
