//! The command line, driven as the built binary, and the secrets that it opens.

mod completions;
mod config;
mod db;
mod emulate;
mod encrypted;
mod help;
mod hygiene;
mod jobs;
mod openapi;
mod output;
mod serve;
