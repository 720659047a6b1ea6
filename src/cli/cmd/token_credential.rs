//! `pforge token credential`.

use std::io::{self, Read};

use url::Url;

use crate::cli::client;
use crate::cli::cx::Cx;
use crate::cli::error::{Error, Result};
use crate::github::explain::web_url;
use crate::github::{self, Client, Scope, Target};

/// Who GitHub says a token's user is.
const USER: &str = "x-access-token";

/// Give git a token for each repository that the App is installed on
#[derive(Debug, clap::Args)]
#[command(
    after_help = "git asks this command itself, by gitcredentials(7). It stays silent about other hosts, and about repositories \
    without an installation, so that git asks the next helper. Nothing is stored.\n\n\
    Examples:\n  \
    git config --global credential.https://github.com.helper '!pforge token credential'\n  \
    git config --global credential.https://github.com.useHttpPath true\n  \
    printf 'protocol=https\\nhost=github.com\\npath=alice/mock.git\\n\\n' | pforge token credential get"
)]
pub struct Args {
    /// What git asks for: get, store, erase
    #[arg(value_name = "OPERATION")]
    operation: String,
}

/// What git says about what it wants to open.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wanted {
    protocol: String,
    host: String,
    path: Option<String>,
    username: Option<String>,
}

/// Answers git.
///
/// # Errors
/// When the App or GitHub gives no token where there should be one.
pub fn run(args: Args, cx: &Cx) -> Result {
    let mut asked = String::new();
    io::stdin().lock().read_to_string(&mut asked)?;
    if args.operation != "get" {
        // Nothing is kept, so that nothing is to be stored or erased; operations that git may
        // learn later are to be ignored.
        return Ok(());
    }
    let wanted = Wanted::read(&asked);
    let file = cx.config()?;
    let client = client::of_app(cx, &file)?;
    if !wanted.is_for(client.api_url()) {
        return Ok(());
    }
    let answer = cx.run(answer(&wanted, &client, cx))?;
    answer.map_or(Ok(()), |text| cx.ui.raw(&text))
}

async fn answer(wanted: &Wanted, client: &Client, cx: &Cx) -> Result<Option<String>> {
    let (target, scope) = match wanted.repository() {
        Some((owner, repo)) => {
            let scope = Scope { repositories: [repo.to_owned()].into(), ..Scope::default() };
            (Target::Repository { full_name: format!("{owner}/{repo}"), installation: None }, scope)
        }
        None => match client.installations().await?.as_slice() {
            [only] => (Target::Id(only.id), Scope::default()),
            [] => return Ok(None),
            _ => {
                cx.ui.warn(format!("git does not say which repository of {} it wants", wanted.host));
                let section = format!("credential.{}://{}", wanted.protocol, wanted.host);
                cx.ui.hint(format!("git config --global {section}.useHttpPath true"));
                return Ok(None);
            }
        },
    };
    match client.installation_token(&target, &scope).await {
        Ok(token) => Ok(Some(format!(
            "username={USER}\npassword={}\npassword_expiry_utc={}\n",
            token.token.expose(),
            token.expires_at.timestamp()
        ))),
        Err(github::Error::NotInstalled(_)) => Ok(None),
        Err(error) => Err(Error::from(error).context("no token for git")),
    }
}

impl Wanted {
    fn read(text: &str) -> Self {
        let mut wanted = Self::default();
        for (name, value) in text.lines().take_while(|line| !line.is_empty()).filter_map(|line| line.split_once('=')) {
            match name {
                "protocol" => value.clone_into(&mut wanted.protocol),
                "host" => value.clone_into(&mut wanted.host),
                "path" => wanted.path = Some(value.to_owned()),
                "username" => wanted.username = Some(value.to_owned()),
                _ => {}
            }
        }
        wanted
    }

    /// Whether it is about the GitHub of the API at `api_url`, and about nobody else's password.
    fn is_for(&self, api_url: &Url) -> bool {
        let Ok(web) = Url::parse(&web_url(api_url)) else { return false };
        let host = web.host_str().unwrap_or_default();
        let host = web.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        self.protocol == web.scheme()
            && self.host.eq_ignore_ascii_case(&host)
            && self.username.as_deref().is_none_or(|name| name == USER)
    }

    /// Owner and name of the repository, when git says the path.
    fn repository(&self) -> Option<(&str, &str)> {
        let mut parts = self.path.as_deref()?.trim_start_matches('/').split('/');
        let (owner, repo) = (parts.next()?, parts.next()?);
        let repo = repo.strip_suffix(".git").unwrap_or(repo);
        (!owner.is_empty() && !repo.is_empty()).then_some((owner, repo))
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::Wanted;

    #[test]
    fn what_git_says_is_read() {
        let wanted = Wanted::read(
            "capability[]=authtype\nprotocol=https\nhost=github.com\npath=alice/mock.git\nwwwauth[]=Basic realm=\"GitHub\"\n\nhost=x\n",
        );
        assert_eq!((wanted.host.as_str(), wanted.repository()), ("github.com", Some(("alice", "mock"))));
        for (path, expected) in [
            ("a/b", Some(("a", "b"))),
            ("/a/b.git/", Some(("a", "b"))),
            ("a/b.git/info/lfs", Some(("a", "b"))),
            ("a", None),
            ("", None),
            ("a/", None),
        ] {
            assert_eq!(Wanted { path: Some(path.into()), ..Wanted::default() }.repository(), expected, "{path}");
        }
    }

    #[test]
    fn only_our_github_is_answered() {
        for (api, protocol, host, username, expected) in [
            ("https://api.github.com/", "https", "github.com", None, true),
            ("https://api.github.com/", "https", "GitHub.com", Some("x-access-token"), true),
            ("https://api.github.com/", "https", "github.com", Some("alice"), false),
            ("https://api.github.com/", "http", "github.com", None, false),
            ("https://api.github.com/", "https", "gist.github.com", None, false),
            ("https://api.github.com/", "https", "api.github.com", None, false),
            ("https://api.github.com/", "https", "github.com.evil.example", None, false),
            ("http://127.0.0.1:8001/", "http", "127.0.0.1:8001", None, true),
            ("http://127.0.0.1:8001/", "http", "127.0.0.1:8002", None, false),
            ("https://ghes.example/api/v3/", "https", "ghes.example", None, true),
        ] {
            let wanted = Wanted {
                protocol: protocol.into(),
                host: host.into(),
                username: username.map(str::to_owned),
                path: None,
            };
            assert_eq!(wanted.is_for(&Url::parse(api).expect("url")), expected, "{protocol}://{host} {username:?}");
        }
    }
}
