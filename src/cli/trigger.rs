//! Deliveries that GitHub did not send: made, signed, sent, and followed to their jobs.

pub mod args;
pub mod change;
pub mod edit;
pub mod listing;
pub mod origin;
pub mod report;
pub mod scenario;
pub mod send;
pub mod target;
