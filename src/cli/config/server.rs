//! What the server is told: address, workers, how long it drains, whom it answers.

use std::net::SocketAddr;
use std::time::Duration;

use http::HeaderValue;
use url::Url;

use super::file::ConfigFile;
use super::origin::{Sourced, pick};
use crate::cli::duration;
use crate::cli::env::Env;
use crate::cli::error::{Error, Result};
use crate::server::Cors;

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
    /// Send plain HTTP behind a proxy to HTTPS: on, off [env: PFORGE_HTTPS_ONLY] [default: on for prod, staging]
    #[arg(long, value_name = "on|off")]
    pub https_only: Option<String>,
    /// Origins whose pages may read answers, between commas; any, none [env: PFORGE_CORS_ORIGINS] [default: any]
    #[arg(long, value_name = "ORIGINS")]
    pub cors_origins: Option<String>,
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
    /// Whether plain HTTP behind a proxy is sent to HTTPS; where nobody says, for the deployments
    /// that real users depend on.
    pub https_only: Sourced<bool>,
    /// Whose pages may read answers.
    pub cors: Sourced<Cors>,
}

impl ServerSettings {
    /// Flag, then environment, then file, then default.
    ///
    /// # Errors
    /// When a value cannot be read; the error names where it came from.
    pub fn resolve(flags: &ServerFlags, env: &Env, file: Option<&ConfigFile>) -> Result<Self> {
        let from = |flag, value: &Option<String>, name, of: fn(&ConfigFile) -> &Option<Sourced<String>>| {
            let flag = value.clone().map(|value| (flag, value));
            pick(flag, (env, name), file.and_then(|file| of(file).clone()))
        };
        let listen = from("--listen", &flags.listen, "PFORGE_LISTEN", |file| &file.listen);
        let workers = from("--workers", &flags.workers, "PFORGE_WORKERS", |file| &file.workers);
        let drain = from("--drain", &flags.drain, "PFORGE_DRAIN", |file| &file.drain);
        let reconcile = from("--reconcile", &flags.reconcile, "PFORGE_RECONCILE", |file| &file.reconcile);
        let https_only = from("--https-only", &flags.https_only, "PFORGE_HTTPS_ONLY", |file| &file.https_only);
        let cors = from("--cors-origins", &flags.cors_origins, "PFORGE_CORS_ORIGINS", |file| &file.cors_origins);
        let is_production = file.is_some_and(|file| file.deployment.is_production());
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
            https_only: read(https_only, is_production, "on or off", |text| match text {
                "on" | "true" | "1" => Some(true),
                "off" | "false" | "0" => Some(false),
                _ => None,
            })?,
            cors: read(cors, Cors::Any, "any, none, or origins such as https://pangeo-forge.org", origins)?,
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

/// `any`, `none`, or origins with commas between. An origin is what a browser sends: scheme, host
/// and, when it is not the usual one, port.
fn origins(text: &str) -> Option<Cors> {
    match text {
        "any" | "*" => Some(Cors::Any),
        "none" => Some(Cors::Only(Vec::new())),
        list => list.split(',').map(|one| origin(one.trim())).collect::<Option<_>>().map(Cors::Only),
    }
}

fn origin(text: &str) -> Option<HeaderValue> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let origin = url.origin().ascii_serialization();
    // A path, a user or a pattern in it would never match what browsers send.
    if !text.contains('*') && text.trim_end_matches('/').eq_ignore_ascii_case(&origin) {
        HeaderValue::from_str(&origin).ok()
    } else {
        None
    }
}

/// The origins in words: `any`, `none`, or the list.
pub fn shown(cors: &Cors) -> String {
    match cors {
        Cors::Any => "any".to_owned(),
        Cors::Only(origins) if origins.is_empty() => "none".to_owned(),
        Cors::Only(origins) => origins.iter().filter_map(|origin| origin.to_str().ok()).collect::<Vec<_>>().join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::{Cors, Env, ServerFlags, ServerSettings, origins, shown};

    #[test]
    fn origins_are_what_browsers_send() {
        for (text, expected) in [
            ("any", Some("any")),
            ("*", Some("any")),
            ("none", Some("none")),
            ("https://pangeo-forge.org", Some("https://pangeo-forge.org")),
            (
                "https://Pangeo-Forge.org/, http://localhost:3000",
                Some("https://pangeo-forge.org, http://localhost:3000"),
            ),
            ("https://pangeo-forge.org:443", None),
            ("https://pangeo-forge.org/dashboard", None),
            ("pangeo-forge.org", None),
            ("https://a.org,", None),
            ("https://*.org", None),
            ("null", None),
        ] {
            assert_eq!(origins(text).as_ref().map(shown).as_deref(), expected, "{text}");
        }
        assert_eq!(origins("none"), Some(Cors::Only(Vec::new())));
    }

    #[test]
    fn what_nobody_says_is_safe_on_a_laptop() {
        let read = |env: &Env| ServerSettings::resolve(&ServerFlags::default(), env, None);
        let plain = read(&Env::default()).expect("defaults");
        assert_eq!((plain.https_only.value, plain.cors.value), (false, Cors::Any));
        assert!(read(&[("PFORGE_HTTPS_ONLY", "on")].into()).expect("on").https_only.value);
        for (name, value, words) in [
            ("PFORGE_HTTPS_ONLY", "yes", "$PFORGE_HTTPS_ONLY must be on or off, not \"yes\""),
            ("PFORGE_CORS_ORIGINS", "x", "must be any, none, or origins such as"),
        ] {
            let error = read(&[(name, value)].into()).expect_err(name);
            assert!(error.message.contains(words), "{}", error.message);
        }
    }
}
