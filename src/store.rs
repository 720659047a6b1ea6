//! The database: SQLite by default, Postgres when several processes share the work.
//!
//! Knows opaque JSON and bytes, not GitHub's types. One SQL text serves both databases where the
//! dialects agree; otherwise two texts stand side by side in one function.

mod batch;
mod blocks;
mod content;
pub mod databases;
pub mod db;
pub mod deliveries;
pub mod error;
pub mod ingest;
pub mod jobs;
pub mod marks;
pub mod migrate;
mod nul;

pub use db::{DatabaseUrl, Db, Dialect};
pub use error::Error;
