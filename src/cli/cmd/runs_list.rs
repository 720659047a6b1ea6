//! `pforge runs list`.

use clap_complete::engine::ArgValueCompleter;
use serde_json::{Value, json};

use crate::cli::api::{Api, ServerFlag};
use crate::cli::complete::Feedstocks;
use crate::cli::cx::Cx;
use crate::cli::error::{Error, Result};
use crate::cli::feedstocks::{BAKERY, FEEDSTOCK};
use crate::cli::job::{age, field};
use crate::cli::runs::{self, commit, kind, state, tone, took_words};
use crate::cli::ui::{Cell, Tone};
use crate::util::text::truncate;

/// How a run can end, in GitHub's words.
const CONCLUSIONS: [&str; 8] =
    ["success", "failure", "cancelled", "timed_out", "neutral", "skipped", "stale", "action_required"];

/// List recipe runs, newest first
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A test is a recipe on a small part of its data, for a pull request; production is all of it.\n\n\
    Examples:\n  \
    pforge runs list --feedstock pangeo-forge/staged-recipes --status in_progress\n  \
    pforge runs list --conclusion failure --production\n  \
    pforge runs list --sha 5b1d2c0 --json"
)]
pub struct Args {
    #[command(flatten)]
    server: ServerFlag,
    /// Only of this feedstock: its repository or id
    #[arg(long, value_name = "OWNER/REPO|ID", add = ArgValueCompleter::new(Feedstocks))]
    feedstock: Option<String>,
    /// Only at this bakery: its name or id
    #[arg(long, value_name = "NAME|ID", add = ArgValueCompleter::new(crate::cli::complete::Bakeries))]
    bakery: Option<String>,
    /// Only of this recipe
    #[arg(long, value_name = "RECIPE")]
    recipe: Option<String>,
    /// Only this status: queued, in_progress, completed
    #[arg(long, value_name = "STATUS", value_parser = ["queued", "in_progress", "completed"], hide_possible_values = true)]
    status: Option<String>,
    /// Only this end: success, failure, cancelled, timed_out, and so on
    #[arg(long, value_name = "CONCLUSION", value_parser = CONCLUSIONS, hide_possible_values = true)]
    conclusion: Option<String>,
    /// Only tests
    #[arg(long)]
    test: bool,
    /// Only production
    #[arg(long, conflicts_with = "test")]
    production: bool,
    /// Only at this commit; seven digits of it will do
    #[arg(long, value_name = "SHA", value_parser = sha)]
    sha: Option<String>,
    /// At most this many, 1 to 1000
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    /// Continue after this run: `next` of the page before
    #[arg(long, value_name = "ID")]
    after: Option<u64>,
}

/// Prints the list; with `--json` a page, `{"items": […], "next": …}`.
///
/// # Errors
/// When there is no such feedstock or bakery, or the server cannot be reached or refuses.
pub fn run(args: Args, cx: &Cx) -> Result {
    let api = args.server.client(cx)?;
    let (rows, next, names) = cx.run(async {
        let (rows, next) = page(&args, &api).await?;
        // The id is enough for programs.
        let names = if cx.ui.json() { Default::default() } else { runs::feedstocks(&api, &rows).await? };
        Ok((rows, next, names))
    })?;
    if cx.ui.json() {
        return cx.ui.document(&json!({ "items": rows, "next": next }));
    }
    if rows.is_empty() {
        cx.ui.status("No runs.");
        return Ok(());
    }
    let now = cx.clock.now();
    let row = |run: &Value| {
        let feedstock = run["feedstock_id"].as_i64().and_then(|id| names.get(&id));
        vec![
            Cell::from(run["id"].to_string()),
            Cell::toned(state(run), tone(state(run))),
            Cell::toned(kind(run), if kind(run) == "test" { Tone::Dim } else { Tone::Strong }),
            truncate(field(run, "recipe_id"), 40).into(),
            feedstock.cloned().unwrap_or_default().into(),
            commit(run).into(),
            age(run, "started_at", now).into(),
            took_words(run, "completed_at", now).into(),
        ]
    };
    let headings = ["id", "state", "kind", "recipe", "feedstock", "commit", "age", "took"];
    cx.ui.table(&headings, &rows.iter().map(row).collect::<Vec<_>>())?;
    if let Some(next) = next {
        cx.ui.hint(format!("there are more: the same command with --after {next}"));
    }
    Ok(())
}

async fn page(args: &Args, api: &Api) -> Result<(Vec<Value>, Option<i64>)> {
    let mut query = vec![("order_by", "id".to_owned()), ("sort", "desc".to_owned())];
    for (noun, which, filter) in [(FEEDSTOCK, &args.feedstock, "feedstock_id"), (BAKERY, &args.bakery, "bakery_id")] {
        if let Some(which) = which {
            query.push((filter, noun.find(api, which).await?["id"].to_string()));
        }
    }
    let texts = [("recipe_id", &args.recipe), ("status", &args.status), ("conclusion", &args.conclusion)];
    query.extend(texts.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))));
    if args.test || args.production {
        query.push(("is_test", args.test.to_string()));
    }
    query.extend(args.after.map(|after| ("after", after.to_string())));
    let limit = args.limit as usize;
    let Some(sha) = &args.sha else { return api.rows("/recipe_runs", &query, limit).await };
    if sha.len() == FULL {
        query.push(("head_sha", sha.clone()));
        return api.rows("/recipe_runs", &query, limit).await;
    }
    // The server knows whole commits only: newer runs are looked through for the one that is meant.
    let (rows, _) = api.rows("/recipe_runs", &query, LOOKED_THROUGH).await?;
    match rows.iter().map(|run| field(run, "head_sha")).find(|head| head.starts_with(sha.as_str())) {
        Some(head) => {
            query.push(("head_sha", head.to_owned()));
            api.rows("/recipe_runs", &query, limit).await
        }
        None if rows.len() < LOOKED_THROUGH => Ok((Vec::new(), None)),
        None => Err(Error::failure(format!("no run at {sha} is among the newest {LOOKED_THROUGH}"))
            .hint("pforge runs list --sha FULL-SHA")),
    }
}

/// Digits of a whole commit.
const FULL: usize = 40;

/// How many runs are looked through for a commit that is given in part.
const LOOKED_THROUGH: usize = 2000;

fn sha(text: &str) -> std::result::Result<String, String> {
    let hexadecimal = text.chars().all(|c| c.is_ascii_hexdigit());
    if hexadecimal && (7..=FULL).contains(&text.len()) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err("must be 7 to 40 hexadecimal digits".to_owned())
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_commit_is_hexadecimal() {
        for (text, good) in [("5b1d2c0", true), ("5B1D2C0", true), ("5b1d2c", false), ("main123", false)] {
            assert_eq!(super::sha(text).is_ok(), good, "{text}");
        }
    }
}
