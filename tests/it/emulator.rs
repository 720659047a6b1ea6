//! The emulator over HTTP, as Apps, people and real clients meet it.

mod bench;
mod faults;
mod limits;
mod lists;
mod orchestration;
mod production;
pub mod real;
mod rights;
mod settings;
mod story;
pub mod support;
