//! The hook that refuses to commit secrets in clear.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Mode, Repository, State, Step};
use crate::cli::error::{Error, Result};

/// How our hook is known.
const MARK: &str = "# Made by `pforge secrets install-hooks`";

const PURPOSE: &str = "refuses to commit secrets in clear";

/// The pre-commit hook of a repository.
#[derive(Debug)]
pub struct PreCommit<'a> {
    repository: &'a Repository,
    path: PathBuf,
    /// Where a hook that was there before goes on.
    kept: PathBuf,
}

/// What stands in the place of the hook.
enum There {
    Nothing,
    Ours(String),
    Foreign,
}

impl<'a> PreCommit<'a> {
    /// The hook of `repository`.
    pub fn of(repository: &'a Repository) -> Self {
        let (path, kept) = (repository.hooks.join("pre-commit"), repository.hooks.join("pre-commit.before-pforge"));
        Self { repository, path, kept }
    }

    /// Puts the hook in place, or takes it away. One that was there before runs after it, and is
    /// put back when it is taken away.
    ///
    /// # Errors
    /// When the files cannot be read or written.
    pub fn apply(&self, program: &str, mode: Mode) -> Result<Step> {
        let state = if mode.uninstall { self.uninstall(mode)? } else { self.install(program, mode)? };
        Ok(Step { place: self.repository.shown(&self.path), state, purpose: PURPOSE })
    }

    fn install(&self, program: &str, mode: Mode) -> Result<State> {
        let text = script(program);
        let there = self.there()?;
        if let There::Ours(now) = &there
            && *now == text
        {
            return Ok(State::Unchanged);
        }
        if !self.repository.owns_hooks() {
            let folder = self.repository.hooks.display();
            return Ok(State::Left(format!(
                "core.hooksPath is {folder}, which other repositories use, too: add `{program} secrets check --staged` \
                 there, or unset it"
            )));
        }
        let chain = matches!(there, There::Foreign);
        if chain && self.kept.exists() {
            let (path, kept) = (self.repository.shown(&self.path), self.repository.shown(&self.kept));
            return Ok(State::Left(format!("there are {path} and {kept} already: remove one of them")));
        }
        if !mode.dry_run {
            let failed = |error: std::io::Error| cannot("write", &self.path, &error);
            fs::create_dir_all(&self.repository.hooks).map_err(failed)?;
            if chain {
                fs::rename(&self.path, &self.kept).map_err(failed)?;
            }
            fs::write(&self.path, &text).map_err(failed)?;
            executable(&self.path).map_err(failed)?;
        }
        Ok(if chain { State::Chained(self.repository.shown(&self.kept)) } else { State::Written })
    }

    fn uninstall(&self, mode: Mode) -> Result<State> {
        let There::Ours(_) = self.there()? else { return Ok(State::Unchanged) };
        let restore = self.kept.exists();
        if !mode.dry_run {
            let failed = |error: std::io::Error| cannot("remove", &self.path, &error);
            if restore {
                fs::rename(&self.kept, &self.path).map_err(failed)?;
            } else {
                fs::remove_file(&self.path).map_err(failed)?;
            }
        }
        Ok(if restore { State::Restored } else { State::Removed })
    }

    fn there(&self) -> Result<There> {
        match fs::read(&self.path) {
            Ok(bytes) => Ok(match String::from_utf8(bytes) {
                Ok(text) if text.contains(MARK) => There::Ours(text),
                _ => There::Foreign,
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(There::Nothing),
            Err(error) => Err(cannot("read", &self.path, &error)),
        }
    }
}

/// The hook. A program that is gone must not let secrets through.
fn script(program: &str) -> String {
    format!(
        "#!/bin/sh\n\
         {MARK}; `--uninstall` removes it.\n\
         {program} secrets check --staged || {{\n\
         \tcode=$?\n\
         \tif [ \"$code\" -gt 125 ]; then echo 'pforge is gone: install it, or remove this hook' >&2; fi\n\
         \texit \"$code\"\n\
         }}\n\
         before=\"$(dirname \"$0\")/pre-commit.before-pforge\"\n\
         if [ -x \"$before\" ]; then exec \"$before\" \"$@\"; fi\n"
    )
}

fn executable(path: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

fn cannot(what: &str, path: &Path, error: &std::io::Error) -> Error {
    Error::failure(format!("cannot {what} {}", path.display())).caused_by(error)
}
