//! Deliveries on their way to a laptop: what a transport receives, and how it is forwarded.
//!
//! A delivery keeps the bytes that its sender signed: nothing here parses a body to print it again.
//!
//! A [`Session`] takes arrivals from one source ([`smee`], [`poll`]), judges them
//! ([`verify`]), and hands them in their order to the target; what happens is told as [`Notice`]s.
//! With [`ngrok`] deliveries go past us, and are only watched.

pub mod envelope;
pub mod filter;
pub mod forward;
pub mod gap;
mod hop;
pub mod incoming;
pub mod ledger;
pub mod log;
pub mod ngrok;
pub mod notice;
pub mod poll;
pub mod probe;
pub mod relay;
pub mod session;
pub mod smee;
pub mod target;
pub mod verify;

pub use filter::Filter;
pub use forward::{Forwarder, Reply, Unanswered};
pub use incoming::Incoming;
pub use notice::{Notice, Notices, Seen};
pub use session::{Arrival, Session};
pub use verify::{Trust, Verdict};
