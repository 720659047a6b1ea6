//! `deliveries`: GitHub's log and the local store as one.

mod life;
mod long;
mod offline;
mod stage;
