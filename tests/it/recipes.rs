//! Tests of recipes: the REST API on both databases, and the way from a delivery to the check run.

mod again;
mod attempts;
mod commands;
mod crash;
mod dispatch;
mod emulated;
mod engine;
mod feedstock;
mod flow;
mod gate;
mod github;
mod production;
mod pulls;
mod reports;
mod rest;
mod rest_more;
pub mod stage;
pub mod world;
