//! The emulator over HTTP, as Apps, people and real clients meet it.

mod bench;
mod faults;
mod limits;
mod lists;
mod real;
mod rights;
mod story;
mod support;
