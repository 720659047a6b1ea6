//! Typed calls, one file per area of GitHub's REST API.

pub mod apps;
pub mod checks;
pub mod collaborators;
pub mod contents;
pub mod deployments;
pub mod git;
pub mod issues;
pub mod pulls;
pub mod repos;
pub mod trees;
