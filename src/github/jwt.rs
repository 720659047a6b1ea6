//! The App's own token: a JWT that it signs itself.
//!
//! Source: <https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app>

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rsa;
use aws_lc_rs::signature::KeyPair;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm, EncodingKey, Header};

use super::auth::AppCredentials;
use super::error::Error;
use super::pem;
use crate::util::{Clock, Secret, text};

/// `iat` lies this far in the past, so that a clock a little ahead of GitHub's does no harm.
const BACKDATE_S: i64 = 60;
/// `exp` lies this far in the future; GitHub refuses more than 600.
const LIFETIME_S: i64 = 540;
/// A JWT with less than this left is not used any more.
const SPARE_S: i64 = 60;
/// GitHub's clock must differ by this much from what a JWT assumed before the clock is blamed:
/// `Date` has whole seconds and the answer was on its way for a while.
const SKEW_S: i64 = 5;

/// Signs as the App and remembers how far GitHub's clock is from ours.
pub(super) struct Signer {
    issuer: String,
    key: EncodingKey,
    fingerprint: String,
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What to add to our clock to get GitHub's, in seconds.
    skew_s: i64,
    jwt: Option<Jwt>,
}

/// A signed JWT with what it assumes.
#[derive(Clone)]
pub(super) struct Jwt {
    pub(super) text: Secret,
    skew_s: i64,
    exp: i64,
}

#[derive(serde::Serialize)]
struct Claims<'a> {
    iat: i64,
    exp: i64,
    iss: &'a str,
}

impl Signer {
    pub(super) fn new(credentials: &AppCredentials, clock: Clock) -> Result<Self, Error> {
        let refuse = |reason: &str| Error::Credentials(reason.to_owned());
        // Refused only when a provider is there already, which serves as well.
        let _ = DEFAULT_PROVIDER.install_default();
        let issuer = credentials.issuer.trim();
        if issuer.is_empty() {
            return Err(refuse("neither a client id nor an App id is set"));
        }
        let pem = pem::normalise(credentials.private_key.expose()).map_err(refuse)?;
        // The libraries' own messages say less than this and might quote the key.
        let broken = || refuse("the private key is damaged: it is not a whole RSA key");
        let key = EncodingKey::from_rsa_pem(pem.as_bytes()).map_err(|_| broken())?;
        let pair = rsa::KeyPair::from_der(key.as_bytes()).map_err(|_| broken())?;
        let public: PublicKeyX509Der<'_> = pair.public_key().as_der().map_err(|_| broken())?;
        let fingerprint = format!("SHA256:{}", STANDARD.encode(digest(&SHA256, public.as_ref())));
        Ok(Self { issuer: issuer.to_owned(), key, fingerprint, clock, state: Mutex::default() })
    }

    /// The key's fingerprint as the App's settings page shows it.
    pub(super) fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The time at GitHub, as far as we know.
    pub(super) fn github_time(&self) -> DateTime<Utc> {
        self.clock.now() + TimeDelta::seconds(self.state().skew_s)
    }

    /// What to add to our clock to get GitHub's, in seconds; 0 until a 401 taught otherwise.
    pub(super) fn skew_s(&self) -> i64 {
        self.state().skew_s
    }

    /// A JWT that is good for another minute at least.
    pub(super) fn jwt(&self) -> Result<Jwt, Error> {
        let mut state = self.state();
        let now = self.clock.now().timestamp() + state.skew_s;
        if let Some(jwt) = &state.jwt
            // More than its whole life left: our clock was set back since.
            && (SPARE_S..=LIFETIME_S).contains(&(jwt.exp - now))
        {
            return Ok(jwt.clone());
        }
        let claims = Claims { iat: now - BACKDATE_S, exp: now + LIFETIME_S, iss: &self.issuer };
        let text = jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &self.key).map_err(|_| {
            Error::Credentials("the private key cannot sign (RSA of 2048 bits or more is needed)".into())
        })?;
        let jwt = Jwt { text: Secret::new(text), skew_s: state.skew_s, exp: claims.exp };
        state.jwt = Some(jwt.clone());
        Ok(jwt)
    }

    /// GitHub refused `jwt` in an answer dated `date`: whether the clocks explain that, so that
    /// the next JWT is worth a try.
    pub(super) fn heal(&self, jwt: &Jwt, date: DateTime<Utc>) -> bool {
        let skew_s = (date - self.clock.now()).num_seconds();
        if (skew_s - jwt.skew_s).abs() < SKEW_S {
            return false;
        }
        let mut state = self.state();
        if (skew_s - state.skew_s).abs() >= SKEW_S {
            let side = if skew_s > 0 { "behind" } else { "ahead of" };
            // To the minute: the seconds are those that the answer was under way.
            let off = Duration::from_secs((skew_s.unsigned_abs() + 30) / 60 * 60);
            let off = text::duration(if off.is_zero() { Duration::from_secs(skew_s.unsigned_abs()) } else { off });
            tracing::warn!(
                skew_s,
                "this machine's clock is {off} {side} GitHub's: signing by GitHub's time; synchronise it (NTP)"
            );
            *state = State { skew_s, jwt: None };
        }
        true
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The state is replaced whole, so a panic elsewhere cannot leave half of it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
