//! What GitHub sent: its log of attempts and the local store of events, as one.
//!
//! GitHub keeps an entry per attempt, for three days (seven on an Enterprise Server), and none of
//! what came of it. The local store keeps an entry per event, with the bytes, the jobs, and what
//! they did. `X-GitHub-Delivery` (the GUID) is what both have in common.

mod diff;
mod event;
mod filter;
mod find;
pub mod follow;
mod local;
mod log;
mod merge;
pub mod recorded;
pub mod redeliver;
pub mod replay;
mod repos;
pub mod scrub;
mod story;
mod tape;
mod text;
mod tree;
pub mod when;

pub use diff::{Change, diff};
pub use event::Event;
pub use filter::{Filter, Which, Wish};
pub use find::name;
pub use log::{Log, Sources};
pub use story::{Story, attempt_line};
pub use text::{answered, clock, local_status, masked, short};
pub use tree::Tree;
