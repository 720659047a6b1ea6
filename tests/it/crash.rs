//! The server as a process that dies: killed, stopped, without its database, next to another one.
//!
//! GitHub is an emulator behind a slow line, so that there is time to die between what GitHub did
//! and what the server knows of it. Each test ends with the same question, see [`ledger`]: is
//! everything that was answered there, and was everything that is there done once?

mod bake;
mod kill;
pub mod ledger;
pub mod line;
mod outage;
mod pair;
pub mod stage;
mod stop;
