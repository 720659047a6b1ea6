//! What was made so far, as it is saved, shown by `pforge jobs show` and told on GitHub.

use serde::{Deserialize, Serialize};

/// How the repository comes to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// By the App, in an organisation.
    Organization,
    /// By the App, from the operator's template.
    Template,
    /// By a person, who was asked to.
    ByHand,
}

/// A feedstock in the making. Fields are set in the order of the steps, each when its step is done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Making {
    /// `recipes/<name>` in staged-recipes.
    pub folder: String,
    /// `owner/<name>-feedstock`.
    pub spec: String,
    /// Set before the repository is asked for: what is there afterwards is ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub way: Option<Way>,
    /// The repository's page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// The repository's default branch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_branch: Option<String>,
    /// Row id of the feedstock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feedstock_id: Option<i64>,
    /// Who was invited.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub invited: Vec<String>,
    /// Who could not be invited, and why: `name: reason`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_invited: Vec<String>,
    /// Whether everybody was tried.
    #[serde(skip_serializing_if = "is_false")]
    pub all_invited: bool,
    /// The branch with the recipe is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// Files in it.
    #[serde(skip_serializing_if = "is_zero")]
    pub files: usize,
    /// The pull request with the recipe.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pull: Option<i64>,
    /// The commit that merged it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merged: Option<String>,
    /// The branch is gone.
    #[serde(skip_serializing_if = "is_false")]
    pub branch_deleted: bool,
    /// The removal from staged-recipes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cleanup: Option<Cleanup>,
    /// Production runs that were found at the end; not saved.
    #[serde(skip)]
    pub runs: Vec<i64>,
}

/// The removal of a folder from staged-recipes. A round that meets another change of the same
/// files is given up for a new one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cleanup {
    /// From 1.
    pub round: u32,
    /// The branch that removes the files is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// Files that were looked at.
    #[serde(skip_serializing_if = "is_zero")]
    pub files: usize,
    /// Files that stay, because they are not what was put into the feedstock.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<String>,
    /// The pull request that removes them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pull: Option<i64>,
    /// It met another change, and is being given up.
    #[serde(skip_serializing_if = "is_false")]
    pub conflict: bool,
    /// The commit that merged it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merged: Option<String>,
    /// The files are gone.
    #[serde(skip_serializing_if = "is_false")]
    pub done: bool,
}

impl Making {
    /// The feedstock of `recipes/<name>`.
    pub fn new(owner: &str, name: &str) -> Self {
        Self { folder: format!("recipes/{name}"), spec: format!("{owner}/{name}-feedstock"), ..Self::default() }
    }

    /// `<name>` of `recipes/<name>`.
    pub fn name(&self) -> &str {
        self.folder.rsplit('/').next().unwrap_or_default()
    }

    /// Whether nothing is left to do.
    pub fn is_done(&self) -> bool {
        self.cleanup.as_ref().is_some_and(|cleanup| cleanup.done)
    }
}

impl Cleanup {
    /// The next round.
    pub fn after(before: Option<&Self>) -> Self {
        Self { round: before.map_or(1, |before| before.round + 1), ..Self::default() }
    }
}

fn is_false(value: &bool) -> bool {
    !*value
}

fn is_zero(value: &usize) -> bool {
    *value == 0
}
