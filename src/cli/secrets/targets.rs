//! The files of a command that takes several.

use std::fs;
use std::path::{Path, PathBuf};

use super::recipients::{LIST, shown};
use crate::cli::cx::Cx;
use crate::cli::error::{Error, Result};
use crate::secrets::{Format, is_encrypted};

/// Every file in the `secrets/` of the deployments or below it, sorted; without hidden files and
/// what is never a document: the list of recipients, and documentation (`*.md`).
///
/// # Errors
/// A configuration error when there is no such folder.
pub fn all(cx: &Cx) -> Result<Vec<PathBuf>> {
    let folder = cx.settings.root.value.join("secrets");
    if !folder.is_dir() {
        return Err(Error::config(format!("there is no folder {}", shown(&folder))).hint("pforge --root DIR …"));
    }
    let mut files = Vec::new();
    collect(&folder, &mut files)?;
    files.sort();
    Ok(files)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result {
    let unreadable = |error: std::io::Error| Error::failure(format!("cannot read {}", shown(folder))).caused_by(&error);
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let hidden = name.starts_with('.') && Format::of(&path) == Format::Binary;
        let documentation = path.extension().is_some_and(|end| end == "md");
        if path.is_dir() {
            if !name.starts_with('.') {
                collect(&path, files)?;
            }
        } else if !hidden && !documentation && name != LIST {
            files.push(path);
        }
    }
    Ok(())
}

/// The encrypted ones of [`all`], each in the format of its name.
///
/// # Errors
/// As [`all`].
pub fn all_encrypted(cx: &Cx) -> Result<Vec<PathBuf>> {
    let encrypted = |path: &PathBuf| fs::read(path).is_ok_and(|bytes| is_encrypted(Format::of(path), &bytes));
    Ok(all(cx)?.into_iter().filter(encrypted).collect())
}

/// The files that are named, or all encrypted ones, or the config file of the deployment.
///
/// # Errors
/// As [`all`], and when nothing is there.
pub fn encrypted(cx: &Cx, named: &[PathBuf], everything: bool) -> Result<Vec<PathBuf>> {
    if !everything && named.is_empty() {
        return Ok(vec![super::file::default_path(cx, None)?]);
    }
    if !everything {
        return Ok(named.to_vec());
    }
    let files = all_encrypted(cx)?;
    if files.is_empty() {
        return Err(Error::config(format!(
            "no file in {} is encrypted",
            shown(&cx.settings.root.value.join("secrets"))
        ))
        .hint("pforge secrets encrypt --all -i"));
    }
    Ok(files)
}
