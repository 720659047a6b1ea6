//! Typed calls, one file per area of GitHub's REST API.

pub mod apps;
pub mod checks;
pub mod contents;
pub mod pulls;
