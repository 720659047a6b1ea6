//! The repository that hooks are put into.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::cli::env::Env;
use crate::cli::error::{Error, Kind, Result};

/// A git repository with a work tree.
#[derive(Debug)]
pub struct Repository {
    /// The top of the work tree.
    pub top: PathBuf,
    /// Where git looks for hooks: `core.hooksPath`, or the folder that all work trees share.
    pub hooks: PathBuf,
    /// The folder that all work trees share.
    common: PathBuf,
}

impl Repository {
    /// The repository that `folder` lies in.
    ///
    /// # Errors
    /// When there is none, or no git.
    pub fn at(folder: &Path) -> Result<Self> {
        let asked = Self { top: folder.to_path_buf(), hooks: PathBuf::new(), common: PathBuf::new() };
        let top = asked.git(&["rev-parse", "--show-toplevel"])?.map(PathBuf::from);
        let top = top.filter(|top| !top.as_os_str().is_empty()).ok_or_else(|| {
            Error::new(Kind::NotFound, format!("{} is in no work tree of git", folder.display()))
                .hint(format!("git -C {} init", folder.display()))
        })?;
        let asked = Self { top, ..asked };
        let path = |name: &str, fallback: &str| -> Result<PathBuf> {
            let told = asked.git(&["rev-parse", "--git-path", name])?;
            Ok(asked.top.join(told.unwrap_or_else(|| fallback.to_owned())))
        };
        let hooks = path("hooks", ".git/hooks")?;
        let common = asked.git(&["rev-parse", "--git-common-dir"])?.unwrap_or_else(|| ".git".to_owned());
        Ok(Self { hooks, common: asked.top.join(common), top: asked.top })
    }

    /// Whether the hooks are this repository's alone.
    pub fn owns_hooks(&self) -> bool {
        let real = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
        let hooks = real(&self.hooks);
        hooks.starts_with(real(&self.top)) || hooks.starts_with(real(&self.common))
    }

    /// What git prints, without the line break; `None` when it fails.
    ///
    /// # Errors
    /// When git does not start.
    pub fn git(&self, args: &[&str]) -> Result<Option<String>> {
        let output = Command::new("git").arg("-C").arg(&self.top).args(args).stdin(Stdio::null()).output();
        let output = output.map_err(|error| Error::failure("git does not start").caused_by(&error))?;
        let text = String::from_utf8_lossy(&output.stdout).trim_end_matches(['\n', '\r']).to_owned();
        Ok(output.status.success().then_some(text))
    }

    /// A path as the user would write it.
    pub fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.top).unwrap_or(path).display().to_string()
    }
}

/// How git and hooks call this program: by name when that finds it, else by its path.
///
/// # Errors
/// When the path of this program is not known.
pub fn program(env: &Env) -> Result<String> {
    let own =
        std::env::current_exe().map_err(|error| Error::failure("pforge does not know its path").caused_by(&error))?;
    let own = std::fs::canonicalize(&own).unwrap_or(own);
    let on_path = env.get("PATH").and_then(|path| {
        let places = std::env::split_paths(path).map(|folder| folder.join("pforge"));
        places.into_iter().find(|place| place.is_file())
    });
    if on_path.and_then(|place| std::fs::canonicalize(place).ok()).is_some_and(|place| place == own) {
        return Ok("pforge".to_owned());
    }
    let own = own.display().to_string();
    let quoted = shlex::try_quote(&own)
        .map_err(|error| Error::failure("pforge's path cannot stand in a hook").caused_by(&error))?;
    Ok(quoted.into_owned())
}
