//! The one integration-test binary: every test drives the public surface.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

mod app;
mod as_app;
mod cli;
mod corpus;
mod crash;
mod deliveries;
mod demo;
mod dev;
mod doctor;
mod emulator;
mod github_client;
mod hard;
mod hygiene;
mod jobs;
mod layering;
mod pages;
mod proxy;
mod real_runner;
mod recipe_cli;
mod recipes;
mod redeliver;
mod relay;
mod review;
mod scale;
mod schema;
mod secrets;
mod server;
mod store;
mod story;
mod support;
mod tour;
mod trigger;
mod workers;
