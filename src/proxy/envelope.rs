//! What a relay stores for one reader only: age files of what was posted.
//!
//! The relay seals with [`seal`] and forgets; the reader opens with [`open`]. Both ends use the
//! X25519 keys of age (`age1…`, `AGE-SECRET-KEY-1…`), which are those of the encrypted configs.

use std::fmt;

use age::secrecy::ExposeSecret;
use age::x25519;

use crate::util::Secret;

/// What goes wrong with an envelope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// The text is not a public key.
    #[error("not an age recipient (age1…)")]
    Recipient,
    /// The text is not a private key.
    #[error("not an age identity (AGE-SECRET-KEY-1…)")]
    Identity,
    /// It could not be sealed.
    #[error("cannot encrypt: {0}")]
    Seal(String),
    /// It was sealed for somebody else.
    #[error("encrypted to another key")]
    NotOurs,
    /// It is not an age file, or was changed.
    #[error("the encrypted event is damaged: {0}")]
    Damaged(String),
}

/// A public key: who can read.
#[derive(Clone)]
pub struct Recipient(x25519::Recipient);

/// A private key.
#[derive(Clone)]
pub struct Identity(x25519::Identity);

impl Recipient {
    /// Reads `age1…`.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Self, EnvelopeError> {
        text.trim().parse().map(Self).map_err(|_| EnvelopeError::Recipient)
    }
}

/// `age1…`.
impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl PartialEq for Recipient {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl Eq for Recipient {}

impl Identity {
    /// Reads the first `AGE-SECRET-KEY-1…` of `text`, which may be a whole key file.
    ///
    /// # Errors
    /// When there is none.
    pub fn parse(text: &Secret) -> Result<Self, EnvelopeError> {
        let lines = text.expose().lines().map(str::trim);
        let mut keys = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        keys.find_map(|line| line.parse().ok()).map(Self).ok_or(EnvelopeError::Identity)
    }

    /// A new one.
    pub fn generate() -> Self {
        Self(x25519::Identity::generate())
    }

    /// Its public key.
    pub fn recipient(&self) -> Recipient {
        Recipient(self.0.to_public())
    }

    /// Its text, for a key file.
    pub fn to_secret(&self) -> Secret {
        Secret::new(self.0.to_string().expose_secret())
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Encrypts `plaintext` so that only the owner of `recipient` can read it: a binary age file.
///
/// # Errors
/// [`EnvelopeError::Seal`].
pub fn seal(recipient: &Recipient, plaintext: &[u8]) -> Result<Vec<u8>, EnvelopeError> {
    age::encrypt(&recipient.0, plaintext).map_err(|error| EnvelopeError::Seal(error.to_string()))
}

/// Opens what [`seal`] made.
///
/// # Errors
/// When it was sealed for another key, or is damaged.
pub fn open(identity: &Identity, sealed: &[u8]) -> Result<Vec<u8>, EnvelopeError> {
    age::decrypt(&identity.0, sealed).map_err(|error| match error {
        age::DecryptError::NoMatchingKeys => EnvelopeError::NotOurs,
        error => EnvelopeError::Damaged(error.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_owner_opens() {
        let (owner, other) = (Identity::generate(), Identity::generate());
        let recipient = Recipient::parse(&owner.recipient().to_string()).expect("its own text");
        let sealed = seal(&recipient, b"a delivery").expect("seal");
        assert!(!sealed.windows(8).any(|window| window == b"delivery"));
        let again = Identity::parse(&owner.to_secret()).expect("its own text");
        assert_eq!(open(&again, &sealed).expect("open"), b"a delivery");
        assert_eq!(open(&other, &sealed), Err(EnvelopeError::NotOurs));
        let mut damaged = sealed;
        *damaged.last_mut().expect("not empty") ^= 1;
        assert!(matches!(open(&owner, &damaged), Err(EnvelopeError::Damaged(_))));
        assert!(matches!(open(&owner, b"nonsense"), Err(EnvelopeError::Damaged(_))));
    }

    #[test]
    fn keys_are_read_from_key_files_and_never_shown() {
        let identity = Identity::generate();
        let file =
            format!("# created: today\n# public key: {}\n{}\n", identity.recipient(), identity.to_secret().expose());
        assert_eq!(Identity::parse(&Secret::new(file)).expect("key file").recipient(), identity.recipient());
        assert_eq!(format!("{identity:?}"), "[redacted]");
        for bad in ["", "age1nonsense", "AGE-SECRET-KEY-1NONSENSE"] {
            assert_eq!(Recipient::parse(bad), Err(EnvelopeError::Recipient), "{bad}");
            assert!(Identity::parse(&Secret::new(bad)).is_err(), "{bad}");
        }
    }
}
