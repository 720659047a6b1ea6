//! The name of a job at a remote bakery: it carries the address of this server and the run's id, so
//! that whatever watches the bakery's jobs can report their end.
//!
//! The host (with its path, unless that is `/github/hooks/`), `%` and the run's id: all but the id in
//! hexadecimal, the id in decimal digits and an even number of them, after an `a`. What does not fit
//! gets an [`opaque`] name.

use url::Url;

use crate::util::id;

/// The longest name that bakeries take, in characters.
const LONGEST: usize = 64;
/// The path that is left out.
const HOOKS: &str = "/github/hooks/";
/// `%`: hosts and paths hold none that is not encoded by itself.
const SEPARATOR: &str = "25";

/// Why a name cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The address of this server is no URL with a host, or the id is not positive.
    #[error("{0} has no place in a job name")]
    Unfit(String),
    /// It does not fit.
    #[error("the job name {0} exceeds max dataflow job name len of 64 chars.")]
    TooLong(String),
}

/// The name of the job of a run, of which the webhook at `webhook_url` is told.
///
/// # Errors
/// [`Error::TooLong`] when the host is too long, [`Error::Unfit`] when there is none.
pub fn encode(webhook_url: &str, recipe_run_id: i64) -> Result<String, Error> {
    let unfit = || Error::Unfit(webhook_url.to_owned());
    let url = Url::parse(webhook_url).map_err(|_| unfit())?;
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(unfit)?;
    let port = url.port().map_or(String::new(), |port| format!(":{port}"));
    let path = if url.path() == HOOKS { "" } else { url.path() };
    if recipe_run_id < 0 {
        return Err(Error::Unfit(recipe_run_id.to_string()));
    }
    let digits = recipe_run_id.to_string();
    let padding = if digits.len().is_multiple_of(2) { "" } else { "0" };
    let name = format!("a{}{SEPARATOR}{padding}{digits}", hex::encode(format!("{host}{port}{path}")));
    if name.len() > LONGEST { Err(Error::TooLong(name)) } else { Ok(name) }
}

/// The host (with its path, when it is not `/github/hooks/`) and the run's id of a name that
/// [`encode`] made; `None` for any other.
pub fn decode(name: &str) -> Option<(String, i64)> {
    let body = name.strip_prefix('a').filter(|body| body.is_ascii())?;
    let at = (0..body.len()).step_by(2).find(|at| body.get(*at..at + 2) == Some(SEPARATOR))?;
    let host = String::from_utf8(hex::decode(&body[..at]).ok()?).ok()?;
    let digits = &body[at + SEPARATOR.len()..];
    let plain =
        !digits.is_empty() && digits.len().is_multiple_of(2) && digits.bytes().all(|byte| byte.is_ascii_digit());
    Some((host, digits.parse().ok().filter(|_| plain)?))
}

/// A name that says nothing, for where the host is too long, or the plain name is taken by an
/// earlier attempt at the same run. Whose it is stands in the database only.
pub fn opaque() -> String {
    format!("pf-{}", id::guid().replace('-', ""))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::proptest;

    use super::*;

    const PROD: &str = "https://api.pangeo-forge.org/github/hooks/";
    const STAGING: &str = "https://api-staging.pangeo-forge.org/github/hooks/";

    #[test]
    fn names_are_those_of_the_original() {
        for (url, run, name, host) in [
            (
                "https://smee.io/pGKLaDu6CJwiBjJU",
                1,
                "a736d65652e696f2f70474b4c61447536434a7769426a4a552501",
                "smee.io/pGKLaDu6CJwiBjJU",
            ),
            (PROD, 1366, "a6170692e70616e67656f2d666f7267652e6f7267251366", "api.pangeo-forge.org"),
            (PROD, 1191, "a6170692e70616e67656f2d666f7267652e6f7267251191", "api.pangeo-forge.org"),
            (
                STAGING,
                9999,
                "a6170692d73746167696e672e70616e67656f2d666f7267652e6f7267259999",
                "api-staging.pangeo-forge.org",
            ),
            (
                "https://pforge-pr-136.herokuapp.com/github/hooks/",
                7,
                "a70666f7267652d70722d3133362e6865726f6b756170702e636f6d2507",
                "pforge-pr-136.herokuapp.com",
            ),
        ] {
            assert_eq!(encode(url, run).as_deref(), Ok(name));
            assert_eq!(decode(name), Some((host.to_owned(), run)));
        }
        assert_eq!(encode(STAGING, 9999).map(|name| name.len()), Ok(63));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let error = encode(STAGING, 10_000).expect_err("65 characters");
        assert!(error.to_string().ends_with("exceeds max dataflow job name len of 64 chars."), "{error}");
        let ngrok = "https://1234-1234-1234-1234-1234-1234-1234.ngrok-free.app/github/hooks/";
        assert!(matches!(encode(ngrok, 1), Err(Error::TooLong(_))));
        assert!(matches!(encode("nonsense", 1), Err(Error::Unfit(_))));
        assert!(matches!(encode(PROD, -1), Err(Error::Unfit(_))));
    }

    #[test]
    fn other_names_are_not_read() {
        for name in ["", "a", "a25", "a6125", "a612501x", "b612501", "a6g2501", "a61250", "local-feedstock", "aé2501"]
        {
            assert_eq!(decode(name), None, "{name}");
        }
        let name = opaque();
        assert_eq!(decode(&name), None);
        assert!(name.len() <= 63 && name != opaque(), "{name}");
    }

    proptest! {
        #[test]
        fn whatever_fits_is_read_back(host in "[a-z][a-z0-9-]{0,8}\\.[a-z]{2,5}", run in 0_i64..1_000_000_000) {
            if let Ok(name) = encode(&format!("https://{host}/github/hooks/"), run) {
                assert_eq!(decode(&name), Some((host, run)));
            }
        }
    }
}
