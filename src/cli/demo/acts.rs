//! The acts of the story. Each tells its arrows once it has seen them from the outside.

pub mod asides;
pub mod commits;
pub mod curtain;
pub mod feedstock;
pub mod opening;
pub mod production;
pub mod test_run;

use crate::emulator::person::Files;

/// The organisation.
pub const ORG: &str = "pangeo-forge";
/// Where recipes are proposed.
pub const STAGED: &str = "pangeo-forge/staged-recipes";
/// What becomes of the proposal.
pub const FEEDSTOCK: &str = "pangeo-forge/sst-feedstock";
/// Where the proposal's files are.
pub const FOLDER: &str = "recipes/sst";
/// Its branch.
pub const BRANCH: &str = "add-sst";
/// Who decides in the organisation.
pub const ADMIN: &str = "admin";
/// Who proposes the recipe.
pub const CONTRIBUTOR: &str = "contributor";
/// Who looks after the feedstock: the contributor, invited to it.
pub const MAINTAINER: &str = CONTRIBUTOR;

/// What is proposed.
pub struct Example {
    /// The recipes in its meta.yaml.
    pub recipes: &'static [&'static str],
    files: [(&'static str, &'static str); 3],
}

macro_rules! file {
    ($folder:literal, $name:literal) => {
        ($name, include_str!(concat!("../../../examples/", $folder, "/feedstock/", $name)))
    };
}

/// Two recipes, for the stand-in: they show what is done for each.
pub static TWO_WAYS: Example = Example {
    recipes: &["sst-daily", "sst-climatology"],
    files: [file!("feedstock", "meta.yaml"), file!("feedstock", "recipe.py"), file!("feedstock", "requirements.txt")],
};

/// The smallest that bakes for real.
pub static TINY: Example = Example {
    recipes: &["tiny"],
    files: [file!("tiny", "meta.yaml"), file!("tiny", "recipe.py"), file!("tiny", "requirements.txt")],
};

impl Example {
    /// Its files in `folder`.
    pub fn files(&self, folder: &str) -> Files {
        self.edited(folder, |_, text| text.to_owned())
    }

    /// Its files in `folder`, each changed by `edit`, which is given the file's name and text.
    pub fn edited(&self, folder: &str, edit: impl Fn(&str, &str) -> String) -> Files {
        self.files.iter().map(|(name, text)| (format!("{folder}/{name}"), Some(edit(name, text)))).collect()
    }
}
