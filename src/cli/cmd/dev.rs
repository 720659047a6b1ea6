//! `pforge dev`.

use url::Url;

use crate::cli::config::{ServerFlags, ServerSettings};
use crate::cli::cx::Cx;
use crate::cli::database::DatabaseFlags;
use crate::cli::dev::session::{self, Ending};
use crate::cli::dev::steps;
use crate::cli::dev::view::Combined;
use crate::cli::error::{Error, Result};
use crate::cli::proxy::{Register, Via};
use crate::cli::ui::{Tone, Ui};
use crate::github::api::apps::Installation;
use crate::store::DatabaseUrl;

/// From nothing to an App that receives, in one terminal
///
/// Does what is missing: a key, the API key, the App itself, its installation, the database; then
/// runs the proxy and the server with one view. Each step is told as the command that it equals,
/// and a step that is done is not done again.
#[derive(Debug, clap::Args)]
#[command(after_help = "Ctrl-C puts the webhook URL back and sums up; a second one kills.\n\n\
    Examples:\n  \
    pforge dev --account alice         # the first time\n  \
    pforge dev                         # every other time\n  \
    pforge dev --via poll --yes        # no tunnel\n  \
    pforge dev --watch                 # begins anew when the config changes")]
pub struct Args {
    /// Who owns the App, the first time [default: git config github.user]
    #[arg(long, value_name = "LOGIN")]
    account: Option<String>,
    /// The owner is an organisation
    #[arg(long)]
    org: bool,
    /// Keep the config in clear
    #[arg(long)]
    in_clear: bool,
    /// Print addresses instead of opening a browser
    #[arg(long)]
    no_browser: bool,
    /// Port of the page on which the App is created [default: 3000]
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// How deliveries come here: smee, relay, ngrok, poll
    #[arg(long, value_enum, value_name = "TRANSPORT", default_value = "smee", hide_possible_values = true)]
    via: Via,
    /// The channel, a server of channels, or (for ngrok) the agent's local API
    #[arg(long, value_name = "URL")]
    channel: Option<Url>,
    /// Change the App's webhook URL without asking
    #[arg(long, short)]
    yes: bool,
    /// Leave the App's webhook URL alone
    #[arg(long, conflicts_with = "yes")]
    no_register: bool,
    /// Begin anew when the config file changes
    #[arg(long)]
    watch: bool,
    #[command(flatten)]
    database: DatabaseFlags,
    #[command(flatten)]
    server: ServerFlags,
}

/// Takes the steps that are left, then runs until told to stop.
///
/// # Errors
/// When a step fails, or the proxy or the server cannot run.
pub fn run(args: Args, cx: &Cx) -> Result {
    cx.ui.status(cx.ui.paint(Tone::Strong, "pforge dev"));
    let wishes = steps::Wishes {
        account: args.account.clone(),
        organisation: args.org,
        in_clear: args.in_clear,
        no_browser: args.no_browser,
        port: args.port,
    };
    let (mut cx, installations) = steps::take(cx, &wishes)?;
    invite(&cx, &installations)?;
    loop {
        match once(&args, &cx)? {
            Ending::Stopped => return Ok(()),
            Ending::Changed => {
                cx.ui.status("The config changed; beginning anew.");
                cx = cx.beside(Ui::clone(&cx.ui));
            }
        }
    }
}

fn once(args: &Args, cx: &Cx) -> Result<Ending> {
    let file = cx.config()?;
    let register = match (args.yes, args.no_register) {
        (true, _) => Register::Yes,
        (_, true) => Register::No,
        _ => Register::Ask,
    };
    let wishes = session::Wishes {
        via: args.via,
        url: args.channel.clone(),
        register,
        database: database(args, cx)?,
        server: ServerSettings::resolve(&args.server, &cx.env, Some(&file))?,
        watch: args.watch,
    };
    let view = Combined::new(cx);
    cx.run_to_end(session::run(cx, &file, wishes, &view))
}

/// The database that is named anywhere, else a file in the folder.
fn database(args: &Args, cx: &Cx) -> Result<DatabaseUrl> {
    if args.database.is_named(cx) {
        return args.database.resolve(cx);
    }
    let root = std::path::absolute(&cx.settings.root.value)?;
    let url = format!("sqlite://{}", root.join("database.sqlite").display());
    cx.ui.status(format!("  {} export DATABASE_URL={url}", cx.ui.paint(Tone::Link, "→")));
    Ok(url.parse()?)
}

/// Says what would make GitHub send something.
fn invite(cx: &Cx, installations: &[Installation]) -> Result {
    let accounts: Vec<&str> =
        installations.iter().filter_map(|one| Some(one.account.as_ref()?.login.as_str())).collect();
    if accounts.is_empty() {
        let file = cx.config()?;
        let app = file.need_app()?;
        return Err(Error::failure(format!("{} is installed nowhere", app.app_name))
            .because("without an installation GitHub sends it nothing")
            .hint("pforge app show"));
    }
    cx.ui.status(format!("  {} {:<10} {}", cx.ui.paint(Tone::Good, "✓"), "installed", accounts.join(", ")));
    cx.ui.hint(format!("to see a delivery, open a pull request in a repository of {}", accounts.join(" or ")));
    Ok(())
}
