//! `pforge review up`.

use std::time::Duration;

use crate::cli::cx::Cx;
use crate::cli::duration;
use crate::cli::error::{Error, Result};
use crate::cli::review::Review;
use crate::cli::review::place::PlaceFlags;
use crate::cli::review::up::{Plan, Up};
use crate::cli::secrets::recipients::{Plan as ForWhom, RecipientFlags};
use crate::cli::secrets::rules::RuleFlags;
use crate::secrets::Format;
use crate::store::Dialect;

/// Make the review deployment of a pull request: its database, encrypted secrets and App
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Steps that are taken already are left as they are, so the command can be run again after whatever went wrong:\n\
    the database on the server, its schema, secrets/config.pforge-pr-N.yaml (always encrypted: it is committed)\n\
    with the database's URL and an API key, and the App pforge-pr-N, for which a person presses the button on\n\
    GitHub. At the end the environment of the deployment is on standard output; secrets are named there, not\n\
    printed.\n\n\
    Examples:\n  \
    pforge review up --pr 80 --owner alice --database-server postgres://admin@db/postgres\n  \
    pforge review up --pr 80 --org acme --no-database      # where the platform gives it a DATABASE_URL\n  \
    pforge review up --pr 80 --owner alice --dry-run"
)]
pub struct Args {
    /// The pull request
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=999_999_999))]
    pr: u64,
    /// Who will own the App
    #[arg(long, value_name = "ACCOUNT")]
    owner: Option<String>,
    /// The organisation that will own the App
    #[arg(long, value_name = "ORG", conflicts_with = "owner")]
    org: Option<String>,
    #[command(flatten)]
    place: PlaceFlags,
    /// Make none: the platform sets DATABASE_URL
    #[arg(long, conflicts_with_all = ["database_server", "database_url_template"], help_heading = "Database")]
    no_database: bool,
    /// Accept a SQLite file
    #[arg(long, help_heading = "Database")]
    allow_sqlite: bool,
    #[command(flatten)]
    recipients: RecipientFlags,
    /// Tell the steps; take none
    #[arg(long)]
    dry_run: bool,
    /// Print the address of the page only
    #[arg(long)]
    no_browser: bool,
    /// Port of the page on which the App is made; 0 takes any free one [default: 3000]
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// How long to wait for the person [default: 10m]
    #[arg(long, value_name = "TIME", value_parser = duration::argument)]
    timeout: Option<Duration>,
    /// Do not wait until the App is installed
    #[arg(long)]
    no_install: bool,
}

/// Takes the steps that are left.
///
/// # Errors
/// When one fails, or the command line leaves something open.
pub fn run(args: Args, cx: &Cx) -> Result {
    let review = Review::of(cx, args.pr)?;
    let mut within = review.within(cx);
    if !(args.recipients.age.is_empty() && args.recipients.recipients_file.is_empty()) {
        // Each step is a command of its own, and takes them from there.
        let whom = ForWhom::resolve(cx, &review.path, Format::Yaml, &args.recipients, &RuleFlags::default())?;
        within.env = within.env.with("SOPS_AGE_RECIPIENTS", &whom.recipients().join(","));
    }
    let place = if args.no_database { None } else { Some(place(&args, &within, &review)?) };
    let mut new_app = Vec::new();
    for (wished, flag) in [(args.no_browser, "--no-browser"), (args.no_install, "--no-install")] {
        new_app.extend(wished.then(|| flag.to_owned()));
    }
    new_app.extend(args.port.map(|port| format!("--port={port}")));
    new_app.extend(args.timeout.map(|time| format!("--timeout={}s", time.as_secs().max(1))));
    let account = args.org.map(|org| (org, true)).or_else(|| args.owner.map(|owner| (owner, false)));
    Up::new(&within, &Plan { review, account, place, new_app }, args.dry_run).run()
}

fn place(args: &Args, cx: &Cx, review: &Review) -> Result<crate::cli::review::place::Place> {
    let place = args.place.resolve(cx, review)?.ok_or_else(|| {
        let again = format!("pforge review up --pr {} …", review.number);
        Error::usage("where shall the database be?")
            .hint(format!("{again} --database-server postgres://ADMIN@HOST/postgres"))
            .hint(format!("{again} --no-database   # the platform sets DATABASE_URL"))
    })?;
    if place.url.dialect() == Dialect::Sqlite && !args.allow_sqlite {
        return Err(Error::config("SQLite is refused for a review deployment")
            .because("a platform starts it anew on another machine, without the file")
            .hint(format!("pforge review up --pr {} … --allow-sqlite", review.number)));
    }
    Ok(place)
}
