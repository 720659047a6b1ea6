//! The relay: its wire, resume, encryption, limits, page.

pub mod bodies;
mod bounds;
mod resume;
mod sealed;
mod smee_client;
pub mod support;
mod wire;
