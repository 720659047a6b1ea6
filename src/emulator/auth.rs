//! Who calls, and whether they may.

use crate::emulator::error::ApiError;
use crate::emulator::jwt;
use crate::emulator::state::permissions::grants;
use crate::emulator::state::{Level, Repo, Token, World};
use crate::util::Secret;

/// Who calls.
#[derive(Clone, Debug)]
pub enum Caller {
    /// Nobody in particular.
    Anonymous,
    /// A person with a personal access token; the account.
    Person(i64),
    /// An App with its JWT; the App's id.
    App(i64),
    /// An App through one of its installations.
    Installation {
        /// The App.
        app: i64,
        /// The account that it acts as.
        bot: i64,
        /// The token's text, to revoke it.
        text: Secret,
        /// What the token may do.
        token: Box<Token>,
    },
}

impl Caller {
    /// `anonymous`, `person`, `jwt` or `token`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Person(_) => "person",
            Self::App(_) => "jwt",
            Self::Installation { .. } => "token",
        }
    }

    /// What the rate limit is counted against.
    pub fn rate_key(&self) -> String {
        match self {
            Self::Anonymous => "anonymous".to_owned(),
            Self::Person(id) => format!("person {id}"),
            Self::App(id) => format!("app {id}"),
            Self::Installation { token, .. } => format!("installation {}", token.installation),
        }
    }
}

/// What a route demands of its caller.
#[derive(Clone, Copy, Debug)]
pub enum Need {
    /// Nothing.
    Open,
    /// An App's JWT.
    App,
    /// An installation token.
    Installation,
    /// A token that may do one of these on the repository of the path.
    Repo(&'static [(&'static str, Level)]),
    /// A token that may do one of these, wherever its installation is.
    Granted(&'static [(&'static str, Level)]),
    /// A person's token; no App may.
    Person,
}

/// Who sends `authorization` (the header's value).
///
/// # Errors
/// 401, 403 or 404 in GitHub's words.
pub fn identify(world: &World, authorization: Option<&str>) -> Result<Caller, ApiError> {
    let Some(header) = authorization else { return Ok(Caller::Anonymous) };
    let (scheme, credentials) = header.split_once(' ').unwrap_or(("", header));
    let credentials = credentials.trim();
    let secret =
        if scheme.eq_ignore_ascii_case("basic") { password(credentials) } else { Some(credentials.to_owned()) };
    let secret = secret.ok_or_else(ApiError::bad_credentials)?;
    if jwt::looks_like_jwt(&secret) {
        let find = |issuer: &str| world.app_by_issuer(issuer);
        return jwt::verify(&secret, world.now().timestamp(), find).map(Caller::App);
    }
    if let Some(account) =
        world.accounts.values().find(|a| a.token.as_ref().is_some_and(|t| t.matches(secret.as_bytes())))
    {
        return Ok(Caller::Person(account.id));
    }
    let token = world.tokens.get(&secret).filter(|t| t.expires_at > world.now());
    let token = token.ok_or_else(ApiError::bad_credentials)?;
    let installation = world.installations.get(&token.installation).ok_or_else(ApiError::bad_credentials)?;
    if installation.suspended.is_some() {
        return Err(suspended());
    }
    let bot = world.apps.get(&installation.app).map_or(0, |app| app.bot);
    Ok(Caller::Installation { app: installation.app, bot, text: Secret::new(secret), token: Box::new(token.clone()) })
}

/// The password of basic credentials: git and some clients send tokens as `x-access-token:TOKEN`.
fn password(credentials: &str) -> Option<String> {
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.decode(credentials).ok()?;
    let text = String::from_utf8(text).ok()?;
    text.split_once(':').map(|(_, password)| password.to_owned())
}

/// 403 for an installation that its owner has suspended.
pub fn suspended() -> ApiError {
    ApiError::new(http::StatusCode::FORBIDDEN, "This installation has been suspended")
}

/// Whether `caller` may use a route that needs `need`; `repo` is the repository that the path names, if it exists.
///
/// # Errors
/// 401, 403 or 404 in GitHub's words.
pub fn authorize(
    world: &World,
    caller: &Caller,
    need: Need,
    repo: Option<&Repo>,
    reading: bool,
) -> Result<(), ApiError> {
    match (need, caller) {
        (Need::Open, _) | (Need::App, Caller::App(_)) | (Need::Installation, Caller::Installation { .. }) => Ok(()),
        (Need::App, _) => Err(ApiError::undecodable_jwt()),
        (Need::Installation, Caller::Anonymous) => Err(ApiError::requires_authentication()),
        (Need::Installation, _) => Err(ApiError::new(
            http::StatusCode::FORBIDDEN,
            "You must authenticate with an installation access token in order to use this endpoint.",
        )),
        (Need::Person, Caller::Person(_)) | (Need::Granted(_), Caller::Person(_)) => Ok(()),
        (Need::Person | Need::Granted(_), Caller::Anonymous) => Err(ApiError::requires_authentication()),
        (Need::Person, _) | (Need::Granted(_), Caller::App(_)) => Err(ApiError::not_accessible(None)),
        (Need::Granted(any), Caller::Installation { token, .. }) => permitted(token, any),
        (Need::Repo(_), Caller::App(_)) => Err(ApiError::not_accessible(None)),
        (Need::Repo(_), Caller::Person(_)) => Ok(()),
        (Need::Repo(_), Caller::Anonymous) => match repo {
            Some(repo) if reading && !repo.private => Ok(()),
            Some(repo) if !repo.private => Err(ApiError::requires_authentication()),
            _ => Err(ApiError::not_found()),
        },
        (Need::Repo(any), Caller::Installation { token, .. }) => {
            let repo = repo.ok_or_else(ApiError::not_found)?;
            match world.token_repos(token).iter().any(|r| r.id == repo.id) {
                true => permitted(token, any),
                false if repo.private => Err(ApiError::not_found()),
                // What everybody may read, every token may.
                false if reading => Ok(()),
                false => Err(ApiError::not_accessible(None)),
            }
        }
    }
}

fn permitted(token: &Token, any: &[(&str, Level)]) -> Result<(), ApiError> {
    if any.iter().any(|(name, level)| grants(&token.permissions, name, *level)) {
        return Ok(());
    }
    Err(ApiError::not_accessible(Some(accepted(any))))
}

/// The value of `X-Accepted-GitHub-Permissions`.
pub fn accepted(any: &[(&str, Level)]) -> String {
    any.iter().map(|(name, level)| format!("{name}={}", level.name())).collect::<Vec<_>>().join("; ")
}
