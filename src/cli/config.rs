//! Where every setting comes from: flag, then environment, then config file, then default.

pub mod bakeries;
mod deployment;
mod document;
mod file;
mod node;
mod origin;
pub mod section;
mod server;
mod settings;

pub use deployment::apps;
pub use file::{ConfigFile, GithubApp};
pub use origin::{Origin, Sourced};
pub use server::{ServerFlags, ServerSettings, shown as shown_origins};
pub use settings::{Globals, Settings};
