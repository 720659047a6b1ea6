//! Secret text that cannot be printed by accident.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};

/// Secret text: zeroised on drop, redacted in `Debug`, without `Display` or `Serialize`.
///
/// The only way to the text is [`Secret::expose`], so that a search for that word finds every
/// place where a secret leaves its type.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Wraps `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// The text itself. Never log, print or store what this returns.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// A short, stable name for the secret that may be shown: `sha256:` and 8 hex digits.
    ///
    /// 32 bits tell two secrets apart and say nothing useful about a random one.
    pub fn fingerprint(&self) -> String {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, self.expose().as_bytes());
        format!("sha256:{}", hex::encode(&digest.as_ref()[..4]))
    }

    /// Compares in time that depends on the lengths only.
    pub fn matches(&self, candidate: &[u8]) -> bool {
        aws_lc_rs::constant_time::verify_slices_are_equal(self.expose().as_bytes(), candidate).is_ok()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn debug_never_shows_the_text() {
        let secret = Secret::new("hunter2");
        assert_eq!(format!("{:?}", Some(&secret)), "Some([redacted])");
    }

    #[test]
    fn fingerprint_is_the_start_of_sha256() {
        assert_eq!(Secret::new("").fingerprint(), "sha256:e3b0c442");
        assert_eq!(Secret::new("abc").fingerprint(), "sha256:ba7816bf");
    }

    #[test]
    fn matches_only_the_whole_text() {
        let secret = Secret::new("abc");
        for (candidate, expected) in [("abc", true), ("abd", false), ("ab", false), ("abcd", false), ("", false)] {
            assert_eq!(secret.matches(candidate.as_bytes()), expected, "{candidate:?}");
        }
    }
}
