//! `pforge token exec`.

use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::process::ExitStatus;

use tokio::process::{Child, Command};
use tokio::runtime::Builder;
use url::Url;

use crate::cli::as_app::mint::{Minted, TokenFlags};
use crate::cli::as_app::signals::{Heard, Signals};
use crate::cli::client;
use crate::cli::cx::Cx;
use crate::cli::error::{Error, Kind, Result};
use crate::github::explain::web_url;
use crate::github::{Client, rights};
use crate::util::text;

/// Run a program with a token of its own, which is revoked when the program ends
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The token is in GH_TOKEN and GITHUB_TOKEN of the program and nowhere else. For an Enterprise Server \
    GH_HOST is set as well. The exit code is that of the program.\n\n\
    Examples:\n  \
    pforge token exec -- gh api /installation/repositories\n  \
    pforge token exec --repo alice/mock --permission contents:write -- ./release.sh"
)]
pub struct Args {
    #[command(flatten)]
    token: TokenFlags,
    /// The program and its arguments
    #[arg(value_name = "CMD", required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<OsString>,
}

/// Runs the program to its end.
///
/// # Errors
/// When the token cannot be had or the program cannot be started; else the program's exit code.
pub fn run(args: Args, cx: &Cx) -> Result {
    let client = client::of_app(cx, &*cx.config()?)?;
    // Signals are the program's: it may take Ctrl-C for something else than its end, and we stay
    // until it has ended in any case.
    let runtime = Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::failure("cannot start the runtime").caused_by(&error))?;
    runtime.block_on(async {
        let mut signals = Signals::new();
        let minted = tokio::select! {
            minted = args.token.mint(&client) => minted?,
            _ = signals.next() => return Err(Error::new(Kind::Interrupted, "interrupted")),
        };
        let outcome = supervise(&args.command, cx, &client, &minted, &mut signals).await;
        revoke(cx, &client, &minted).await;
        outcome.and_then(exit_code)
    })
}

async fn supervise(
    command: &[OsString],
    cx: &Cx,
    client: &Client,
    minted: &Minted,
    signals: &mut Signals,
) -> Result<ExitStatus> {
    let Some((program, arguments)) = command.split_first() else {
        return Err(Error::usage("no program is given"));
    };
    let token = minted.token.token.expose();
    let mut command = Command::new(program);
    command.args(arguments).env("GH_TOKEN", token).env("GITHUB_TOKEN", token);
    if let Some(host) = enterprise_host(client.api_url()) {
        command.env("GH_HOST", host).env("GH_ENTERPRISE_TOKEN", token).env("GITHUB_ENTERPRISE_TOKEN", token);
    }
    let mut child = command.spawn().map_err(|error| {
        let kind = if error.kind() == io::ErrorKind::NotFound { Kind::NotFound } else { Kind::Failure };
        Error::new(kind, format!("cannot run {}", program.display())).caused_by(&error)
    })?;
    let left = (minted.token.expires_at - cx.clock.now()).to_std().unwrap_or_default();
    cx.ui.status(format!(
        "token {} with {} for {}, revoked when {} ends",
        minted.token.token.fingerprint(),
        rights::shown(&minted.token.permissions),
        text::duration(left),
        program.display(),
    ));
    // At a terminal Ctrl-C reaches the program without us.
    let forwards_interrupt = !io::stdin().is_terminal();
    loop {
        tokio::select! {
            status = child.wait() => return Ok(status?),
            heard = signals.next() => {
                if heard != Heard::Interrupt || forwards_interrupt {
                    forward(&child, heard);
                }
            }
        }
    }
}

async fn revoke(cx: &Cx, client: &Client, minted: &Minted) {
    let token = &minted.token;
    if cx.clock.now() >= token.expires_at {
        return cx.ui.warn("the program ran longer than the token lived: its last calls were made with an expired one");
    }
    match client.revoke_token(&token.token, true).await {
        Ok(true) => cx.ui.status(format!("revoked token {}", token.token.fingerprint())),
        Ok(false) => cx.ui.status(format!("token {} was revoked already", token.token.fingerprint())),
        Err(error) => {
            cx.ui.warn(format!("the token could not be revoked, it expires at {}: {error}", token.expires_at));
        }
    }
}

/// The host for `gh`, when GitHub is not github.com.
fn enterprise_host(api_url: &Url) -> Option<String> {
    let web = Url::parse(&web_url(api_url)).ok()?;
    let host = web.host_str().filter(|host| *host != "github.com")?;
    Some(web.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

/// The program's exit code as ours; a signal counts as a shell counts it.
fn exit_code(status: ExitStatus) -> Result {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal = None;
    match (status.code(), signal) {
        (Some(0), _) => Ok(()),
        (Some(code), _) => Err(Error::told(u8::try_from(code).unwrap_or(1))),
        (None, Some(signal)) => Err(Error::told(u8::try_from(128 + signal).unwrap_or(1))),
        (None, None) => Err(Error::told(1)),
    }
}

#[cfg(unix)]
fn forward(child: &Child, heard: Heard) {
    use rustix::process::{Pid, Signal, kill_process};
    let signal = match heard {
        Heard::Interrupt => Signal::INT,
        Heard::Terminate => Signal::TERM,
        Heard::HangUp => Signal::HUP,
    };
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    // One that has ended needs no signal.
    let _ = pid.map(|pid| kill_process(pid, signal));
}

#[cfg(not(unix))]
fn forward(_: &Child, _: Heard) {}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::enterprise_host;

    #[test]
    fn only_other_githubs_are_named() {
        for (api, expected) in [
            ("https://api.github.com/", None),
            ("https://ghes.example/api/v3/", Some("ghes.example")),
            ("https://api.octo.ghe.com/", Some("octo.ghe.com")),
            ("http://127.0.0.1:8001/", Some("127.0.0.1:8001")),
        ] {
            assert_eq!(enterprise_host(&Url::parse(api).expect("url")).as_deref(), expected, "{api}");
        }
    }
}
