//! `pforge token installation`.

use serde_json::json;

use crate::cli::as_app::mint::TokenFlags;
use crate::cli::client;
use crate::cli::cx::Cx;
use crate::cli::error::Result;
use crate::github::rights;
use crate::util::text;

/// Print a token that speaks as an installation of the App
#[derive(Debug, clap::Args)]
#[command(
    after_help = "It is good for an hour, or until pforge token revoke. For one program, pforge token exec is safer.\n\n\
    Examples:\n  \
    pforge token installation\n  \
    pforge token installation --repo alice/mock --permission checks:write --json\n  \
    GH_TOKEN=$(pforge token installation -q --repo alice/mock) gh api /repos/alice/mock"
)]
pub struct Args {
    #[command(flatten)]
    token: TokenFlags,
}

/// Prints the token; with `--json` `{"token", "expires_at", "permissions", "repositories", …}`.
///
/// # Errors
/// When it cannot be had, with the page that mends it.
pub fn run(args: Args, cx: &Cx) -> Result {
    let client = client::of_app(cx, &*cx.config()?)?;
    let minted = cx.run(args.token.mint(&client))?;
    let (token, installation) = (&minted.token, &minted.installation);
    let account = installation.account.as_ref().map(|account| account.login.as_str());
    let repositories = (!minted.repositories.is_empty()).then_some(&minted.repositories);
    if cx.ui.json() {
        return cx.ui.document(&json!({
            "token": token.token.expose(),
            "expires_at": token.expires_at,
            "permissions": token.permissions,
            "repositories": repositories,
            "repository_selection": installation.repository_selection,
            "installation_id": installation.id,
            "account": account,
        }));
    }
    cx.ui.line(token.token.expose())?;
    let left = (token.expires_at - cx.clock.now()).to_std().unwrap_or_default();
    let reach = repositories.map_or_else(
        || format!("what installation {} on {} covers", installation.id, account.unwrap_or("its account")),
        |names| names.join(", "),
    );
    cx.ui.hint(format!("speaks for {reach} with {}, for {}", rights::shown(&token.permissions), text::duration(left)));
    Ok(())
}
