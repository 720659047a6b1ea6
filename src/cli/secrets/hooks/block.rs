//! Lines of ours in a file that others write, too.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use super::{Mode, Repository, State, Step};
use crate::cli::error::{Error, Result};
use crate::util::file;

const BEGIN: &str = "# begin: pforge secrets install-hooks";
const END: &str = "# end: pforge secrets install-hooks";

/// Lines in a file of the work tree.
#[derive(Debug)]
pub struct Block {
    /// The name of the file, at the top of the work tree.
    pub name: &'static str,
    /// The lines.
    pub lines: Vec<String>,
    /// What they are for.
    pub purpose: &'static str,
}

impl Block {
    /// Puts the lines in, or takes them out. The rest of the file stays as it is; a file of
    /// nothing else goes.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn apply(&self, repository: &Repository, mode: Mode) -> Result<Step> {
        let path = repository.top.join(self.name);
        let before = match fs::read_to_string(&path) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(Error::failure(format!("cannot read {}", self.name)).caused_by(&error)),
        };
        let text = before.clone().unwrap_or_default();
        let after = if mode.uninstall { without(&text) } else { self.with(&text) };
        let state = match (mode.uninstall, after == text) {
            (_, true) => State::Unchanged,
            (true, false) => State::Removed,
            (false, false) => State::Written,
        };
        if !mode.dry_run && state != State::Unchanged {
            write(&path, &after, before.is_none())?;
        }
        Ok(Step { place: self.name.to_owned(), state, purpose: self.purpose })
    }

    fn with(&self, text: &str) -> String {
        let own = format!("{BEGIN}\n{}\n{END}\n", self.lines.join("\n"));
        match place(text) {
            Some((start, end)) => format!("{}{own}{}", &text[..start], &text[end..]),
            None if text.is_empty() || text.ends_with('\n') => format!("{text}{own}"),
            None => format!("{text}\n{own}"),
        }
    }
}

fn without(text: &str) -> String {
    match place(text) {
        Some((start, end)) => format!("{}{}", &text[..start], &text[end..]),
        None => text.to_owned(),
    }
}

/// Where our lines stand in `text`.
fn place(text: &str) -> Option<(usize, usize)> {
    let start = text.find(BEGIN).filter(|start| *start == 0 || text[..*start].ends_with('\n'))?;
    let end = start + text[start..].find(END)? + END.len();
    let line_break = text[end..].find('\n').map_or(text.len(), |at| end + at + 1);
    Some((start, line_break))
}

fn write(path: &PathBuf, text: &str, new: bool) -> Result {
    let failed = |error: std::io::Error| Error::failure(error.to_string());
    if text.is_empty() {
        return fs::remove_file(path).map_err(failed);
    }
    if new {
        // Not a secret: with the mode of any other file of the work tree.
        return fs::write(path, text).map_err(failed);
    }
    file::write_atomic(path, text.as_bytes()).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::{Block, without};

    #[test]
    fn what_is_put_in_comes_out_again() {
        let block = Block { name: "x", lines: vec!["a".to_owned(), "b".to_owned()], purpose: "" };
        let other = Block { lines: vec!["c".to_owned()], ..block };
        let own = "# begin: pforge secrets install-hooks\na\nb\n# end: pforge secrets install-hooks\n";
        let block = Block { name: "x", lines: vec!["a".to_owned(), "b".to_owned()], purpose: "" };
        for (before, after) in [("", own.to_owned()), ("x\n", format!("x\n{own}")), ("x", format!("x\n{own}"))] {
            let with = block.with(before);
            assert_eq!(with, after);
            assert_eq!(block.with(&with), with);
            assert_eq!(without(&with).trim_end(), before.trim_end());
            let more = format!("{with}y\n");
            assert_eq!(other.with(&more), more.replace("a\nb\n", "c\n"));
            assert_eq!(without(&more), format!("{}y\n", without(&with)));
        }
    }
}
