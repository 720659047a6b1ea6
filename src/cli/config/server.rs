//! What the server is told: address, workers, how long it drains.

use std::net::SocketAddr;
use std::time::Duration;

use super::file::ConfigFile;
use super::origin::{Sourced, pick};
use crate::cli::duration;
use crate::cli::env::Env;
use crate::cli::error::{Error, Result};

/// How often what GitHub could not deliver is looked for.
const RECONCILE: Duration = Duration::from_secs(300);

/// Flags of `serve` that also have a variable and a config key.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct ServerFlags {
    /// Address to listen on; port 0 takes any free one [env: PFORGE_LISTEN] [default: 127.0.0.1:8000]
    #[arg(long, value_name = "ADDR:PORT")]
    pub listen: Option<String>,
    /// Jobs at a time; 0 only receives [env: PFORGE_WORKERS] [default: 4]
    #[arg(long, value_name = "N")]
    pub workers: Option<String>,
    /// How long a shutdown waits for requests and jobs [env: PFORGE_DRAIN] [default: 20s]
    #[arg(long, value_name = "TIME")]
    pub drain: Option<String>,
    /// How often to fetch what GitHub could not deliver, or off [env: PFORGE_RECONCILE] [default: 5m]
    #[arg(long, value_name = "TIME|off")]
    pub reconcile: Option<String>,
}

/// What the server is told, resolved.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// Where to listen.
    pub listen: Sourced<SocketAddr>,
    /// Jobs at a time.
    pub workers: Sourced<usize>,
    /// How long a shutdown waits.
    pub drain: Sourced<Duration>,
    /// Time between two looks for what GitHub could not deliver; `None` never looks.
    pub reconcile: Sourced<Option<Duration>>,
}

impl ServerSettings {
    /// Flag, then environment, then file, then default.
    ///
    /// # Errors
    /// When a value cannot be read; the error names where it came from.
    pub fn resolve(flags: &ServerFlags, env: &Env, file: Option<&ConfigFile>) -> Result<Self> {
        let flag = |name, value: &Option<String>| value.clone().map(|value| (name, value));
        let listen =
            pick(flag("--listen", &flags.listen), (env, "PFORGE_LISTEN"), file.and_then(|file| file.listen.clone()));
        let workers = pick(
            flag("--workers", &flags.workers),
            (env, "PFORGE_WORKERS"),
            file.and_then(|file| file.workers.clone()),
        );
        let drain =
            pick(flag("--drain", &flags.drain), (env, "PFORGE_DRAIN"), file.and_then(|file| file.drain.clone()));
        let reconcile = pick(
            flag("--reconcile", &flags.reconcile),
            (env, "PFORGE_RECONCILE"),
            file.and_then(|file| file.reconcile.clone()),
        );
        Ok(Self {
            listen: read(
                listen,
                SocketAddr::from(([127, 0, 0, 1], 8000)),
                "an address such as 127.0.0.1:8000",
                |text| text.parse().ok(),
            )?,
            workers: read(workers, 4, "a whole number", |text| text.parse().ok())?,
            drain: read(drain, Duration::from_secs(20), "a time such as 20s or 2m", duration::parse)?,
            reconcile: read(reconcile, Some(RECONCILE), "off, or a time of 1s at least", |text| match text {
                "off" => Some(None),
                time => duration::parse(time).filter(|time| *time >= Duration::from_secs(1)).map(Some),
            })?,
        })
    }
}

fn read<T>(
    given: Option<Sourced<String>>,
    default: T,
    expected: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Sourced<T>> {
    let Some(given) = given else { return Ok(Sourced::default(default)) };
    let value = parse(given.value.trim()).ok_or_else(|| {
        Error::config(format!("{} must be {expected}, not {:?}", given.origin.named(), given.value))
            .hint(given.origin.remedy())
    })?;
    Ok(Sourced { value, origin: given.origin })
}
