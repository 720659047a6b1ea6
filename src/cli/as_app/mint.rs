//! Tokens for scripts: what is wanted, compared with what can be had before GitHub is asked.

use std::str::FromStr;

use super::here::named;
use super::{speaker, trouble};
use crate::cli::error::{Error, Kind, Result};
use crate::github::api::apps::{App, Installation};
use crate::github::rights::{self, Permissions, Standing};
use crate::github::{Client, InstallationToken, Scope, Target};

/// What a token is wanted for.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct TokenFlags {
    /// Only this repository; repeat for more, all of one owner
    #[arg(short = 'R', long = "repo", value_name = "OWNER/REPO")]
    repos: Vec<String>,
    /// The installation with this id
    #[arg(long, value_name = "ID", conflicts_with = "org")]
    installation: Option<i64>,
    /// The installation on this organisation or user
    #[arg(long, value_name = "NAME")]
    org: Option<String>,
    /// Only this permission, such as checks:write; repeat for more
    #[arg(short, long = "permission", value_name = "NAME:LEVEL")]
    permissions: Vec<Permission>,
}

/// A permission at a level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission(String, String);

impl FromStr for Permission {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let (name, level) = text.split_once([':', '=']).ok_or("not NAME:LEVEL, such as checks:write")?;
        let word = |c: char| c.is_ascii_lowercase() || c == '_';
        // As GitHub's pages write it: "Pull requests".
        let name = name.trim().to_ascii_lowercase().replace([' ', '-'], "_");
        if name.is_empty() || !name.chars().all(word) {
            return Err("the name of a permission is one such as checks or pull_requests".to_owned());
        }
        match level {
            "read" | "write" | "admin" => Ok(Self(name, level.to_owned())),
            _ => Err("the level is read, write or admin".to_owned()),
        }
    }
}

/// A token with what it was made for.
pub struct Minted {
    /// The token.
    pub token: InstallationToken,
    /// Where it speaks.
    pub installation: Installation,
    /// The repositories that it is limited to, `owner/repo`; empty when it is not.
    pub repositories: Vec<String>,
}

impl TokenFlags {
    /// Mints the token, unless it is clear beforehand that GitHub will refuse it.
    ///
    /// # Errors
    /// With the page that mends it, when there is one.
    pub async fn mint(&self, client: &Client) -> Result<Minted> {
        let repositories = self.repositories()?;
        let installation = self.find(client, &repositories).await?;
        let wanted: Permissions = self.permissions.iter().map(|Permission(n, l)| (n.clone(), l.clone())).collect();
        let app = client.app().await?;
        judge(client, &app, &installation, &wanted)?;
        let scope = Scope {
            repositories: repositories.iter().filter_map(|name| Some(name.split_once('/')?.1.to_owned())).collect(),
            permissions: wanted,
        };
        let token = client.installation_token(&Target::Id(installation.id), &scope).await?;
        Ok(Minted { token, installation, repositories })
    }

    fn repositories(&self) -> Result<Vec<String>> {
        let names: Vec<String> = self.repos.iter().map(|text| named(text, "--repo")).collect::<Result<_>>()?;
        let owner = |name: &str| name.split_once('/').map(|(owner, _)| owner.to_ascii_lowercase());
        match names.iter().find(|name| owner(name) != owner(&names[0])) {
            Some(other) => Err(Error::usage(format!("{} and {other} have different owners", names[0]))
                .because("a token speaks for one installation: make one for each owner")),
            None => Ok(names),
        }
    }

    async fn find(&self, client: &Client, repositories: &[String]) -> Result<Installation> {
        let mut found: Option<Installation> = None;
        for full_name in repositories {
            let of_repo = client.repository_installation(full_name).await?;
            let Some(of_repo) = of_repo else { return Err(trouble::not_installed(client, full_name).await) };
            found.get_or_insert(of_repo);
        }
        let account = |one: &Installation, name: &str| {
            one.account.as_ref().is_some_and(|account| account.login.eq_ignore_ascii_case(name))
        };
        let installation = match (found, self.installation, &self.org) {
            (Some(found), id, org) => {
                let fits = id.is_none_or(|id| id == found.id) && org.as_ref().is_none_or(|name| account(&found, name));
                if !fits {
                    return Err(
                        Error::usage("--repo belongs to another installation").because(speaker::describe(&found))
                    );
                }
                found
            }
            (None, Some(id), _) => speaker::installation(client, Some(Target::Id(id))).await?,
            (None, None, Some(name)) => {
                match client.installations().await?.into_iter().find(|one| account(one, name)) {
                    Some(found) => found,
                    None => return Err(trouble::not_installed(client, name).await),
                }
            }
            (None, None, None) => speaker::installation(client, None).await?,
        };
        if installation.suspended_at.is_some() {
            return Err(Error::new(
                Kind::Auth,
                format!("{}: no token is given for it", speaker::describe(&installation)),
            )
            .hint(format!("open {}", rights::installation_page(client.api_url(), &installation))));
        }
        Ok(installation)
    }
}

/// Refuses what the installation does not have, with a table of who has what.
fn judge(client: &Client, app: &App, installation: &Installation, wanted: &Permissions) -> Result {
    let standing = |name: &str, level: &str| rights::standing(name, level, &app.permissions, &installation.permissions);
    let worst = wanted.iter().map(|(name, level)| standing(name, level)).max().unwrap_or(Standing::Granted);
    if worst == Standing::Granted {
        return Ok(());
    }
    let whose = installation.account.as_ref().map_or("the owner", |account| &account.login);
    let has = |permissions: &Permissions, name: &str| permissions.get(name).cloned().unwrap_or_else(|| "-".to_owned());
    let mut rows = vec![["permission", "wanted", "the App asks", "approved"].map(str::to_owned)];
    rows.extend(wanted.iter().map(|(name, level)| {
        [name.clone(), level.clone(), has(&app.permissions, name), has(&installation.permissions, name)]
    }));
    let wide = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths = [0, 1, 2, 3].map(wide);
    let lines = rows.iter().map(|row| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    });
    let table = lines.collect::<Vec<_>>().join("\n             ");
    let error = Error::new(Kind::Auth, format!("the installation on {whose} does not have all these permissions"));
    let error = error.because(table);
    let settings = rights::settings_page(client.api_url(), app);
    let approval = rights::approval_page(client.api_url(), installation);
    Err(match worst {
        Standing::NotRequested => error
            .because(format!("the App's settings must ask for them first, then {whose} approves them"))
            .hint(format!("open {settings}")),
        _ => error.because(format!("{whose} has not approved them yet")).hint(format!("open {approval}")),
    })
}

#[cfg(test)]
mod tests {
    use super::Permission;

    #[test]
    fn permissions_are_written_as_people_do() {
        for (text, expected) in [
            ("checks:write", Some(("checks", "write"))),
            ("contents=read", Some(("contents", "read"))),
            ("Pull requests:read", Some(("pull_requests", "read"))),
            ("pull-requests:read", Some(("pull_requests", "read"))),
            ("checks", None),
            ("checks:none", None),
            (":read", None),
            ("che/cks:read", None),
        ] {
            let read = text.parse::<Permission>().ok();
            let expected = expected.map(|(name, level)| Permission(name.into(), level.into()));
            assert_eq!(read, expected, "{text}");
        }
    }
}
