//! The list that recipients come from, changed along with the files.

use std::fs;
use std::path::{Path, PathBuf};

use super::names::Names;
use super::recipient_list::{entries, identity_of, split_comment};
use super::recipients::{self, shown};
use super::{file, people, sops_config, targets};
use crate::cli::cx::Cx;
use crate::cli::error::{Error, Result};
use crate::secrets::{Format, Recipient, Sealed, revise};

/// What to do to the list.
#[derive(Clone, Copy, Debug)]
pub enum Change<'a> {
    /// Add these, with the name of the person.
    Add(&'a [Recipient], Option<&'a str>),
    /// Take these out.
    Remove(&'a [String]),
}

/// A list that is to be written.
#[derive(Debug)]
pub struct Updated {
    /// Where it is.
    pub path: PathBuf,
    bytes: Vec<u8>,
}

impl Updated {
    /// Writes it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self) -> Result {
        file::write(&self.path, &self.bytes)
    }
}

/// The list that new files like `path` take their recipients from, changed: the creation rule in
/// `.sops.yaml`, else `age-recipients.txt`. `None` when there is none, or nothing to change.
///
/// # Errors
/// When the list cannot be read or changed.
pub fn update(cx: &Cx, path: &Path, change: Change<'_>) -> Result<Option<Updated>> {
    let config = sops_config::find(cx, None, path)?;
    if let Some(config) = &config
        && let Some((number, rule)) = config.rule_for(path)?
    {
        let place = format!("{}, rule {number}", shown(&config.path));
        if rule.groups(&place)?.iter().any(|group| !group.is_empty()) {
            return in_config(&config.path, number, change);
        }
    }
    let Some(path) = recipients::list_file(cx, path) else { return Ok(None) };
    let old = fs::read_to_string(&path)
        .map_err(|error| Error::failure(format!("cannot read {}", shown(&path))).caused_by(&error))?;
    let new = match change {
        Change::Add(added, name) => with(&old, added, name),
        Change::Remove(removed) => without(&old, removed),
    };
    Ok((new != old).then(|| Updated { path, bytes: new.into_bytes() }))
}

/// A creation rule with other recipients; comments and layout stay.
fn in_config(path: &Path, number: usize, change: Change<'_>) -> Result<Option<Updated>> {
    let bytes = file::read(path)?;
    let about = |error| file::about(path, &error);
    let mut tree = Format::Yaml.read_plain(&bytes).map_err(about)?;
    if !sops_config::change_rule(&mut tree, number, change) {
        return Err(Error::failure(format!(
            "{}, rule {number} has key groups, which a person must change",
            shown(path)
        ))
        .hint(format!("${{EDITOR:-vi}} {}", shown(path))));
    }
    let new = revise(Format::Yaml, &bytes, &tree).map_err(about)?;
    Ok(new.map(|bytes| Updated { path: path.to_path_buf(), bytes }))
}

/// The list with the recipients that are not in it at its end.
fn with(text: &str, added: &[Recipient], name: Option<&str>) -> String {
    let there: Vec<String> = entries(text, false).iter().map(|(_, entry)| identity_of(entry)).collect();
    let mut new = text.to_owned();
    for one in added.iter().map(ToString::to_string).filter(|one| !there.contains(&identity_of(one))) {
        if !new.is_empty() && !new.ends_with('\n') {
            new.push('\n');
        }
        new += &one;
        new += &name.map_or_else(String::new, |name| format!(" # {name}"));
        new.push('\n');
    }
    new
}

/// The list without the recipients; a line that held nothing else goes, with the comment that
/// named it.
fn without(text: &str, removed: &[String]) -> String {
    let mut lines: Vec<&str> = Vec::new();
    let mut kept = Vec::new();
    for line in text.split_inclusive('\n') {
        let there = entries(line, false);
        let gone = |entry: &str| removed.contains(&identity_of(entry));
        if !there.iter().any(|(_, entry)| gone(entry)) {
            lines.push(line);
            continue;
        }
        let rest: Vec<&str> = there.iter().map(|(_, entry)| entry.as_str()).filter(|entry| !gone(entry)).collect();
        if rest.is_empty() {
            let (_, beside) = split_comment(line);
            // It would name whoever comes next.
            if beside.is_none() && lines.last().is_some_and(|above| above.trim_start().starts_with('#')) {
                lines.pop();
            }
            continue;
        }
        kept.push(rest.join(",") + "\n");
        lines.push("\0");
    }
    let mut kept = kept.into_iter();
    lines.into_iter().map(|line| if line == "\0" { kept.next().unwrap_or_default() } else { line.to_owned() }).collect()
}

/// The words of a command line that changes who can open files, told apart: recipients (or names)
/// and files.
///
/// # Errors
/// When there is no recipient among them.
pub fn told_apart(words: &[String]) -> Result<(Vec<String>, Vec<PathBuf>)> {
    let is_file = |word: &&String| !super::recipient_list::looks_like_one(word) && Path::new(word).is_file();
    let (files, people): (Vec<_>, Vec<_>) = words.iter().partition(is_file);
    if people.is_empty() {
        return Err(Error::usage("no recipient is given").hint("pforge secrets recipients list --all"));
    }
    Ok((people.into_iter().cloned().collect(), files.into_iter().map(PathBuf::from).collect()))
}

/// The encrypted files in `secrets/`, other than `done`, whose recipients are as `wanted`.
pub fn files_with(cx: &Cx, done: &[PathBuf], wanted: impl Fn(&[String]) -> bool) -> Vec<String> {
    let real = |path: &PathBuf| fs::canonicalize(path).unwrap_or_else(|_| path.clone());
    let done: Vec<PathBuf> = done.iter().map(real).collect();
    let fits = |path: &PathBuf| {
        let sealed = fs::read(path).ok().and_then(|bytes| Sealed::read(Format::of(path), bytes).ok());
        let there =
            sealed.map(|sealed| sealed.metadata().recipients().iter().map(|one| identity_of(one)).collect::<Vec<_>>());
        there.is_some_and(|there| wanted(&there))
    };
    let all = targets::all_encrypted(cx).unwrap_or_default();
    all.iter().filter(|path| !done.contains(&real(path)) && fits(path)).map(|path| shown(path)).collect()
}

/// The recipients that `words` mean: keys, or names known around `path`.
///
/// # Errors
/// As [`people::meant`].
pub fn meant(cx: &Cx, path: &Path, words: &[String]) -> Result<Vec<String>> {
    let names = Names::around(cx, path);
    words.iter().map(|word| people::meant(&names, word)).collect()
}

#[cfg(test)]
mod tests {
    use super::without;

    #[test]
    fn a_removed_recipient_takes_its_name_along() {
        let cases = [
            ("age1a\nage1b # bob\n", "age1b", "age1a\n"),
            ("age1a\n# bob\nage1b\nage1c\n", "age1b", "age1a\nage1c\n"),
            ("# bob\nage1b\nage1c\n", "age1b", "age1c\n"),
            ("# the team\n\n# bob\nage1b\n", "age1b", "# the team\n\n"),
            ("age1a, age1b age1c\n\n# x\n", "age1b", "age1a,age1c\n\n# x\n"),
            ("age1a\n", "age1b", "age1a\n"),
        ];
        for (text, gone, expected) in cases {
            assert_eq!(without(text, &[gone.to_owned()]), expected, "{text:?}");
        }
    }
}
