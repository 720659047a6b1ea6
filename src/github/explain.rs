//! What a 401, 403, 404 or 422 means for an App, and which page mends it.
//!
//! Pure: everything it needs is in the call and in what GitHub answered.

use std::time::Duration;

use url::Url;

use super::auth::Scheme;
use super::call::Call;
use super::error::{Error, Said, StatusError};
use crate::util::text;

/// What is known about a refusal.
#[derive(Debug, Default)]
pub(super) struct Refusal {
    pub(super) status: u16,
    /// How often GitHub was asked.
    pub(super) attempts: u32,
    pub(super) said: Said,
    pub(super) retry_after: Option<Duration>,
    /// `X-Accepted-GitHub-Permissions`.
    pub(super) accepted_permissions: Option<String>,
    /// GitHub for people, without a slash at the end.
    pub(super) web_url: String,
    /// How far GitHub's clock is ahead of ours.
    pub(super) skew_s: i64,
}

/// The error that a refusal of `call` is.
pub(super) fn status_error(call: &Call, refusal: Refusal) -> Error {
    let path = call.shown_path();
    let explanation = explain(call.scheme(), call.method.as_str(), &path, &refusal);
    Error::Status(Box::new(StatusError {
        method: call.method.to_string(),
        path,
        status: refusal.status,
        message: refusal.said.message,
        errors: refusal.said.errors,
        documentation_url: refusal.said.documentation_url,
        retry_after: refusal.retry_after,
        accepted_permissions: refusal.accepted_permissions,
        explanation,
    }))
}

/// GitHub for people, of the API at `api_url`: `https://github.com`, an Enterprise Server's host,
/// or the emulator. Without a slash at the end.
pub fn web_url(api_url: &Url) -> String {
    let mut web = api_url.clone();
    web.set_path("");
    match web.host_str() {
        Some("api.github.com") => "https://github.com".to_owned(),
        // GitHub Enterprise Cloud with data residency: api.NAME.ghe.com.
        Some(host) if host.starts_with("api.") && host.ends_with(".ghe.com") => format!("https://{}", &host[4..]),
        _ => web.as_str().trim_end_matches('/').to_owned(),
    }
}

fn explain(scheme: Scheme, method: &str, path: &str, refusal: &Refusal) -> Option<String> {
    let message = refusal.said.message.to_ascii_lowercase();
    let says = |part: &str| message.contains(part);
    match refusal.status {
        _ if refusal.retry_after.is_some() || refusal.status == 429 || says("rate limit") => {
            let wait = refusal.retry_after.map(text::duration);
            let wait = wait.map_or_else(|| "a while".to_owned(), |wait| format!("{wait} from now"));
            Some(format!("GitHub's rate limit or its servers are busy: the call may succeed {wait}"))
        }
        401 if scheme == Scheme::Installation && says("json web token") => {
            Some("this endpoint is for the App itself: it takes a JWT, no installation token".to_owned())
        }
        403 if scheme == Scheme::Jwt && says("not accessible by integration") => {
            Some("this endpoint is for installations: it takes an installation token, no JWT".to_owned())
        }
        401 if scheme == Scheme::Jwt => Some(jwt_refused(&message, refusal)),
        401 if scheme == Scheme::Installation => Some(format!(
            "GitHub does not take the installation's token: the App was uninstalled or suspended, see {}",
            installations(refusal)
        )),
        403 if says("suspended") => Some(format!(
            "the App's installation is suspended: its owner can unsuspend it at {}",
            installations(refusal)
        )),
        403 if says("ip allow list") => {
            Some("the organisation's IP allow list does not name this machine's address".to_owned())
        }
        403 if says("saml") => {
            Some("the organisation enforces SAML single sign-on: authorise the App for it".to_owned())
        }
        403 if scheme == Scheme::Installation => Some(permission_missing(method, refusal)),
        403 => Some(format!("the App may not do this; its settings are at {}", apps(refusal))),
        404 => Some(not_found(scheme, path, refusal)),
        422 if path.ends_with("/access_tokens") => Some(format!(
            "the token asks for permissions or repositories that the installation does not have: \
             compare the App's permissions at {} with what the owner accepted at {}",
            apps(refusal),
            installations(refusal)
        )),
        422 if path.ends_with("/check-runs") && says("no commit found") => Some(
            "the commit is not in this repository: check runs belong to the base repository of a pull request".into(),
        ),
        422 => Some("GitHub understood the call but does not take its values".to_owned()),
        500.. => {
            let tried =
                if refusal.attempts > 1 { format!(" (tried {} times)", refusal.attempts) } else { String::new() };
            Some(format!("GitHub has a problem{tried}, see https://www.githubstatus.com"))
        }
        _ => None,
    }
}

fn jwt_refused(message: &str, refusal: &Refusal) -> String {
    let about_time = message.contains("'exp'") || message.contains("'iat'");
    if about_time || refusal.skew_s != 0 {
        let off = match refusal.skew_s {
            0 => String::new(),
            s => format!(" by {}", text::duration(Duration::from_secs(s.unsigned_abs()))),
        };
        return format!("this machine's clock differs from GitHub's{off}: synchronise it (NTP)");
    }
    if message.contains("integration not found") || message.contains("'iss'") || message.contains("'issuer'") {
        return format!("no App has this client id or App id: compare it with {}", apps(refusal));
    }
    if message.contains("public key") {
        return format!("the App has no private key: generate one at {}", apps(refusal));
    }
    format!(
        "the private key is not one of this App's, or the client id is another App's: \
         compare the key's fingerprint with {} (General, Private keys)",
        apps(refusal)
    )
}

fn permission_missing(method: &str, refusal: &Refusal) -> String {
    let needed = match refusal.accepted_permissions.as_deref().and_then(permissions) {
        Some(named) => format!("the App needs {named}"),
        None if method == "GET" => "the App lacks a read permission for this".to_owned(),
        None => "the App lacks a write permission for this".to_owned(),
    };
    format!(
        "{needed}: set it at {} (Permissions & events), then the owner accepts it at {}",
        apps(refusal),
        installations(refusal)
    )
}

/// `contents=read,pull_requests=read; issues=read` as people say it. Commas join, semicolons
/// separate alternatives.
fn permissions(header: &str) -> Option<String> {
    let sets: Vec<String> = header
        .split(';')
        .map(|set| {
            let named: Vec<String> =
                set.split(',').map(str::trim).filter(|one| !one.is_empty()).map(|one| one.replace('=', ":")).collect();
            named.join(" and ")
        })
        .filter(|set| !set.is_empty())
        .collect();
    (!sets.is_empty()).then(|| format!("the permission {}", sets.join(", or ")))
}

fn not_found(scheme: Scheme, path: &str, refusal: &Refusal) -> String {
    match scheme {
        Scheme::Anonymous => {
            "the code is unknown, older than an hour, or was used already: create the App again".into()
        }
        Scheme::Jwt if path.contains("/app/installations/") || path.ends_with("/installation") => {
            format!("the App is not installed there: install it from {}", apps(refusal))
        }
        Scheme::Jwt if path.contains("/app/hook/deliveries/") => {
            "GitHub does not keep this delivery any more, or does not show it yet: it keeps them for a few days".into()
        }
        Scheme::Jwt if path.contains("/app/hook/") => {
            format!("the App has no webhook: switch it on at {}", apps(refusal))
        }
        Scheme::Jwt => format!("no App has this client id or App id: compare it with {}", apps(refusal)),
        Scheme::Installation => {
            let needed = refusal.accepted_permissions.as_deref().and_then(permissions);
            let needed = needed.map_or_else(String::new, |named| format!(" (needs {named})"));
            format!(
                "it does not exist, or the App's installation may not see it{needed}: \
                 which repositories it covers stands at {}",
                installations(refusal)
            )
        }
    }
}

fn apps(refusal: &Refusal) -> String {
    format!("{}/settings/apps", refusal.web_url)
}

fn installations(refusal: &Refusal) -> String {
    format!("{}/settings/installations", refusal.web_url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, message: &str) -> Refusal {
        Refusal {
            status,
            said: Said { message: message.to_owned(), ..Said::default() },
            web_url: "https://github.com".to_owned(),
            ..Refusal::default()
        }
    }

    #[test]
    fn each_refusal_has_its_meaning() {
        let jwt = Scheme::Jwt;
        let token = Scheme::Installation;
        let runs = "/repos/o/r/check-runs";
        let table = [
            (jwt, 401, "/app", "'Expiration time' claim ('exp') is too far in the future", "clock"),
            (jwt, 401, "/app", "'Issued at' claim ('iat') must be an Integer representing", "clock"),
            (jwt, 401, "/app", "A JSON web token could not be decoded", "fingerprint"),
            (jwt, 401, "/app", "Bad credentials", "fingerprint"),
            (
                jwt,
                401,
                "/app",
                "Integration must generate a public key",
                "generate one at https://github.com/settings/apps",
            ),
            (jwt, 401, "/app", "Integration not found", "client id"),
            (jwt, 404, "/app", "Integration not found", "client id"),
            (jwt, 403, "/repos/o/r", "Resource not accessible by integration", "takes an installation token"),
            (token, 401, "/app", "A JSON web token could not be decoded", "takes a JWT"),
            (jwt, 404, "/repos/o/r/installation", "Not Found", "not installed"),
            (jwt, 404, "/app/installations/1/access_tokens", "Not Found", "not installed"),
            (jwt, 404, "/app/hook/deliveries/1", "Not Found", "few days"),
            (jwt, 404, "/app/hook/config", "Not Found", "no webhook"),
            (
                jwt,
                422,
                "/app/installations/1/access_tokens",
                "The permissions requested are not granted",
                "accepted at",
            ),
            (jwt, 403, "/app/installations/1/access_tokens", "This installation has been suspended", "unsuspend"),
            (token, 401, runs, "Bad credentials", "uninstalled or suspended"),
            (token, 403, runs, "Resource not accessible by integration", "lacks a write permission"),
            (
                token,
                403,
                runs,
                "Although you appear to have the correct authorization credentials, the `o` organization has an IP allow list enabled",
                "IP allow list",
            ),
            (token, 403, runs, "API rate limit exceeded for installation ID 1.", "rate limit"),
            (token, 429, runs, "", "rate limit"),
            (token, 404, runs, "Not Found", "https://github.com/settings/installations"),
            (token, 422, runs, "No commit found for SHA: x", "base repository"),
            (token, 422, runs, "Validation Failed", "does not take its values"),
            (token, 500, runs, "", "githubstatus"),
            (Scheme::Anonymous, 404, "/app-manifests/…/conversions", "Not Found", "hour"),
        ];
        for (scheme, status, path, message, expected) in table {
            let text = explain(scheme, "POST", path, &refusal(status, message)).expect("explained");
            assert!(text.contains(expected), "{status} {path} {message}: {text}");
        }
        assert_eq!(explain(token, "PUT", "/repos/o/r/pulls/1/merge", &refusal(405, "Not mergeable")), None);
    }

    #[test]
    fn the_missing_permission_is_named() {
        for (header, expected) in [
            ("checks=write", "the permission checks:write"),
            ("contents=read,pull_requests=read; issues=read", "contents:read and pull_requests:read, or issues:read"),
        ] {
            for status in [403, 404] {
                let refusal = Refusal {
                    accepted_permissions: Some(header.to_owned()),
                    ..refusal(status, "Resource not accessible by integration")
                };
                let text = explain(Scheme::Installation, "POST", "/x", &refusal).expect("explained");
                assert!(text.contains(expected), "{text}");
            }
        }
        assert_eq!(permissions(" ; , "), None);
    }

    #[test]
    fn a_known_skew_is_told() {
        let refusal = Refusal { skew_s: -7200, ..refusal(401, "A JSON web token could not be decoded") };
        let text = explain(Scheme::Jwt, "GET", "/app", &refusal).expect("explained");
        assert!(text.contains("by 2 h"), "{text}");
    }

    #[test]
    fn the_web_address_follows_the_api() {
        for (api, web) in [
            ("https://api.github.com/", "https://github.com"),
            ("https://ghes.example/api/v3/", "https://ghes.example"),
            ("https://api.octo.ghe.com/", "https://octo.ghe.com"),
            ("http://127.0.0.1:4010/", "http://127.0.0.1:4010"),
        ] {
            assert_eq!(web_url(&Url::parse(api).expect("url")), web);
        }
    }
}
