//! What every room may use: secrets as types, the clock, atomic files, retry arithmetic, ids,
//! event streams, hosts of URLs, connections of a server and sockets that give up on a stuck peer.
//!
//! Imports nothing of ours and knows nothing of GitHub, of what is served, or of SQL.

pub mod calls;
pub mod clock;
pub mod file;
pub mod host;
pub mod id;
pub mod listen;
pub mod retry;
pub mod secret;
pub mod sse;
pub mod stall;
pub mod text;

pub use clock::Clock;
pub use secret::Secret;
pub use stall::Stall;
