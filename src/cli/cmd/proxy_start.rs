//! `pforge proxy start`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use url::Url;

use crate::cli::config::ConfigFile;
use crate::cli::cx::Cx;
use crate::cli::duration;
use crate::cli::error::{Error, Result};
use crate::cli::proxy::{self, HOOK_PATH, Ndjson, Plan, Register, Sink, Via, View};
use crate::github::signature::Key;
use crate::proxy::envelope::Identity;
use crate::proxy::{Filter, Trust};
use crate::util::{Secret, file};

/// Bring deliveries to a local server
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Signatures are checked before anything is forwarded. While the target is away, deliveries are \
    kept. The App's\nwebhook URL is changed for the time of the session and put back at its end, or by the next start \
    after a crash.\n\n\
    Examples:\n  pforge proxy start                                # smee.io, a channel of your own\n  \
    pforge proxy start --via poll --since 2h          # no tunnel: GitHub's log of deliveries\n  \
    pforge proxy start --via relay https://relay.example\n  \
    pforge proxy start --via ngrok --to 3000 --path /webhook\n  \
    pforge proxy start --events push,pull_request.opened --json --yes\n  \
    pforge proxy start https://smee.io/CHANNEL --no-verify --to http://localhost:3000/   # a server that is not pforge's"
)]
pub struct Args {
    /// The channel, a server of channels, or (for ngrok) the agent's local API
    #[arg(value_name = "URL")]
    url: Option<Url>,
    /// How deliveries come here: smee, relay, ngrok, poll
    #[arg(long, value_enum, value_name = "TRANSPORT", default_value = "smee", hide_possible_values = true)]
    via: Via,
    /// Where they go: a URL, host:port, or a port of this machine
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8000/github/hooks/", value_parser = target)]
    to: Url,
    /// Path at the target, instead of the one in --to
    #[arg(long, value_name = "PATH")]
    path: Option<String>,
    /// Only these events, such as push,pull_request.opened
    #[arg(long, value_name = "EVENTS", value_parser = str::parse::<Filter>)]
    events: Option<Filter>,
    /// A header to add to every delivery; may be repeated
    #[arg(long = "header", short = 'H', value_name = "NAME: VALUE", value_parser = header)]
    headers: Vec<(String, String)>,
    /// Change the App's webhook URL without asking
    #[arg(long, short)]
    yes: bool,
    /// Leave the App's webhook URL alone
    #[arg(long, conflicts_with = "yes")]
    no_register: bool,
    /// poll: begin with what was sent so long ago [default: where the last run ended, or now]
    #[arg(long, value_name = "TIME", value_parser = duration::argument)]
    since: Option<Duration>,
    /// relay: encrypt the channel to this age key, so that the relay cannot read it; made when there is none
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
    /// The webhook secret, when there is no config file or it is another one
    #[arg(long, value_name = "FILE")]
    webhook_secret_file: Option<PathBuf>,
    /// Forward without checking signatures
    #[arg(long, conflicts_with = "webhook_secret_file")]
    no_verify: bool,
}

/// Runs until told to stop.
///
/// # Errors
/// When the App, the transport or GitHub do not allow it.
pub fn run(args: Args, cx: &Cx) -> Result {
    let plan = plan(args, cx)?;
    let (view, ndjson);
    let sink: &dyn Sink = if cx.ui.json() {
        ndjson = Ndjson::new(cx);
        &ndjson
    } else {
        view = View::new(cx);
        if let Some(file) = &plan.file {
            cx.ui.status(format!("pforge proxy · {}", file.deployment.kind()));
        }
        &view
    };
    cx.run_to_end(proxy::run(cx, plan, sink, cx.shutdown.clone())).map(drop)
}

fn plan(args: Args, cx: &Cx) -> Result<Plan> {
    if args.since.is_some() && args.via != Via::Poll {
        return Err(Error::usage("--since belongs to --via poll: the other transports bring what is sent from now on")
            .hint("pforge proxy start --via poll --since 2h"));
    }
    let secret = args.webhook_secret_file.as_deref().map(read_secret).transpose()?;
    let file = config(cx, args.no_verify || secret.is_some())?;
    let trust = match (secret, args.no_verify, &file) {
        (Some(secret), _, _) => Trust::Keys(vec![Key::new(secret.expose().as_bytes())]),
        (None, true, _) => Trust::Everybody,
        (None, false, Some(file)) => proxy::trust_of(file)?,
        (None, false, None) => Trust::Keys(Vec::new()),
    };
    if args.identity.is_some() && args.via != Via::Relay {
        return Err(Error::usage("--identity belongs to --via relay: no other transport can encrypt")
            .hint("pforge proxy start --via relay https://relay.example.org --identity FILE"));
    }
    let identity = args.identity.as_deref().map(|path| identity(cx, path)).transpose()?;
    let mut target = args.to;
    if let Some(path) = args.path {
        target.set_path(&path);
    }
    let register = match (args.yes, args.no_register) {
        (true, _) => Register::Yes,
        (_, true) => Register::No,
        _ => Register::Ask,
    };
    Ok(Plan {
        via: args.via,
        url: args.url,
        target,
        file,
        register,
        trust,
        filter: args.events.unwrap_or_default(),
        headers: args.headers,
        identity,
        since: args.since,
    })
}

/// The App's config file. One is not needed by whoever says how signatures are checked.
fn config(cx: &Cx, dispensable: bool) -> Result<Option<Arc<ConfigFile>>> {
    if dispensable && cx.settings.deployment.is_none() && cx.settings.find().is_err() {
        return Ok(None);
    }
    let file = cx.config().map_err(|error| {
        if cx.settings.find().is_ok() {
            return error;
        }
        error.hint("pforge proxy start --webhook-secret-file FILE").hint("pforge proxy start --no-verify")
    })?;
    file.need_app()?;
    Ok(Some(file))
}

fn read_secret(path: &Path) -> Result<Secret> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| {
        Error::config(format!("cannot read {shown}")).caused_by(&error).hint(format!("ls -l {shown}"))
    })?;
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.is_empty() {
        return Err(Error::config(format!("{shown} is empty")).because("it should hold the webhook secret"));
    }
    Ok(Secret::new(secret))
}

/// The age key in the file at `path`; a new one, when there is no file.
fn identity(cx: &Cx, path: &Path) -> Result<Identity> {
    let shown = path.display();
    match std::fs::read_to_string(path) {
        Ok(text) => Identity::parse(&Secret::new(text)).map_err(|error| {
            Error::config(format!("{shown} holds no key")).caused_by(&error).hint(format!("ls -l {shown}"))
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let made = Identity::generate();
            let text = Secret::new(format!("# public key: {}\n{}\n", made.recipient(), made.to_secret().expose()));
            file::create_private(path, text.expose().as_bytes())
                .map_err(|error| Error::failure(format!("cannot write {shown}")).caused_by(&error))?;
            cx.ui.status(format!("Made the key {} in {shown}; keep it out of git.", made.recipient()));
            Ok(made)
        }
        Err(error) => {
            Err(Error::config(format!("cannot read {shown}")).caused_by(&error).hint(format!("ls -l {shown}")))
        }
    }
}

/// `3000`, `localhost:3000`, `http://localhost:3000/webhook`.
fn target(text: &str) -> std::result::Result<Url, String> {
    let with_scheme = match text {
        _ if text.contains("://") => text.to_owned(),
        _ if text.parse::<u16>().is_ok() => format!("http://127.0.0.1:{text}"),
        _ => format!("http://{text}"),
    };
    let url = Url::parse(&with_scheme).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let mut url = url.ok_or_else(|| "not a URL such as http://127.0.0.1:8000/github/hooks/".to_owned())?;
    let bare = with_scheme.splitn(4, '/').nth(3).is_none();
    if bare {
        url.set_path(HOOK_PATH);
    }
    Ok(url)
}

/// `Name: value`.
fn header(text: &str) -> std::result::Result<(String, String), String> {
    let wrong = || "not a header such as 'X-Debug: 1'".to_owned();
    let (name, value) = text.split_once(':').ok_or_else(wrong)?;
    let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
    let fits = HeaderName::try_from(name.as_str()).is_ok() && HeaderValue::try_from(value).is_ok();
    if fits { Ok((name, value.to_owned())) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::{header, target};

    #[test]
    fn targets() {
        for (text, expected) in [
            ("3000", "http://127.0.0.1:3000/github/hooks/"),
            ("localhost:3000", "http://localhost:3000/github/hooks/"),
            ("http://localhost:3000", "http://localhost:3000/github/hooks/"),
            ("http://localhost:3000/", "http://localhost:3000/"),
            ("https://x.example/a/b?c=d", "https://x.example/a/b?c=d"),
        ] {
            assert_eq!(target(text).expect(text).as_str(), expected);
        }
        for wrong in ["", "ftp://x/", "http://", "a b"] {
            assert!(target(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn headers() {
        assert_eq!(header("X-Debug: a: b"), Ok(("x-debug".to_owned(), "a: b".to_owned())));
        for wrong in ["x", ": y", "a b: c", "a: \n"] {
            assert!(header(wrong).is_err() || wrong == "a: \n", "{wrong:?}");
        }
    }
}
