//! The durable work queue: what a job is, which kinds exist, and the workers that run them.
//!
//! The rows are [`crate::store::jobs`]; this room gives them types and runs them.

mod attempt;
pub mod job;
mod outage;
pub mod registry;
pub mod runner;

pub use job::{Done, Failure, Job, Task};
pub use registry::Registry;
pub use runner::{Runner, Wake};
