//! Key pairs of Apps: RSA 2048, handed out once as PKCS#1 PEM, of which only the public half stays.

use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::util::Secret;

/// Why a key could not be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The cryptography library refused to make one.
    #[error("cannot generate an RSA key")]
    Generate,
    /// The text is no RSA private key.
    #[error("not an RSA private key in PEM form (PKCS#1 or PKCS#8)")]
    Parse,
}

/// A private key for the App and the public half for its judge.
#[derive(Clone, Debug)]
pub struct AppKey {
    /// `-----BEGIN RSA PRIVATE KEY-----`, as GitHub gives it.
    pub pem: Secret,
    /// What signatures are checked with.
    pub public: PublicKey,
}

/// The public half of an App's key (PKCS#1 DER).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey(Vec<u8>);

impl PublicKey {
    /// Whether `signature` is this key's RS256 signature of `message`.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.0).verify(message, signature).is_ok()
    }
}

impl AppKey {
    /// A new key of 2048 bits; takes in the order of 100 ms.
    ///
    /// # Errors
    /// [`KeyError::Generate`].
    pub fn generate() -> Result<Self, KeyError> {
        Self::from_pair(&KeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyError::Generate)?)
    }

    /// The key in `pem`, PKCS#1 or PKCS#8.
    ///
    /// # Errors
    /// [`KeyError::Parse`].
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let text: String = pem.lines().filter(|line| !line.starts_with("-----")).map(str::trim).collect();
        let der = STANDARD.decode(text).map_err(|_| KeyError::Parse)?;
        let pair = KeyPair::from_der(&der).or_else(|_| KeyPair::from_pkcs8(&der)).map_err(|_| KeyError::Parse)?;
        Self::from_pair(&pair)
    }

    fn from_pair(pair: &KeyPair) -> Result<Self, KeyError> {
        let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| KeyError::Generate)?;
        let pkcs1 = inner_key(der.as_ref()).ok_or(KeyError::Generate)?;
        Ok(Self { pem: Secret::new(to_pem(pkcs1)), public: PublicKey(pair.public_key().as_ref().to_vec()) })
    }
}

/// The PKCS#1 key inside a PKCS#8 document: SEQUENCE { version, algorithm, OCTET STRING { key } }.
fn inner_key(pkcs8: &[u8]) -> Option<&[u8]> {
    let (outer, _) = element(pkcs8, 0x30)?;
    let (_version, rest) = element(outer, 0x02)?;
    let (_algorithm, rest) = element(rest, 0x30)?;
    element(rest, 0x04).map(|(key, _)| key)
}

/// The content of the DER element with `tag` at the start of `bytes`, and what follows it.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&[found, first], rest) = bytes.split_first_chunk::<2>()?;
    if found != tag {
        return None;
    }
    if first < 0x80 {
        return rest.split_at_checked(usize::from(first));
    }
    let (length, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
    let length = length.iter().try_fold(0usize, |sum, byte| sum.checked_mul(256)?.checked_add(usize::from(*byte)))?;
    rest.split_at_checked(length)
}

fn to_pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut pem = String::from("-----BEGIN RSA PRIVATE KEY-----\n");
    // Base64 is ASCII: every index is a character boundary.
    for start in (0..text.len()).step_by(64) {
        pem.push_str(&text[start..text.len().min(start + 64)]);
        pem.push('\n');
    }
    pem.push_str("-----END RSA PRIVATE KEY-----\n");
    pem
}

/// One key made ahead of time, because making one takes longer than any call may.
#[derive(Clone, Default)]
pub struct KeyPool(Arc<Mutex<Option<AppKey>>>);

impl KeyPool {
    /// Makes the spare key, unless there is one; blocks while it is made.
    pub fn fill(&self) {
        if self.slot().is_none()
            && let Ok(key) = AppKey::generate()
        {
            *self.slot() = Some(key);
        }
    }

    /// The spare key, or a new one.
    ///
    /// # Errors
    /// [`KeyError::Generate`].
    pub fn take(&self) -> Result<AppKey, KeyError> {
        let spare = self.slot().take();
        spare.map_or_else(AppKey::generate, Ok)
    }

    fn slot(&self) -> std::sync::MutexGuard<'_, Option<AppKey>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{AppKey, KeyPool};

    #[test]
    fn a_key_survives_its_pem() {
        let key = AppKey::generate().expect("generate");
        assert!(key.pem.expose().starts_with("-----BEGIN RSA PRIVATE KEY-----\nMII"));
        assert!(key.pem.expose().lines().all(|line| line.len() <= 64));
        assert_eq!(AppKey::from_pem(key.pem.expose()).expect("parse").public, key.public);
        assert!(!key.public.verifies(b"message", b"no signature"));
    }

    #[test]
    fn anything_else_is_no_key() {
        for text in ["", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----", "hello"] {
            assert!(AppKey::from_pem(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_pool_gives_a_key_once() {
        let pool = KeyPool::default();
        pool.fill();
        let first = pool.take().expect("key");
        assert_ne!(first.public, pool.take().expect("key").public);
    }
}
