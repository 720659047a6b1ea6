//! `pforge review down`.

use crate::cli::cx::Cx;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::review::Review;
use crate::cli::review::down::There;
use crate::cli::review::place::PlaceFlags;
use crate::cli::ui::Tone;

/// Remove the review deployment of a pull request
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Uninstalls the App everywhere, removes the database with all that is in it, and removes the config file, of\n\
    which git keeps a copy if it was committed. What is gone already does not matter. GitHub lets nobody but a\n\
    person delete the App itself: the address of the page with the button is printed on standard output.\n\n\
    Examples:\n  pforge review down --pr 80\n  pforge review down --pr 80 --dry-run\n  \
    pforge review down --pr 80 --yes --database-server postgres://admin@db/postgres"
)]
pub struct Args {
    /// The pull request
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=999_999_999))]
    pr: u64,
    #[command(flatten)]
    place: PlaceFlags,
    /// Tell what would be removed; remove nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

/// Removes it.
///
/// # Errors
/// When something cannot be looked at or removed, or the user says no.
pub fn run(args: Args, cx: &Cx) -> Result {
    let review = Review::of(cx, args.pr)?;
    let within = review.within(cx);
    if !cx.ui.json() {
        let (name, what) = (cx.ui.paint(Tone::Strong, &review.app), if args.dry_run { " · dry run" } else { "" });
        cx.ui.status(format!("pforge review down · {name} · pull request #{}{what}", review.number));
    }
    let there = There::look(&within, review, &args.place)?;
    if args.dry_run {
        return there.dry(&within);
    }
    let told = there.told(&within);
    if !told.is_empty() && !args.yes {
        for one in &told {
            cx.ui.status(format!("  {one}"));
        }
        if !cx.ui.confirm("Remove all of this?", "--yes")? {
            return Err(Error::new(Kind::Interrupted, "nothing was removed"));
        }
    }
    there.remove(&within)
}
