//! `trigger`: synthesised deliveries and scenarios.

mod command;
mod payloads;
mod scenario;
