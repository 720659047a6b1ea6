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
mod recipes;
mod redeliver;
mod relay;
mod secrets;
mod server;
mod store;
mod support;
mod tour;
mod trigger;
