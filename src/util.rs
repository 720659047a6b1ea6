//! What every room may use: secrets as types, the clock, atomic files, retry arithmetic, ids.
//!
//! Imports nothing of ours and knows nothing of GitHub, HTTP or SQL.

pub mod clock;
pub mod file;
pub mod id;
pub mod retry;
pub mod secret;
pub mod text;

pub use clock::Clock;
pub use secret::Secret;
