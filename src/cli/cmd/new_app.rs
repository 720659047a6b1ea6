//! `pforge new-app`.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::cli::app::credentials;
use crate::cli::app::manifest::{Own, network};
use crate::cli::app::owner::Account;
use crate::cli::config::section::Place;
use crate::cli::cx::Cx;
use crate::cli::duration;
use crate::cli::error::{Error, Result};
use crate::cli::new_app::site::Listeners;
use crate::cli::new_app::{Options, Plan, create, interrupted};
use crate::github::Client;
use crate::github::explain::web_url;
use crate::github::manifest::Deployment;
use crate::util::Secret;
use crate::util::id::random_hex;

/// Create a GitHub App and store its credentials, encrypted
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A page on this machine shows what the App will be like and sends you to GitHub, which sends you back with the\n\
    credentials. They go into secrets/config.<app>.yaml, encrypted when recipients are known (see `pforge secrets\n\
    encrypt --help`); a file that has an App already is not touched. Then the command waits until the App is\n\
    installed; Ctrl-C ends the waiting, the App is saved by then.\n\n\
    What the App is like: the defaults of the deployment, with each key of the section `manifest` in pforge.yaml\n\
    (or of the file named by --manifest) in the place of the default's. What GitHub would refuse is told\n\
    before the browser opens.\n\n\
    Exit codes: 0 the App is saved; 1 nobody came within --timeout, or GitHub refused the code; 3 the manifest or\n\
    the config file is wrong; 5 no such account; 130 interrupted before there was an App.\n\n\
    Examples:\n  \
    pforge new-app alice local\n  \
    pforge new-app acme review 80 --org\n  \
    pforge new-app alice local --dry-run            # the manifest, and where it would go\n  \
    pforge new-app alice local --port 3001 --no-browser\n  \
    pforge --github-url https://ghes.example/api/v3 new-app alice local"
)]
pub struct Args {
    /// The person or organisation that will own the App
    #[arg(value_name = "ACCOUNT")]
    account: String,
    /// What the App is for
    #[arg(value_name = "DEPLOYMENT", value_enum)]
    purpose: Purpose,
    /// The pull request, for review
    #[arg(value_name = "PR", required_if_eq("purpose", "review"))]
    pull_request: Option<u64>,
    /// ACCOUNT is an organisation [default: what GitHub says]
    #[arg(long)]
    org: bool,
    /// The App's name [default: pforge-local-ACCOUNT, pforge-pr-PR, pangeo-forge-staging, pangeo-forge]
    #[arg(long)]
    name: Option<String>,
    /// The manifest, YAML or JSON [default: the section manifest of pforge.yaml]
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// Port of the page on this machine; 0 takes any free one
    #[arg(long, value_name = "PORT", default_value_t = 3000)]
    port: u16,
    /// Print the checked manifest and where it would go; create nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask before an App for staging or prod
    #[arg(short, long)]
    yes: bool,
    /// Print the address only
    #[arg(long)]
    no_browser: bool,
    /// How long to wait for the App
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = duration::argument)]
    timeout: Duration,
    /// Do not wait until the App is installed
    #[arg(long)]
    no_install: bool,
    /// How long to wait until the App is installed
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = duration::argument)]
    install_timeout: Duration,
}

/// What an App is for, as the command line says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Purpose {
    /// A developer's own machine
    Local,
    /// A pull request
    Review,
    /// The last stop before production
    Staging,
    /// Production
    Prod,
}

/// Creates the App.
///
/// # Errors
/// See the exit codes.
pub fn run(args: Args, cx: &Cx) -> Result {
    cx.run_to_end(async {
        let listeners = if args.dry_run { None } else { Some(listen(args.port)?) };
        let port = listeners.as_ref().map_or(args.port, Listeners::port);
        let plan = tokio::select! {
            plan = plan(&args, cx, port) => plan?,
            () = cx.shutdown.cancelled() => return Err(interrupted()),
        };
        let Some(listeners) = listeners else { return dry_run(cx, &plan) };
        if matches!(args.purpose, Purpose::Staging | Purpose::Prod) && !args.yes {
            let question = format!("Create {} for {} at {}?", plan.manifest.name, plan.account.told(), plan.web);
            if !cx.ui.confirm(&question, "--yes")? {
                cx.ui.status("no App was created");
                return Ok(());
            }
        }
        let options = Options {
            timeout: args.timeout,
            install_timeout: (!args.no_install).then_some(args.install_timeout),
            browser: !args.no_browser,
        };
        create(cx, &plan, listeners, &options).await.map(drop)
    })
}

fn listen(port: u16) -> Result<Listeners> {
    Listeners::bind(port).map_err(|error| {
        let told = Error::failure(format!("port {port} of this machine cannot be used for the page")).caused_by(&error);
        match port.checked_add(1) {
            Some(next) if error.kind() == std::io::ErrorKind::AddrInUse => {
                told.hint(format!("pforge new-app … --port {next}")).hint("pforge new-app … --port 0   # any free one")
            }
            _ => told.hint("pforge new-app … --port 0   # any free one"),
        }
    })
}

async fn plan(args: &Args, cx: &Cx, port: u16) -> Result<Plan> {
    let deployment = deployment(args)?;
    let own = Own::read(cx, args.manifest.as_deref())?;
    let api_url = cx.settings.github_url(None)?.value;
    let client = Client::anonymous(api_url.clone(), cx.clock.clone())?;
    // The name of the config follows from what is known without GitHub, and nothing is asked of
    // GitHub while the config stands in the way.
    let redirect = format!("http://localhost:{port}/redirect.html");
    let mut keys = Map::from_iter([("redirect_url".to_owned(), Value::from(redirect))]);
    keys.extend(args.name.clone().map(|name| ("name".to_owned(), Value::from(name))));
    let manifest = own.over(cx, deployment, &args.account, network(&api_url), keys)?;
    let place = Place::look(cx, &config_path(args, cx, &manifest.name)?)?;
    credentials::refuse_second(cx, &place)?;
    let account = Account::find(cx, &client, &args.account, args.org).await?;
    Ok(Plan {
        account,
        manifest,
        origin: own.origin(cx),
        place,
        web: web_url(&api_url),
        client,
        state: Secret::new(random_hex(16)?),
    })
}

fn deployment(args: &Args) -> Result<Deployment> {
    Ok(match (args.purpose, args.pull_request) {
        (Purpose::Review, Some(number)) => Deployment::Review(number),
        (Purpose::Review, None) => return Err(Error::usage("review needs the number of the pull request")),
        (_, Some(number)) => {
            return Err(Error::usage(format!("only review has a pull request, and {number} was given")));
        }
        (Purpose::Local, None) => Deployment::Local,
        (Purpose::Staging, None) => Deployment::Staging,
        (Purpose::Prod, None) => Deployment::Prod,
    })
}

/// The config file of the App called `name`: the one that has the deployment's bare name, where it
/// exists, else the one that has the App's.
fn config_path(args: &Args, cx: &Cx, name: &str) -> Result<PathBuf> {
    let alias = match args.purpose {
        Purpose::Local => "local",
        Purpose::Review => "review",
        Purpose::Staging => "staging",
        Purpose::Prod => "prod",
    };
    let bare = cx.settings.root.value.join(format!("secrets/config.{alias}.yaml"));
    if bare.exists() {
        return Ok(bare);
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let app: String = name.trim().chars().map(|c| if fits(c) { c } else { '-' }).collect();
    cx.settings.find_or_new(&app).map(|deployment| deployment.path)
}

fn dry_run(cx: &Cx, plan: &Plan) -> Result {
    let to = format!("{}/new", plan.account.apps_page(&plan.web));
    if cx.ui.json() {
        return cx.ui.document(&json!({
            "post_to": to,
            "config": cx.settings.shown(plan.place.path()),
            "encrypted": plan.place.is_encrypted(),
            "manifest": plan.manifest,
        }));
    }
    plan.headline(cx, &[("post to", to)]);
    cx.ui.document(&plan.manifest)
}
