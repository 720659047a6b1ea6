//! pforge carries the developer of a GitHub App through its whole life, and runs the webhook
//! server behind it.
//!
//! The crate is divided into rooms. Data flows one way and a room may only import the rooms
//! named in its row; `tests/it/layering.rs` enforces the table.
//!
//! | room | may import | is |
//! |---|---|---|
//! | [`util`] | nothing of ours | secrets as types, clock, files, retry arithmetic |
//! | [`secrets`] | util | SOPS documents, opened in memory |
//! | [`github`] | util | signatures, App authentication, REST client |
//! | [`proxy`] | util, github | deliveries to a laptop: smee, relay, ngrok, polling |
//! | [`store`] | util | database, migrations, deliveries, jobs |
//! | [`jobs`] | util, store | the durable work queue: job trait, registry, runner |
//! | [`apps`] | util, github, store, jobs | what the served apps decide and do |
//! | [`server`] | all above but secrets and proxy | HTTP: ingest, API, docs, health, metrics |
//! | [`emulator`] | util, `github::signature` | a local GitHub with its own wire types |
//! | [`cli`] | all | commands; the only room that reads the environment, prints and exits |
#![forbid(unsafe_code)]

pub mod apps;
pub mod cli;
pub mod emulator;
pub mod github;
pub mod jobs;
pub mod proxy;
pub mod secrets;
pub mod server;
pub mod store;
pub mod util;
