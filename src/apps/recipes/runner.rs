//! Expanding a feedstock (from `meta.yaml` to the list of its recipes), and baking its recipes.

mod bake;
mod baker;
mod checkout;
mod child;
mod command;
mod folder;
#[cfg(unix)]
mod guard;
mod launch;
mod output;
mod sandbox;
pub mod scan;
mod static_meta;

use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::Deserialize;

pub use self::bake::{BakeFailure, BakeRequest, Baked, Baker};
pub use self::baker::CommandBaker;
pub use self::command::CommandRunner;
pub use self::folder::sweep;
pub use self::static_meta::StaticRunner;
use crate::github;

/// Which feedstock, at which commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpandRequest {
    /// Web address of the repository that holds the commit; a fork's for most pull requests.
    pub repo_html_url: String,
    /// Commit.
    pub head_sha: String,
    /// Folder of the feedstock when it is not the default `feedstock`, such as `recipes/gpcp`.
    pub feedstock_subdir: Option<String>,
    /// The repository that the pull request is for; its installation gives access.
    pub base_full_name: String,
    /// The App's installation there.
    pub installation_id: Option<i64>,
}

/// What `meta.yaml` says, as far as this app needs it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Meta {
    /// Title of the dataset.
    #[serde(default)]
    pub title: Option<String>,
    /// The recipes, with `dict_object` already expanded.
    pub recipes: Vec<RecipeRef>,
    /// Where they are to be run.
    #[serde(default)]
    pub bakery: Option<BakeryRef>,
}

/// One recipe of a feedstock.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct RecipeRef {
    /// Unique within the feedstock.
    pub id: String,
}

/// `bakery` of `meta.yaml`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct BakeryRef {
    /// Name of the bakery.
    pub id: String,
}

/// Why a feedstock could not be expanded.
#[derive(Debug, thiserror::Error)]
pub enum RunnerFailure {
    /// The feedstock's own fault, in one line for its author.
    #[error("{0}")]
    Feedstock(String),
    /// Only executing its code would tell its recipes, which this runner does not do.
    #[error("{0}")]
    ByCode(String),
    /// It took too long and was stopped.
    #[error("the expansion did not end within {} s and was stopped", .0.as_secs())]
    TimedOut(Duration),
    /// The runner cannot work here: the operator must act.
    #[error("the recipe runner does not work: {0}")]
    Broken(String),
    /// GitHub did not give the file.
    #[error(transparent)]
    GitHub(#[from] github::Error),
}

/// Something that expands feedstocks.
pub trait Runner: Send + Sync {
    /// Lists the recipes of a feedstock at a commit. Has no effect that lasts.
    fn expand_meta<'a>(&'a self, request: &'a ExpandRequest) -> BoxFuture<'a, Result<Meta, RunnerFailure>>;
}
