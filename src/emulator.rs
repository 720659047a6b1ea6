//! A local GitHub for Apps: stateful, faithful, offline.
//!
//! Shares nothing with [`crate::github`] but the signature and the names of headers: were the wire types common, the
//! client and the emulator would agree on the same mistakes. It meets the server over HTTP only.
//!
//! [`state`] is the model and knows no HTTP; [`wire`] renders it as GitHub does; `routes` is one file per area of the
//! API; [`events`] turns what happened into deliveries and [`deliver`] sends them; [`person`] is what people do.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::util::Clock;

pub mod auth;
pub mod calls;
pub mod deliver;
pub mod error;
pub mod events;
pub mod faults;
pub mod fields;
pub mod graphql;
pub mod jwt;
pub mod keys;
pub mod manifest;
pub mod page;
pub mod path;
pub mod person;
pub mod reply;
pub mod routes;
pub mod seed;
mod serve;
pub mod state;
pub mod wire;

pub use person::Person;
pub use seed::Seed;

/// How an emulator is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where clients reach it; what the Host header of each request says when `None`.
    pub public_url: Option<Url>,
    /// The clock.
    pub clock: Clock,
    /// What exists at the start.
    pub seed: Seed,
}

impl Default for Options {
    fn default() -> Self {
        Self { public_url: None, clock: Clock::system(), seed: Seed::default() }
    }
}

/// Everything that a call may see or change, behind one lock: no call takes a millisecond.
pub struct Backend {
    /// The model.
    pub world: state::World,
    /// What was asked and answered.
    pub calls: calls::CallLog,
    /// What shall go wrong.
    pub faults: faults::Faults,
}

/// The lock's content, also after a panic: the model has no half-done state that matters more than going on.
pub(in crate::emulator) fn locked(backend: &Mutex<Backend>) -> MutexGuard<'_, Backend> {
    backend.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Serves the emulator on `listener` until `shutdown`.
///
/// # Errors
/// When the seed contradicts itself or the listener fails.
pub async fn run(listener: TcpListener, options: Options, shutdown: CancellationToken) -> std::io::Result<()> {
    let mut world = state::World::new(options.clock);
    options.seed.plant(&mut world).map_err(std::io::Error::other)?;
    let keys = world.keys.clone();
    // Making a key takes longer than any call may: one is kept ready.
    let spare = tokio::task::spawn_blocking(move || keys.fill());
    let backend = Backend { world, calls: calls::CallLog::default(), faults: faults::Faults::default() };
    let served = serve::serve(listener, options.public_url, Arc::new(Mutex::new(backend)), shutdown).await;
    // A key that is being made cannot be stopped; it takes a tenth of a second.
    let _ = spare.await;
    served
}
