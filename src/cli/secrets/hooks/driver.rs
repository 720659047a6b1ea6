//! The drivers of `git diff` and `git merge`, in git's config.

use super::{Mode, Repository, State, Step};
use crate::cli::error::{Error, Result};

/// Tells git how to call `program`, or to forget it.
///
/// # Errors
/// When git's config cannot be written.
pub fn drivers(repository: &Repository, program: &str, mode: Mode) -> Result<Vec<Step>> {
    let keys = [
        ("diff.pforge.textconv", format!("{program} secrets textconv"), "git diff shows keys, values masked"),
        ("merge.pforge.name", "encrypted files, key by key".to_owned(), "the name of the merge driver"),
        ("merge.pforge.driver", format!("{program} secrets merge %O %A %B %P"), "git merge merges key by key"),
    ];
    keys.into_iter().map(|(key, value, purpose)| apply(repository, key, &value, purpose, mode)).collect()
}

fn apply(repository: &Repository, key: &str, value: &str, purpose: &'static str, mode: Mode) -> Result<Step> {
    let now = repository.git(&["config", "--local", "--get", key])?;
    let (state, args) = match (mode.uninstall, now) {
        (true, Some(_)) => (State::Removed, vec!["config", "--local", "--unset-all", key]),
        (true, None) => (State::Unchanged, Vec::new()),
        (false, Some(now)) if now == value => (State::Unchanged, Vec::new()),
        (false, _) => (State::Written, vec!["config", "--local", key, value]),
    };
    if !mode.dry_run && !args.is_empty() {
        let done = repository.git(&args)?;
        done.ok_or_else(|| Error::failure(format!("git cannot write {key} into its config")))?;
    }
    Ok(Step { place: format!("git config {key}"), state, purpose })
}
