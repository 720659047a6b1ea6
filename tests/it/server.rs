//! The server over HTTP: a small app, a SQLite file, port 0.

mod docs;
mod examples;
mod harness;
mod hostile;
mod lifecycle;
mod rest;
mod transport;
