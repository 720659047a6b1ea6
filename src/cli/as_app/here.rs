//! The repository that one stands in, for `{owner}`, `{repo}` and `{branch}`.

use std::process::{Command, Stdio};

use regex::{Captures, Regex};
use url::Url;

use crate::cli::cx::Cx;
use crate::cli::error::{Error, Result};

/// Remotes in the order in which they are believed; any other comes after these.
const REMOTES: [&str; 3] = ["upstream", "github", "origin"];

/// Where one is: what `--repo` or `GH_REPO` says, else what git says.
pub struct Here {
    given: Option<String>,
    host: String,
}

impl Here {
    /// With the repository that the flag or `GH_REPO` names, at the GitHub for people at `web_url`.
    ///
    /// # Errors
    /// When it is no `owner/repo`.
    pub fn new(cx: &Cx, flag: Option<&str>, web_url: &str) -> Result<Self> {
        let host = Url::parse(web_url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
        let given = match (flag, cx.env.get("GH_REPO")) {
            (Some(text), _) => Some(named(text, "--repo")?),
            (None, Some(text)) => Some(named(text, "GH_REPO")?),
            (None, None) => None,
        };
        Ok(Self { given, host })
    }

    /// What the flag or `GH_REPO` says.
    pub fn given(&self) -> Option<&str> {
        self.given.as_deref()
    }

    /// `owner/repo`.
    ///
    /// # Errors
    /// When nobody names it.
    pub fn repository(&self) -> Result<String> {
        if let Some(given) = &self.given {
            return Ok(given.clone());
        }
        let remotes = git(&["config", "--get-regexp", r"^remote\..*\.url$"]).unwrap_or_default();
        best_remote(&remotes, &self.host).ok_or_else(|| {
            Error::usage("no repository is named")
                .because(format!("neither --repo nor GH_REPO is given, and no git remote here is on {}", self.host))
                .hint("export GH_REPO=OWNER/REPO")
        })
    }

    fn branch(&self) -> Result<String> {
        let unknown = |why: &str| Error::usage("{branch} stands for nothing here").because(why);
        if self.given.is_some() {
            return Err(unknown("the repository is named by --repo or GH_REPO, so that no branch is checked out"));
        }
        git(&["symbolic-ref", "--quiet", "--short", "HEAD"])
            .map(|branch| branch.trim().to_owned())
            .filter(|branch| !branch.is_empty())
            .ok_or_else(|| unknown("this is no git work tree with a branch checked out"))
    }

    /// `text` with `{owner}`, `{repo}` and `{branch}` (also written `:owner` …) filled in; other
    /// braces stay.
    ///
    /// # Errors
    /// When one of them is there and stands for nothing.
    pub fn fill(&self, text: &str) -> Result<String> {
        // The pattern is constant: without it nothing is filled in.
        let Ok(pattern) = Regex::new(r":(owner|repo|branch)\b|\{(owner|repo|branch)\}") else {
            return Ok(text.to_owned());
        };
        let mut trouble = None;
        let filled = pattern.replace_all(text, |found: &Captures<'_>| {
            let name = found.get(1).or_else(|| found.get(2)).map_or("", |name| name.as_str());
            let value = match name {
                "branch" => self.branch(),
                _ => self.repository().map(|full_name| {
                    let (owner, repo) = full_name.split_once('/').unwrap_or((&full_name, ""));
                    (if name == "owner" { owner } else { repo }).to_owned()
                }),
            };
            value.unwrap_or_else(|error| {
                trouble.get_or_insert(error);
                String::new()
            })
        });
        let filled = filled.into_owned();
        match trouble {
            Some(error) => Err(error),
            None => {
                if filled != text {
                    tracing::debug!(filled, "placeholders");
                }
                Ok(filled)
            }
        }
    }
}

/// `owner/repo` of `owner/repo`, `host/owner/repo` or an address.
///
/// # Errors
/// A usage error that names `origin`.
pub fn named(text: &str, origin: &str) -> Result<String> {
    let trimmed = text.trim_end_matches('/');
    let parts: Vec<&str> = trimmed.rsplit('/').take(2).collect();
    let fits = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(|c: char| c.is_whitespace() || c == ':');
    match parts.as_slice() {
        [repo, owner] if fits(repo) && fits(owner) => {
            Ok(format!("{owner}/{}", repo.strip_suffix(".git").unwrap_or(repo)))
        }
        _ => Err(Error::usage(format!("{origin} must be OWNER/REPO, not {text:?}"))),
    }
}

/// The repository of the remote that counts most, from `remote.NAME.url URL` lines.
fn best_remote(lines: &str, host: &str) -> Option<String> {
    let rank = |name: &str| REMOTES.iter().position(|known| *known == name).unwrap_or(REMOTES.len());
    lines
        .lines()
        .filter_map(|line| {
            let (key, url) = line.split_once(' ')?;
            let name = key.strip_prefix("remote.")?.strip_suffix(".url")?;
            Some((rank(name), repository_at(url, host)?))
        })
        .min_by_key(|(rank, _)| *rank)
        .map(|(_, repository)| repository)
}

/// `owner/repo` of a git address on `host`.
fn repository_at(address: &str, host: &str) -> Option<String> {
    let path = match Url::parse(address) {
        Ok(url) if url.host_str().is_some_and(|found| found.eq_ignore_ascii_case(host)) => url.path().to_owned(),
        Ok(url) if url.has_host() => return None,
        // user@host:path, as ssh writes it.
        _ => {
            let (authority, path) = address.split_once(':')?;
            let found = authority.rsplit('@').next()?;
            found.eq_ignore_ascii_case(host).then(|| path.to_owned())?
        }
    };
    let path = path.trim_matches('/');
    let (owner, repo) = path.split_once('/').filter(|(owner, repo)| !owner.is_empty() && !repo.contains('/'))?;
    named(&format!("{owner}/{repo}"), "the remote").ok()
}

fn git(args: &[&str]) -> Option<String> {
    let output = Command::new("git").args(args).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::{best_remote, named, repository_at};

    #[test]
    fn every_address_of_a_repository_is_read() {
        for (address, expected) in [
            ("https://github.com/o/r.git", Some("o/r")),
            ("https://user:token@github.com/o/r", Some("o/r")),
            ("https://GitHub.com/o/r/", Some("o/r")),
            ("git@github.com:o/r.git", Some("o/r")),
            ("ssh://git@github.com:22/o/r.git", Some("o/r")),
            ("git://github.com/o/r.x", Some("o/r.x")),
            ("https://gitlab.com/o/r", None),
            ("https://github.com/o", None),
            ("https://github.com/o/r/tree", None),
            ("/srv/git/r.git", None),
            ("../r", None),
        ] {
            assert_eq!(repository_at(address, "github.com").as_deref(), expected, "{address}");
        }
    }

    #[test]
    fn the_upstream_counts_most() {
        let lines = "remote.fork.url https://github.com/me/r\nremote.origin.url git@github.com:alice/r\n\
                     remote.upstream.url https://github.com/o/r\nremote.x.url https://else.where/x/y\n";
        assert_eq!(best_remote(lines, "github.com").as_deref(), Some("o/r"));
        assert_eq!(best_remote(&lines[..80], "github.com").as_deref(), Some("alice/r"));
        assert_eq!(best_remote(lines, "ghes.example"), None);
    }

    #[test]
    fn a_repository_is_named_in_several_ways() {
        for (text, expected) in [
            ("o/r", Some("o/r")),
            ("github.com/o/r", Some("o/r")),
            ("https://github.com/o/r.git", Some("o/r")),
            ("o", None),
            ("o/", None),
            ("../r", None),
            ("o/a b", None),
        ] {
            assert_eq!(named(text, "--repo").ok().as_deref(), expected, "{text}");
        }
    }
}
