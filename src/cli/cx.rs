//! What every command is given.

use std::future::Future;
#[cfg(unix)]
use std::future::poll_fn;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
#[cfg(unix)]
use std::task::Poll;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::config::{ConfigFile, Settings};
use super::env::Env;
use super::error::{Error, Kind, Result};
use super::exit;
use super::secrets::identities::{self, Found};
use super::ui::Ui;
use crate::util::Clock;

/// The context of a command.
pub struct Cx {
    /// The printer.
    pub ui: Arc<Ui>,
    /// Flags and environment, resolved; the config file is read on demand.
    pub settings: Settings,
    /// The environment.
    pub env: Env,
    /// The clock.
    pub clock: Clock,
    /// Cancelled by Ctrl-C and SIGTERM.
    pub shutdown: CancellationToken,
    file: OnceLock<Arc<ConfigFile>>,
    found: Mutex<Vec<(Vec<String>, Arc<Found>)>>,
}

impl Cx {
    /// A context; touches neither files nor network.
    pub fn new(ui: Ui, settings: Settings, env: Env) -> Self {
        Self {
            ui: Arc::new(ui),
            settings,
            env,
            clock: Clock::system(),
            shutdown: CancellationToken::new(),
            file: OnceLock::new(),
            found: Mutex::default(),
        }
    }

    /// The context of a command that runs within this one: the same settings, identities and end;
    /// the config file is read anew.
    pub fn beside(&self, ui: Ui) -> Self {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Self {
            ui: Arc::new(ui),
            settings: self.settings.clone(),
            env: self.env.clone(),
            clock: self.clock.clone(),
            shutdown: self.shutdown.clone(),
            file: OnceLock::new(),
            found: Mutex::new(found),
        }
    }

    /// The config file of the deployment, read and checked once.
    ///
    /// # Errors
    /// One with advice for each way in which it can be missing or wrong.
    pub fn config(&self) -> Result<Arc<ConfigFile>> {
        if let Some(file) = self.file.get() {
            return Ok(Arc::clone(file));
        }
        let file = Arc::new(self.settings.load(self)?);
        Ok(Arc::clone(self.file.get_or_init(|| file)))
    }

    /// The identities for a document with these recipients. They are looked for once, so that many
    /// files ask for a passphrase once.
    pub fn identities(&self, recipients: &[String]) -> Arc<Found> {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, known)) = found.iter().find(|(known, _)| known == recipients) {
            return Arc::clone(known);
        }
        let new = Arc::new(identities::collect(&self.env, &self.ui, &self.settings.root.value, recipients));
        found.push((recipients.to_vec(), Arc::clone(&new)));
        new
    }

    /// Runs `work` until it ends or the user interrupts it.
    ///
    /// # Errors
    /// What `work` fails with, or [`Kind::Interrupted`].
    pub fn run<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let shutdown = self.shutdown.clone();
        self.run_to_end(async move {
            tokio::select! {
                done = work => done,
                () = shutdown.cancelled() => Err(Error::new(Kind::Interrupted, "interrupted")),
            }
        })
    }

    /// Runs `work`, which watches [`Cx::shutdown`] itself and ends gracefully.
    ///
    /// # Errors
    /// What `work` fails with.
    pub fn run_to_end<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let runtime = Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|error| Error::failure("cannot start the runtime").caused_by(&error))?;
        self.watch_signals(&runtime);
        let done = runtime.block_on(work);
        // A blocking task that hangs must not keep the process.
        runtime.shutdown_timeout(Duration::from_millis(200));
        done
    }

    fn watch_signals(&self, runtime: &Runtime) {
        let shutdown = self.shutdown.clone();
        // Before any work begins: who is told "ready" may ask for the end in the same moment.
        let mut signals = {
            let _inside = runtime.enter();
            Signals::new()
        };
        runtime.spawn(async move {
            signals.next().await;
            shutdown.cancel();
            signals.next().await;
            exit::kill();
        });
    }
}

/// Ctrl-C and, on Unix, SIGTERM. One that cannot be listened to never comes.
#[cfg(unix)]
struct Signals(Vec<Signal>);

#[cfg(unix)]
impl Signals {
    fn new() -> Self {
        let kinds = [SignalKind::interrupt(), SignalKind::terminate()];
        Self(kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect())
    }

    async fn next(&mut self) {
        let signals = &mut self.0;
        poll_fn(|cx| {
            let heard = signals.iter_mut().any(|signal| matches!(signal.poll_recv(cx), Poll::Ready(Some(()))));
            if heard { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

/// Ctrl-C. Where it cannot be listened to it never comes.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> Self {
        Self
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
