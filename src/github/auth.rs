//! Authentication as an App: who the App is, and which of its two faces a call needs.

use std::collections::{BTreeMap, BTreeSet};

use crate::util::Secret;

/// Who the App is.
#[derive(Clone, Debug)]
pub struct AppCredentials {
    /// `iss` of the JWT: the client id (preferred) or the App's numeric id, as text.
    pub issuer: String,
    /// PEM, PKCS#1 (as GitHub gives it) or PKCS#8.
    pub private_key: Secret,
}

/// As whom a call is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Auth {
    /// Without credentials.
    Anonymous,
    /// As the App itself, by JWT.
    Jwt,
    /// As one installation of the App, by installation token.
    Installation {
        /// Which installation.
        of: Target,
        /// What the token is limited to.
        scope: Scope,
    },
}

/// How an installation is named.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// By its id.
    Id(i64),
    /// The one that covers a repository.
    Repository {
        /// `owner/repo`.
        full_name: String,
        /// What a payload said; asked from GitHub when absent or no longer valid.
        installation: Option<i64>,
    },
    /// The one on an organisation.
    Organization(String),
    /// The one on a user.
    User(String),
}

/// What an installation token is limited to; empty = all that the installation has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scope {
    /// Names of repositories, without owner.
    pub repositories: BTreeSet<String>,
    /// Permission to access level, such as `checks` to `write`.
    pub permissions: BTreeMap<String, String>,
}

/// What kind of authentication an endpoint takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// None: the call itself carries the proof.
    Anonymous,
    /// JWT only.
    Jwt,
    /// An installation token; a JWT is refused.
    Installation,
}

impl Auth {
    /// The whole installation `of`.
    pub fn installation(of: Target) -> Self {
        Self::Installation { of, scope: Scope::default() }
    }

    /// The authentication that an endpoint takes. An endpoint for installation tokens uses
    /// `installation`, else the repository or organisation that its path names; `None` when
    /// neither says which installation is meant.
    pub fn for_endpoint(path: &str, installation: Option<Target>) -> Option<Self> {
        match scheme(path) {
            Scheme::Anonymous => Some(Self::Anonymous),
            Scheme::Jwt => Some(Self::Jwt),
            Scheme::Installation => installation.or_else(|| target_of(path)).map(Self::installation),
        }
    }

    pub(super) fn scheme(&self) -> Scheme {
        match self {
            Self::Anonymous => Scheme::Anonymous,
            Self::Jwt => Scheme::Jwt,
            Self::Installation { .. } => Scheme::Installation,
        }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Id(id) => write!(f, "installation {id}"),
            Self::Repository { full_name, .. } => f.write_str(full_name),
            Self::Organization(name) | Self::User(name) => f.write_str(name),
        }
    }
}

/// What kind of authentication the endpoint at `path` (without host; a query is ignored) takes.
///
/// Source: the endpoints that <https://docs.github.com/en/rest/apps> marks "JWT".
pub fn scheme(path: &str) -> Scheme {
    match segments(path).as_slice() {
        ["app-manifests", _, "conversions"] => Scheme::Anonymous,
        ["app", ..] | ["marketplace_listing", ..] => Scheme::Jwt,
        ["repos", _, _, "installation"] | ["orgs" | "users" | "enterprises", _, "installation"] => Scheme::Jwt,
        _ => Scheme::Installation,
    }
}

/// The installation that `path` speaks of, by the repository or organisation in it.
pub fn target_of(path: &str) -> Option<Target> {
    match segments(path).as_slice() {
        ["repos", owner, repo, ..] => {
            Some(Target::Repository { full_name: format!("{owner}/{repo}"), installation: None })
        }
        ["orgs", name, ..] => Some(Target::Organization((*name).to_owned())),
        ["users", name, ..] => Some(Target::User((*name).to_owned())),
        _ => None,
    }
}

fn segments(path: &str) -> Vec<&str> {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    path.split('/').filter(|segment| !segment.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_endpoint_has_its_scheme() {
        let table = [
            ("/app", Scheme::Jwt),
            ("app", Scheme::Jwt),
            ("/app/", Scheme::Jwt),
            ("/app?x=/repos/a/b", Scheme::Jwt),
            ("/app/hook/config", Scheme::Jwt),
            ("/app/hook/deliveries?cursor=v1_1", Scheme::Jwt),
            ("/app/hook/deliveries/1/attempts", Scheme::Jwt),
            ("/app/installations/1/access_tokens", Scheme::Jwt),
            ("/repos/o/r/installation", Scheme::Jwt),
            ("/orgs/o/installation", Scheme::Jwt),
            ("/users/u/installation", Scheme::Jwt),
            ("/marketplace_listing/plans", Scheme::Jwt),
            ("/app-manifests/c0de/conversions", Scheme::Anonymous),
            ("/apps/some-app", Scheme::Installation),
            ("/application", Scheme::Installation),
            ("/installation/repositories", Scheme::Installation),
            ("/installation/token", Scheme::Installation),
            ("/repos/o/r", Scheme::Installation),
            ("/repos/app/installation", Scheme::Installation),
            ("/repos/o/r/contents/installation", Scheme::Installation),
            ("/orgs/o/installations", Scheme::Installation),
            ("/rate_limit", Scheme::Installation),
            ("/", Scheme::Installation),
        ];
        for (path, expected) in table {
            assert_eq!(scheme(path), expected, "{path}");
        }
    }

    #[test]
    fn the_path_names_the_installation_unless_one_is_given() {
        let by_repo = Target::Repository { full_name: "o/r".into(), installation: None };
        let table = [
            ("/repos/o/r/pulls?state=all", None, Some(Auth::installation(by_repo))),
            ("/orgs/o/repos", None, Some(Auth::installation(Target::Organization("o".into())))),
            ("/repos/o/r/pulls", Some(Target::Id(7)), Some(Auth::installation(Target::Id(7)))),
            ("/installation/repositories", None, None),
            ("/app", Some(Target::Id(7)), Some(Auth::Jwt)),
        ];
        for (path, given, expected) in table {
            assert_eq!(Auth::for_endpoint(path, given), expected, "{path}");
        }
    }
}
