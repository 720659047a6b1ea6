//! `pforge token revoke`.

use std::io::{self, IsTerminal, Read};

use serde_json::json;

use crate::cli::cx::Cx;
use crate::cli::error::{Error, Kind, Result};
use crate::github::Client;
use crate::util::Secret;
use crate::util::text::plural;

/// Make installation tokens worthless before their time
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The tokens stand on standard input, one a line, so that neither the list of processes nor the history \
    of the shell has them.\n\n\
    Examples:\n  \
    pforge token revoke\n  \
    printenv GH_TOKEN | pforge token revoke --stdin"
)]
pub struct Args {
    /// Read standard input, also from a terminal
    #[arg(long)]
    stdin: bool,
}

/// Revokes each token.
///
/// # Errors
/// When GitHub does not know one of them; the others are revoked nevertheless.
pub fn run(args: Args, cx: &Cx) -> Result {
    let tokens = read(args.stdin, cx)?;
    // An App is not needed for this, only where its GitHub is.
    let file = cx.config().ok();
    let api_url = cx.settings.github_url(file.as_deref())?.value;
    let client = Client::anonymous(api_url, cx.clock.clone())?;
    cx.run(async {
        let mut unknown = Vec::new();
        for token in &tokens {
            if !client.revoke_token(token, false).await? {
                unknown.push(token.fingerprint());
            }
        }
        let revoked = tokens.len() - unknown.len();
        if cx.ui.json() {
            cx.ui.document(&json!({ "revoked": revoked, "unknown": unknown }))?;
        } else if revoked > 0 {
            cx.ui.status(format!("revoked {}", plural(revoked as u64, "token")));
        }
        if unknown.is_empty() {
            return Ok(());
        }
        let told =
            Error::new(Kind::NotFound, format!("GitHub does not take {}", plural(unknown.len() as u64, "token")));
        Err(told.because(format!("{}: revoked before, expired, or not whole", unknown.join(", "))))
    })
}

fn read(stdin: bool, cx: &Cx) -> Result<Vec<Secret>> {
    if !stdin && io::stdin().is_terminal() {
        let nobody = || Error::usage("there is nobody to ask for the token").hint("pforge token revoke --stdin < FILE");
        if !cx.ui.interactive() {
            return Err(nobody());
        }
        let token = rpassword::prompt_password("Token to revoke: ")?;
        return Ok(vec![Secret::new(token.trim())]);
    }
    let mut text = String::new();
    io::stdin().lock().read_to_string(&mut text)?;
    let tokens: Vec<Secret> = text.split_whitespace().map(Secret::new).collect();
    if tokens.is_empty() {
        return Err(Error::usage("no token on standard input").hint("printenv GH_TOKEN | pforge token revoke --stdin"));
    }
    Ok(tokens)
}
