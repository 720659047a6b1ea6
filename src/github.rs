//! GitHub as an App sees it: webhook signatures, App authentication, and the REST client.
//!
//! The base URL is data, so that github.com, an Enterprise Server and the emulator are the same
//! thing to this room.
//!
//! A call travels down three floors, each of which knows only the one below:
//! [`client`] (who speaks: JWT or installation token, and how a 401 is healed), `send` (one
//! exchange: limits, retries, redirects) and the HTTP library.

pub mod api;
pub mod auth;
pub mod call;
pub mod client;
pub mod error;
mod etag;
pub mod events;
pub mod explain;
mod flight;
pub mod headers;
mod jwt;
pub mod manifest;
pub mod missed;
pub mod pages;
pub mod payloads;
mod pem;
pub mod rate;
pub mod rights;
mod send;
pub mod signature;
mod tokens;

pub use auth::{AppCredentials, Auth, Scope, Target};
pub use call::{Answer, Call};
pub use client::{Client, Config, Repository, Tuning};
pub use error::{Error, StatusError};
pub use pem::private_key;
pub use tokens::InstallationToken;
