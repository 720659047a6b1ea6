//! What `trigger` is told.

use std::path::PathBuf;

use crate::cli::deliveries::Sources;

/// Make a delivery as GitHub would send it, sign it, and send it
#[derive(Debug, clap::Args)]
#[command(after_help = "Values of --set take the type that GitHub describes, and what follows from a value follows: \
    another repository has other addresses, a commit has one name wherever it is named. --set-json takes any JSON, or \
    that of @FILE, as it is.\n\nExamples:\n  pforge trigger pull_request.opened\n  \
    pforge trigger pull_request.opened --repo alice/sst-feedstock --set pull_request.number=7\n  \
    pforge trigger issue_comment --set 'comment.body=/run sst' --dry-run\n  \
    pforge trigger repository_dispatch.rebuild --set-json 'client_payload={\"recipe\":\"sst\"}'\n  \
    pforge trigger --from 3f2a91c0 --set pull_request.head.sha=$(git rev-parse HEAD)\n  \
    pforge trigger push --to http://127.0.0.1:3000/webhook --webhook-secret-file secret.txt\n  \
    pforge trigger --scenario examples/scenarios/recipe.yaml\n  \
    pforge trigger --list pull_request")]
pub struct Args {
    /// The event; without an action, its usual one
    #[arg(value_name = "EVENT[.ACTION]", required_unless_present_any = ["list", "from", "scenario"])]
    pub event: Option<String>,
    /// List the events, or the actions of one
    #[arg(long, value_name = "EVENT", num_args = 0..=1, default_missing_value = "", conflicts_with_all = ["event", "from", "scenario"])]
    pub list: Option<String>,
    /// Run the steps of a scenario instead
    #[arg(long, value_name = "FILE", conflicts_with_all = ["event", "from", "set", "set_json", "unset", "edit", "guid", "repeat", "dry_run"])]
    pub scenario: Option<PathBuf>,
    /// Begin with a delivery that was received (its GUID, the beginning of one, GitHub's number), or with a file
    #[arg(long, value_name = "DELIVERY|FILE")]
    pub from: Option<String>,
    #[command(flatten)]
    pub sources: Sources,
    /// The repository; every name and address in the payload follows
    #[arg(long, value_name = "OWNER/NAME")]
    pub repo: Option<String>,
    /// Login of who does it
    #[arg(long, value_name = "LOGIN")]
    pub sender: Option<String>,
    /// The installation
    #[arg(long, value_name = "ID")]
    pub installation: Option<i64>,
    /// Set a value: pull_request.labels[0].name=recipe; repeat for more
    #[arg(long, value_name = "PATH=VALUE")]
    pub set: Vec<String>,
    /// Set a value to any JSON, or to that of @FILE
    #[arg(long, value_name = "PATH=JSON|PATH=@FILE")]
    pub set_json: Vec<String>,
    /// Take a value away
    #[arg(long, value_name = "PATH")]
    pub unset: Vec<String>,
    /// Open the payload in your editor before it is sent
    #[arg(short, long)]
    pub edit: bool,
    #[command(flatten)]
    pub destination: Destination,
    /// GUID of the delivery; a new one unless told
    #[arg(long, value_name = "GUID")]
    pub guid: Option<String>,
    /// Print the payload and send nothing; with --json also the headers
    #[arg(long)]
    pub dry_run: bool,
    /// Send it so many times, each with a GUID of its own
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000), conflicts_with = "guid")]
    pub repeat: u32,
    /// How many are under way at once
    #[arg(long, value_name = "C", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub concurrency: u32,
}

/// Where deliveries go, and how they are signed.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Destination {
    /// The webhook [env: PFORGE_SERVER, its hook] [default: http://127.0.0.1:8000/github/hooks/]
    #[arg(long, value_name = "URL")]
    pub to: Option<String>,
    /// Sign with the secret in this file instead of the config's
    #[arg(long, value_name = "FILE")]
    pub webhook_secret_file: Option<PathBuf>,
    /// A header to add or to replace, such as 'X-GitHub-Hook-ID: 7'; repeat for more
    #[arg(long, value_name = "NAME: VALUE")]
    pub header: Vec<String>,
}
