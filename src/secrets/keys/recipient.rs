//! The recipients that a document is encrypted for.

use std::fmt;
use std::io::{self, Write};
use std::iter;
use std::str::FromStr;

use age::Encryptor;
use age::armor::{ArmoredWriter, Format};
use age::secrecy::ExposeSecret;
use age::ssh::ParseRecipientKeyError;

use crate::secrets::error::Error;
use crate::util::Secret;

/// An age X25519 key, or an SSH public key (ed25519, rsa).
#[derive(Clone)]
pub struct Recipient {
    text: String,
    key: Key,
}

#[derive(Clone)]
enum Key {
    X25519(age::x25519::Recipient),
    Ssh(age::ssh::Recipient),
}

impl FromStr for Recipient {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let key = if text.starts_with("ssh-") { ssh(text).map(Key::Ssh) } else { x25519(text).map(Key::X25519) };
        match key {
            Ok(key) => Ok(Self { text: text.to_owned(), key }),
            Err(reason) => Err(Error::Recipient { entry: shown(text), reason: reason.to_owned() }),
        }
    }
}

impl Recipient {
    /// Whether both are the same key; the comment of an SSH key does not count.
    pub fn is_same(&self, other: &Self) -> bool {
        self.canonical() == other.canonical()
    }

    /// The key without a comment.
    pub(super) fn canonical(&self) -> String {
        match &self.key {
            Key::X25519(key) => key.to_string(),
            Key::Ssh(key) => key.to_string(),
        }
    }

    /// Encrypts `secret` for this recipient alone, as an armored age file.
    pub(super) fn wrap(&self, secret: &[u8]) -> io::Result<String> {
        let recipient: &dyn age::Recipient = match &self.key {
            Key::X25519(key) => key,
            Key::Ssh(key) => key,
        };
        let encryptor = Encryptor::with_recipients(iter::once(recipient)).map_err(io::Error::other)?;
        let mut armored = Vec::new();
        let armor = ArmoredWriter::wrap_output(&mut armored, Format::AsciiArmor)?;
        let mut file = encryptor.wrap_output(armor)?;
        file.write_all(secret)?;
        file.finish()?.finish()?;
        String::from_utf8(armored).map_err(io::Error::other)
    }
}

fn x25519(text: &str) -> Result<age::x25519::Recipient, &'static str> {
    let Some(rest) = text.strip_prefix("age1") else {
        return Err("it begins neither with age1 nor with ssh-ed25519 or ssh-rsa");
    };
    if rest.starts_with("pq1") {
        return Err("post-quantum age keys are not supported");
    }
    // The separator of Bech32 is the last 1; what stands before it here is a plugin's name.
    if rest.contains('1') {
        return Err("keys of age plugins are not supported");
    }
    text.parse().map_err(|_| "it is damaged or incomplete")
}

fn ssh(text: &str) -> Result<age::ssh::Recipient, &'static str> {
    text.parse().map_err(|error| match error {
        ParseRecipientKeyError::RsaModulusTooSmall => "an RSA key needs 2048 bits at least",
        ParseRecipientKeyError::RsaModulusTooLarge => "the RSA key is too large",
        ParseRecipientKeyError::Unsupported(_) | ParseRecipientKeyError::Ignore => {
            "of SSH keys, only ssh-ed25519 and ssh-rsa are supported"
        }
        _ if !text.starts_with("ssh-ed25519 ") && !text.starts_with("ssh-rsa ") => {
            "of SSH keys, only ssh-ed25519 and ssh-rsa are supported"
        }
        _ => "it is damaged or incomplete",
    })
}

/// What of an entry may be repeated: not a secret key that was taken for a public one.
fn shown(text: &str) -> String {
    let upper = text.get(..11).unwrap_or_default().to_ascii_uppercase();
    if upper.starts_with("AGE-SECRET") || upper.starts_with("AGE-PLUGIN") || text.contains("PRIVATE KEY") {
        "(a secret key)".to_owned()
    } else {
        text.to_owned()
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A new age X25519 identity and its public key.
pub fn generate() -> (Secret, String) {
    let identity = age::x25519::Identity::generate();
    (Secret::new(identity.to_string().expose_secret()), identity.to_public().to_string())
}
