//! SOPS documents, against real sops and age.

mod commands;
mod edits;
mod faults;
mod fuzzed;
mod guard;
mod keys;
mod life;
mod page;
mod vectors;
