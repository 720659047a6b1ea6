//! Tests of recipes: the REST API on both databases, and the way from a delivery to the check run.

mod crash;
mod emulated;
mod flow;
mod github;
mod rest;
mod world;
