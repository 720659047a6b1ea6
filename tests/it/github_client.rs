//! The GitHub client against a scripted server that records what it is sent.

mod api;
mod auth;
mod fake;
mod limits;
mod prism;
mod traffic;
