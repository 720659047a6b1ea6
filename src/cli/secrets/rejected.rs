//! A text from an editor that could not be saved: kept beside its file, encrypted for the same
//! people, as a SOPS document of its own.

use std::fs;
use std::path::{Path, PathBuf};

use super::file;
use crate::cli::cx::Cx;
use crate::cli::error::{Error, Result};
use crate::secrets::tree::Tree;
use crate::secrets::{Format, MacPolicy, Recipient, Rule, Sealing, Selector, Style, Text, seal};

/// Where such a text is kept.
#[derive(Debug)]
pub struct Rejected(PathBuf);

impl Rejected {
    /// The place for a text of the file `path`, or of a part of it.
    pub fn of(path: &Path, part: Option<&Selector>) -> Self {
        let fits = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
        let part = part.map_or_else(String::new, |part| {
            format!(".{}", part.to_string().chars().map(fits).collect::<String>().trim_matches('-'))
        });
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!("{part}.rejected"));
        Self(path.with_file_name(name))
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Whether a text is kept there.
    pub fn exists(&self) -> bool {
        self.0.exists()
    }

    /// Keeps `text`, in place of an earlier one.
    ///
    /// # Errors
    /// When there is nobody to encrypt it for, or it cannot be written.
    pub fn write(&self, cx: &Cx, groups: &[Vec<Recipient>], text: &Text) -> Result {
        let tree: Tree = Format::Binary.read_plain(text.expose())?;
        let sealing = Sealing { groups: groups.to_vec(), rule: Rule::Everything, ..Sealing::default() };
        file::write(&self.0, &seal(Format::Binary, &tree, &sealing, cx.clock.now())?)
    }

    /// The text that is kept.
    ///
    /// # Errors
    /// When there is none, or it does not open.
    pub fn read(&self, cx: &Cx) -> Result<Text> {
        let open = file::open(cx, &self.0, Some(Format::Binary), MacPolicy::Verify)?;
        Ok(Format::Binary.write_plain(&open.opened.tree, Style::default())?)
    }

    /// Forgets it.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn remove(&self) -> Result {
        fs::remove_file(&self.0)
            .map_err(|error| Error::failure(format!("cannot remove {}", self.0.display())).caused_by(&error))
    }
}
