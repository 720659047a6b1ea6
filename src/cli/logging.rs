//! Logs: always on standard error, as text or as JSON lines.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::env::Env;
use super::error::{Error, Result};

/// The form of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts logging. `PFORGE_LOG` (`LEVEL` or `TARGET=LEVEL,…`) outweighs `-v` and `-q`.
///
/// # Errors
/// When `PFORGE_LOG` cannot be read.
pub fn start(format: Format, level: LevelFilter, color: bool, env: &Env) -> Result {
    let filter = filter(level, env)?;
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(color);
    let layer = match format {
        Format::Text => layer.with_target(level >= LevelFilter::DEBUG).boxed(),
        Format::Json => layer.json().flatten_event(true).boxed(),
    };
    // Fails only when a subscriber is there already, which then does the work.
    let _ = tracing_subscriber::registry().with(layer.with_filter(filter)).try_init();
    Ok(())
}

/// The level of our own code: what the command has by default, more for each `-v`, less for `-q`.
pub fn level(default: LevelFilter, verbose: u8, quiet: bool) -> LevelFilter {
    match (quiet, verbose) {
        (true, _) => LevelFilter::ERROR,
        (_, 0) => default,
        (_, 1) => LevelFilter::DEBUG,
        (_, _) => LevelFilter::TRACE,
    }
}

fn filter(ours: LevelFilter, env: &Env) -> Result<Targets> {
    if let Some(text) = env.get("PFORGE_LOG") {
        return text.parse().map_err(|error| {
            Error::config("PFORGE_LOG cannot be read").because(error).hint("export PFORGE_LOG=pforge=debug,warn")
        });
    }
    // Libraries stay quiet unless asked for by name: at their lower levels they tell wire data.
    let theirs = match ours {
        LevelFilter::TRACE => LevelFilter::INFO,
        _ => ours.min(LevelFilter::WARN),
    };
    Ok(Targets::new().with_default(theirs).with_target("pforge", ours))
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::{Env, LevelFilter, filter, level};

    #[test]
    fn levels_follow_flags_and_the_variable_wins() {
        let none = Env::default();
        let named: Env = [("PFORGE_LOG", "warn,pforge=trace")].into();
        for (verbose, quiet, env, target, at, expected) in [
            (0, false, &none, "pforge::server", Level::INFO, true),
            (0, false, &none, "pforge::server", Level::DEBUG, false),
            (0, false, &none, "hyper", Level::INFO, false),
            (1, false, &none, "pforge::server", Level::DEBUG, true),
            (2, false, &none, "hyper", Level::DEBUG, false),
            (0, true, &none, "pforge::server", Level::WARN, false),
            (0, true, &named, "pforge::server", Level::TRACE, true),
        ] {
            let filter = filter(level(LevelFilter::INFO, verbose, quiet), env).expect("filter");
            assert_eq!(filter.would_enable(target, &at), expected, "-v×{verbose} -q={quiet} {target} {at}");
        }
        assert!(filter(LevelFilter::INFO, &[("PFORGE_LOG", "pforge=loud")].into()).is_err());
    }
}
