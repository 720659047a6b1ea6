//! What `pforge secrets install-hooks` puts into a repository, and takes out again.

mod block;
mod driver;
mod pre_commit;
mod repository;

pub use block::Block;
pub use driver::drivers;
pub use pre_commit::PreCommit;
pub use repository::{Repository, program};

/// What happens to a part of the repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The file, or the key of git's config.
    pub place: String,
    /// What happens.
    pub state: State,
    /// What it is for.
    pub purpose: &'static str,
}

/// What happens to a part of the repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It is written.
    Written,
    /// It is as it should be.
    Unchanged,
    /// It is taken out.
    Removed,
    /// It is written; what was there goes on under this name.
    Chained(String),
    /// What was there before is back.
    Restored,
    /// It is left as it is, for this reason.
    Left(String),
}

impl State {
    /// In a word.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::Unchanged => "unchanged",
            Self::Removed => "removed",
            Self::Chained(_) => "chained",
            Self::Restored => "restored",
            Self::Left(_) => "left",
        }
    }

    /// What there is to say about it.
    pub fn detail(&self) -> Option<String> {
        match self {
            Self::Chained(kept) => Some(format!("what was there runs after it, as {kept}")),
            Self::Left(reason) => Some(reason.clone()),
            _ => None,
        }
    }
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mode {
    /// Take out instead of putting in.
    pub uninstall: bool,
    /// Only tell.
    pub dry_run: bool,
}
