//! `pforge relay`.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use url::Url;

use crate::cli::cx::Cx;
use crate::cli::duration;
use crate::cli::error::{Error, Result};
use crate::cli::ui::{Tone, Ui};
use crate::proxy::relay::{self, Keep, Limits, Options, Posted, Rate};
use crate::util::Clock;
use crate::util::text::truncate;

/// How often a listener hears that the connection lives; smee's clients expect it.
const PING: Duration = Duration::from_secs(30);

/// At the end, how long the last lines may take to be printed.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Events that may wait to be printed.
const WAITING: usize = 1024;

/// Run a channel server that speaks smee
#[derive(Debug, clap::Args)]
#[command(after_help = "Every event is on disk before it is acknowledged; a listener that comes back gets what it \
    missed. Serve it to GitHub over TLS: put a proxy in front and say --public-url.\n\n\
    Examples:\n  pforge relay\n  pforge relay --listen 127.0.0.1:0 --json   # first line: {\"type\":\"ready\",\"url\":…}\n  \
    pforge relay --public-url https://relay.example.org --data /var/lib/pforge-relay\n  \
    pforge proxy start --via relay http://127.0.0.1:3300/CHANNEL")]
pub struct Args {
    /// Address to listen on; port 0 takes any free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:3300")]
    listen: SocketAddr,
    /// The address under which others reach it, such as https://relay.example.org
    #[arg(long, value_name = "URL")]
    public_url: Option<Url>,
    /// Where events are kept [default: $XDG_STATE_HOME/pforge/relay]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// How long events are kept
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = duration::argument)]
    keep: Duration,
    /// How many events of a channel are kept
    #[arg(long, value_name = "N", default_value = "10000")]
    max_events: usize,
    /// How many bytes of a channel's events are kept, such as 500k or 2g
    #[arg(long, value_name = "SIZE", default_value = "256m", value_parser = size)]
    max_bytes: u64,
    /// The largest body that is taken; GitHub sends up to 25 MB
    #[arg(long, value_name = "SIZE", default_value = "25m", value_parser = size)]
    max_body: u64,
    /// How many bytes all channels together may keep on disk
    #[arg(long, value_name = "SIZE", default_value = "10g", value_parser = size)]
    max_disk: u64,
    /// How many channels there may be
    #[arg(long, value_name = "N", default_value = "1000")]
    max_channels: usize,
    /// How many may listen to one channel
    #[arg(long, value_name = "N", default_value = "100")]
    max_listeners: usize,
    /// Posts a second to one channel, in the long run
    #[arg(long, value_name = "N", default_value = "100", value_parser = clap::value_parser!(u32).range(1..))]
    max_rate: u32,
    /// Delete a channel that nobody used for this long
    #[arg(long, value_name = "TIME", default_value = "720h", value_parser = duration::argument)]
    expire: Duration,
}

/// Reads `500k`, `25m`, `2g` or plain bytes.
fn size(text: &str) -> std::result::Result<u64, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor = match unit.to_ascii_lowercase().as_str() {
        "" => Some(1),
        "k" => Some(1 << 10),
        "m" => Some(1 << 20),
        "g" => Some(1 << 30),
        _ => None,
    };
    let bytes = factor.and_then(|factor: u64| number.parse::<u64>().ok()?.checked_mul(factor));
    bytes.filter(|bytes| *bytes > 0).ok_or_else(|| "not a size such as 500k, 25m or 2g".to_owned())
}

/// Serves until told to stop.
///
/// # Errors
/// When the port is taken, or the data folder is in use or cannot be written.
pub fn run(args: Args, cx: &Cx) -> Result {
    let data = match &args.data {
        Some(data) => data.clone(),
        None => default_data(cx)?,
    };
    if let Some(url) = &args.public_url
        && (!matches!(url.scheme(), "http" | "https") || url.query().is_some())
    {
        return Err(Error::usage(format!("--public-url {url} is not the address of a web server"))
            .hint("pforge relay --public-url https://relay.example.org"));
    }
    cx.run_to_end(async {
        let listener = TcpListener::bind(args.listen).await.map_err(|error| {
            Error::failure(format!("cannot listen on {}", args.listen))
                .caused_by(&error)
                .hint(format!("pforge relay --listen {}:0", args.listen.ip()))
        })?;
        let url = match &args.public_url {
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            None => format!("http://{}", listener.local_addr()?),
        };
        let options = options(&args, cx, data.clone())?;
        let (told, posted) = mpsc::channel(WAITING);
        let serving = relay::Server::open(options).await.map_err(|error| unopened(&data, &error))?;
        ready(&args, cx, &url, &data)?;
        // Aside: who does not read the output must not hold up the relay.
        let (ui, clock) = (Arc::clone(&cx.ui), cx.clock.clone());
        let printing = tokio::task::spawn_blocking(move || print(&ui, &clock, posted));
        serving.run(listener, told, cx.shutdown.clone()).await;
        let Ok(Ok(count)) = tokio::time::timeout(LAST_WORDS, printing).await else {
            return Ok(());
        };
        if cx.ui.json() {
            return cx.ui.event(&json!({ "type": "stopped", "events": count }));
        }
        cx.ui.status(format!("Stopped; {} received, all kept.", crate::util::text::plural(count, "event")));
        Ok(())
    })
}

fn default_data(cx: &Cx) -> Result<PathBuf> {
    let home = || cx.env.path("HOME").or_else(|| cx.env.path("USERPROFILE")).map(|home| home.join(".local/state"));
    let folder = cx.env.path("XDG_STATE_HOME").or_else(home);
    folder.map(|folder| folder.join("pforge/relay")).ok_or_else(|| {
        Error::config("neither XDG_STATE_HOME nor HOME is set: there is no place to keep events")
            .hint("pforge relay --data ./relay")
    })
}

fn options(args: &Args, cx: &Cx, data: PathBuf) -> Result<Options> {
    let body = usize::try_from(args.max_body).map_err(|_| Error::usage("--max-body is too large"))?;
    let defaults = Limits::default();
    let per_second = f64::from(args.max_rate);
    Ok(Options {
        data,
        public_url: args.public_url.clone(),
        keep: Keep { age: args.keep, events: args.max_events.max(1), bytes: args.max_bytes },
        limits: Limits {
            body,
            bodies: defaults.bodies.max(body.saturating_mul(4)),
            disk: args.max_disk,
            channels: args.max_channels,
            listeners: args.max_listeners,
            rate: Rate { per_second, burst: per_second * 20.0 },
            idle: args.expire,
            ..defaults
        },
        ping: PING,
        clock: cx.clock.clone(),
    })
}

fn unopened(data: &std::path::Path, error: &io::Error) -> Error {
    let told = Error::failure(format!("cannot keep events in {}", data.display()));
    match error.kind() {
        io::ErrorKind::WouldBlock => {
            told.because("another pforge relay uses this folder").hint("pforge relay --data ./relay")
        }
        _ => told.caused_by(error).hint("pforge relay --data ./relay"),
    }
}

/// Tells that the relay answers, and where.
fn ready(args: &Args, cx: &Cx, url: &str, data: &std::path::Path) -> Result {
    if cx.ui.json() {
        return cx.ui.event(&json!({
            "type": "ready",
            "url": url,
            "new": format!("{url}/new"),
            "data": data,
            "pid": std::process::id(),
        }));
    }
    let link = |text: &str| cx.ui.paint(Tone::Link, text);
    let kept = crate::util::text::duration(args.keep);
    cx.ui.status("pforge relay · a channel server that speaks smee");
    cx.ui.facts(&[
        ("listening", link(url)),
        ("keeps", format!("{kept} of events in {}", data.display())),
        ("new", format!("open {} for a channel", link(&format!("{url}/new")))),
        ("receive", format!("pforge proxy start --via relay {url}/CHANNEL")),
    ]);
    Ok(())
}

/// Prints a line for each event until the relay ends; how many there were.
fn print(ui: &Ui, clock: &Clock, mut posted: mpsc::Receiver<Posted>) -> u64 {
    let mut count = 0;
    while let Some(event) = posted.blocking_recv() {
        count += 1;
        if ui.json() {
            let mut line = json!({ "type": if event.again { "redelivered" } else { "received" } });
            if let (Some(line), Ok(serde_json::Value::Object(fields))) =
                (line.as_object_mut(), serde_json::to_value(&event))
            {
                line.extend(fields.into_iter().filter(|(name, _)| name != "again"));
            }
            // Who reads no more does not end the relay.
            let _ = ui.event(&line);
        } else {
            ui.status(line(ui, clock, &event));
        }
    }
    count
}

/// `21:01:06  → pull_request.opened  alice/mock  f6b3bbf0  12 kB  pGKLaD…  2 listening`.
fn line(ui: &Ui, clock: &Clock, event: &Posted) -> String {
    let time = clock.now().format("%H:%M:%S").to_string();
    let arrow = if event.again { "↻" } else { "→" };
    let guid = truncate(&event.guid, 9);
    let listening = match event.listeners {
        0 => ui.paint(Tone::Warn, "nobody listens; kept"),
        count => ui.paint(Tone::Dim, &format!("{count} listening")),
    };
    let sealed = if event.encrypted { " · encrypted" } else { "" };
    format!(
        "{}  {arrow} {:<28} {:<24} {guid:<9} {:>9}  {}  {listening}{sealed}",
        ui.paint(Tone::Dim, &time),
        truncate(&printable(&event.event), 28),
        truncate(&printable(&event.repo), 24),
        bytes(event.bytes),
        event.channel,
    )
}

/// Anybody may post: what they wrote must not steer the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '·' } else { c }).collect()
}

fn bytes(count: usize) -> String {
    match count {
        0..1000 => format!("{count} B"),
        1000..1_000_000 => format!("{:.1} kB", count as f64 / 1e3),
        _ => format!("{:.1} MB", count as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::{bytes, printable, size};

    #[test]
    fn sizes() {
        for (text, expected) in
            [("1", Some(1)), ("500k", Some(512_000)), ("25M", Some(25 << 20)), ("2g", Some(2 << 30))]
        {
            assert_eq!(size(text).ok(), expected, "{text}");
        }
        for bad in ["", "0", "k", "1.5m", "-1", "99999999999g", "1t"] {
            assert!(size(bad).is_err(), "{bad}");
        }
        assert_eq!([bytes(999), bytes(1500), bytes(2_500_000)], ["999 B", "1.5 kB", "2.5 MB"]);
    }

    #[test]
    fn nothing_steers_the_terminal() {
        assert_eq!(printable("push\u{1b}[2J\r\n"), "push·[2J··");
    }
}
