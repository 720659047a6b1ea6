//! The demo: the path of a delivery, told step by step, each step checked before it is told.
//!
//! [`stage`] sets up the emulator and the server, `story` acts as the people do, and
//! [`narrator`] tells what was seen, or which step did not hold.

pub mod narrator;
pub mod stage;
pub mod story;
