//! `pforge gh-as-app`.

use std::time::Duration;

use crate::cli::as_app::ask::{Asking, Pages};
use crate::cli::as_app::cache::Cache;
use crate::cli::as_app::graphql;
use crate::cli::as_app::here::Here;
use crate::cli::as_app::output::Output;
use crate::cli::as_app::request::{Body, Request, RequestFlags};
use crate::cli::as_app::speaker::{self, As, InstallationFlags};
use crate::cli::cx::Cx;
use crate::cli::error::{Error, Result};
use crate::cli::jq::Filter;
use crate::cli::{client, duration};
use crate::github::explain::web_url;
use crate::github::{Auth, Target};

/// Call GitHub's API as the App: gh api with the App's own rights
#[derive(Debug, clap::Args)]
#[command(
    allow_missing_positional = true,
    after_help = "The endpoint decides who speaks: the App by JWT (/app, …/installation), else the installation that covers \
    the repository, organisation or user in the path, else --repo, --installation, or the only one. The \
    pages of a list are merged; --jq sees the whole.\n\n\
    Examples:\n  \
    pforge gh-as-app /app --jq .slug\n  \
    pforge gh-as-app '/repos/{owner}/{repo}/pulls?state=all' --jq '.[].title'\n  \
    pforge gh-as-app PATCH /repos/alice/mock/check-runs/9 -f status=completed -f conclusion=cancelled\n  \
    pforge gh-as-app graphql -F owner=alice -F name=mock -f query='query($owner: String!, $name: String!) \
    { repository(owner: $owner, name: $name) { id } }'"
)]
pub struct Args {
    #[command(flatten)]
    request: RequestFlags,
    /// Speak as this, whatever the endpoint wants: jwt, installation, anonymous
    #[arg(long = "as", value_name = "WHO", value_enum, hide_possible_values = true)]
    speaker: Option<As>,
    #[command(flatten)]
    installation: InstallationFlags,
    /// Print what this jq filter makes of the answer
    #[arg(long, value_name = "FILTER")]
    jq: Option<String>,
    /// Ask for pages of 100, and follow those of GraphQL: the query takes $endCursor and has pageInfo
    #[arg(long)]
    paginate: bool,
    /// Only the first page
    #[arg(long, conflicts_with_all = ["paginate", "slurp", "pages", "page_limit"])]
    no_paginate: bool,
    /// At most this many pages
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    page_limit: Option<u32>,
    /// Print a list of the pages instead of merging them
    #[arg(long)]
    slurp: bool,
    /// Print each page as it comes
    #[arg(long, conflicts_with = "slurp")]
    pages: bool,
    /// Print the status line and the headers of the answer
    #[arg(short, long)]
    include: bool,
    /// Do not print the body
    #[arg(long)]
    silent: bool,
    /// Keep the answer on this machine and use it for this long, such as 3600s or 1h
    #[arg(long, value_name = "TIME", value_parser = duration::argument)]
    cache: Option<Duration>,
}

/// Prints the answer.
///
/// # Errors
/// When GitHub refuses, explained; its own words are printed before.
pub fn run(args: Args, cx: &Cx) -> Result {
    let filter = args.jq.as_deref().map(Filter::compile).transpose()?;
    let file = cx.config()?;
    let client = client::of_app(cx, &file)?;
    let here = Here::new(cx, args.installation.repo.as_deref(), &web_url(client.api_url()))?;
    let mut request = args.request.read(client.api_url(), &here)?;
    if args.paginate {
        prepare(&mut request)?;
    }
    let cache = args.cache.map(|lifetime| {
        let app = file.need_app()?;
        Cache::new(cx, format!("{} {}", client.api_url(), app.id), lifetime)
    });
    let cache = cache.transpose()?;
    let output = Output::new(&cx.ui, filter, args.include, args.silent);
    cx.run(async {
        let auth = auth(&args, &request, &here, &client).await?;
        let pages = args.pages(&request);
        let asking = Asking { client: &client, auth, cache, pages, limit: args.page_limit.map(|limit| limit as usize) };
        asking.print(request, &output, &cx.ui).await
    })
}

impl Args {
    fn pages(&self, request: &Request) -> Pages {
        // Who asks for a certain page wants no other, and GraphQL is paged on demand.
        let one = self.no_paginate || (!self.paginate && (request.graphql || request.asks("page")));
        match (self.slurp, self.pages) {
            (true, _) => Pages::Slurped,
            (_, true) => Pages::Raw,
            _ if one => Pages::First,
            _ => Pages::Merged,
        }
    }
}

async fn auth(args: &Args, request: &Request, here: &Here, client: &crate::github::Client) -> Result<Auth> {
    if request.has_authorization() {
        return Ok(Auth::Anonymous);
    }
    let flag = args.installation.repo.as_ref().and(here.given());
    let mut named = speaker::named(&args.installation, flag);
    if let (None, Body::Fields(fields), true) = (&named, &request.body, request.graphql) {
        named = graphql::target(fields);
    }
    let fallback = here.given().map(|name| Target::Repository { full_name: name.to_owned(), installation: None });
    speaker::choose(client, &request.path, args.speaker, named, fallback).await
}

/// Larger pages, which are fewer.
fn prepare(request: &mut Request) -> Result {
    match (&request.body, request.graphql) {
        (Body::Fields(fields), true) if !graphql::is_pageable(fields) => {
            Err(Error::usage("--paginate needs a query that takes $endCursor")
                .because("query($endCursor: String) { … (first: 100, after: $endCursor) { nodes { … } pageInfo { hasNextPage endCursor } } }"))
        }
        (_, true) => Ok(()),
        (_, false) if request.method != http::Method::GET => {
            Err(Error::usage(format!("--paginate is for GET, not {}", request.method)))
        }
        (_, false) => {
            if !request.asks("per_page") {
                request.query.push(("per_page".to_owned(), "100".to_owned()));
            }
            Ok(())
        }
    }
}
