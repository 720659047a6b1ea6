//! The identities that may open a document.

use std::fmt;
use std::io::{BufReader, Read};
use std::sync::{Mutex, PoisonError};

use age::armor::ArmoredReader;
use age::{DecryptError, Decryptor};

use super::locked::{Locked, is_age_file};
use super::shamir::Bytes;
use crate::util::Secret;

/// Asks the person for a passphrase. `what` names the file; `None` when nobody can be asked.
pub type Ask = Box<dyn Fn(&str) -> Option<Secret> + Send + Sync>;

/// Identities collected from several places. A place that cannot be read is remembered and
/// reported only when nothing else opens the document. Passphrases are asked for only when no
/// identity without one fits, and once.
#[derive(Default)]
pub struct Identities {
    ask: Option<Ask>,
    keys: Vec<Key>,
    problems: Vec<String>,
    locked: Mutex<Vec<Locked>>,
}

/// A usable identity.
#[derive(Clone)]
pub(super) struct Key {
    /// Where it comes from.
    pub(super) source: String,
    identity: Identity,
}

#[derive(Clone)]
enum Identity {
    X25519(age::x25519::Identity),
    Ssh(Box<age::ssh::Identity>),
}

/// Why a wrapped data key could not be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unwrap {
    /// It is for someone else.
    NotOurs,
    /// It is not an age file, or it was changed.
    Damaged,
}

impl Identities {
    /// None yet; `ask` is called for passphrases.
    pub fn new(ask: Ask) -> Self {
        Self { ask: Some(ask), ..Self::default() }
    }

    /// Adds what `bytes` hold: age identities, one a line or several separated by blanks (blank
    /// lines and `#` comments are skipped), an SSH private key, or an age file of such lines that
    /// a passphrase protects. `source` names the place in problems.
    pub fn add(&mut self, source: &str, bytes: &[u8]) {
        if is_age_file(bytes) {
            match Locked::age(source, bytes) {
                Ok(locked) => self.lock(locked),
                Err(reason) => self.problem(format!("{source}: {reason}")),
            }
            return;
        }
        match std::str::from_utf8(bytes) {
            Ok(text) if text.trim_start().starts_with("-----BEGIN ") => self.add_ssh(source, bytes),
            Ok(text) => {
                let (keys, problems) = parse(source, text);
                self.keys.extend(keys);
                self.problems.extend(problems);
            }
            Err(_) => self.problem(format!("{source}: not a text")),
        }
    }

    /// Adds an SSH private key in OpenSSH or PEM form.
    pub fn add_ssh(&mut self, source: &str, bytes: &[u8]) {
        let text = bytes.trim_ascii_start();
        match age::ssh::Identity::from_buffer(BufReader::new(text), Some(source.to_owned())) {
            Ok(age::ssh::Identity::Unsupported(_)) => {
                self.problem(format!("{source}: an SSH key of a kind that is not supported"));
            }
            Ok(age::ssh::Identity::Encrypted(key)) => match Locked::ssh(source, key) {
                Some(locked) => self.lock(locked),
                None => self.problem(format!("{source}: an SSH key of a kind that is not supported")),
            },
            Ok(identity) => {
                self.keys.push(Key { source: source.to_owned(), identity: Identity::Ssh(Box::new(identity)) })
            }
            // The library's message is not repeated: it may quote the text.
            Err(_) => self.problem(format!("{source}: not an SSH private key in OpenSSH or PKCS#1 form")),
        }
    }

    /// Remembers a place that could not be read.
    pub fn problem(&mut self, text: String) {
        self.problems.push(text);
    }

    /// Whether there is none, not even one behind a passphrase.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.locked().is_empty()
    }

    /// The public keys of the identities, where they are known without a passphrase, each with its
    /// source.
    pub fn public_keys(&self) -> Vec<(String, String)> {
        let mut keys: Vec<_> = self.keys.iter().filter_map(|key| Some((key.public()?, key.source.clone()))).collect();
        keys.extend(self.locked().iter().filter_map(|locked| Some((locked.public()?, locked.source().to_owned()))));
        keys
    }

    /// The places that could not be read.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// Those and what went wrong with passphrases since.
    pub(super) fn all_problems(&self) -> Vec<String> {
        let locked = self.locked();
        self.problems.iter().cloned().chain(locked.iter().filter_map(Locked::problem)).collect()
    }

    /// Opens an armored age file with whichever identity fits that needs no passphrase any more.
    pub(super) fn unwrap(&self, armored: &str) -> Result<Bytes, Unwrap> {
        let opened = try_keys(&self.keys, armored);
        match opened {
            Err(Unwrap::NotOurs) => self
                .locked()
                .iter()
                .map(|locked| try_keys(locked.keys(), armored))
                .find(Result::is_ok)
                .unwrap_or(opened),
            _ => opened,
        }
    }

    /// Asks for the passphrase of the next identity that may open one of `armored`; `false` when
    /// there is none left.
    pub(super) fn unlock_next(&self, armored: &[&str]) -> bool {
        let mut locked = self.locked();
        let next = locked.iter_mut().find(|locked| armored.iter().any(|armored| locked.may_open(armored)));
        next.is_some_and(|next| {
            next.unlock(self.ask.as_ref());
            true
        })
    }

    fn lock(&mut self, locked: Locked) {
        self.locked.get_mut().unwrap_or_else(PoisonError::into_inner).push(locked);
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Vec<Locked>> {
        self.locked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Key {
    /// An SSH key that was unlocked.
    pub(super) fn ssh(source: &str, identity: age::ssh::Identity) -> Self {
        Self { source: source.to_owned(), identity: Identity::Ssh(Box::new(identity)) }
    }

    fn public(&self) -> Option<String> {
        match &self.identity {
            Identity::X25519(identity) => Some(identity.to_public().to_string()),
            Identity::Ssh(identity) => {
                age::ssh::Recipient::try_from((**identity).clone()).ok().map(|recipient| recipient.to_string())
            }
        }
    }

    fn as_age(&self) -> &dyn age::Identity {
        match &self.identity {
            Identity::X25519(identity) => identity,
            Identity::Ssh(identity) => &**identity,
        }
    }
}

/// The identities in `text`, and what else stands there.
pub(super) fn parse(source: &str, text: &str) -> (Vec<Key>, Vec<String>) {
    let (mut keys, mut problems) = (Vec::new(), Vec::new());
    for (number, line) in text.lines().enumerate() {
        for word in line.split_ascii_whitespace().take_while(|word| !word.starts_with('#')) {
            match word.parse::<age::x25519::Identity>() {
                Ok(identity) => keys.push(Key { source: source.to_owned(), identity: Identity::X25519(identity) }),
                // Neither the word nor the library's message is repeated: it may be a secret.
                Err(_) => {
                    let what = if word.starts_with("AGE-PLUGIN-") {
                        "identities of age plugins are not supported"
                    } else if word.starts_with("AGE-SECRET-KEY-PQ-") {
                        "post-quantum age identities are not supported"
                    } else {
                        "not an AGE-SECRET-KEY-1 identity"
                    };
                    problems.push(format!("{source}, line {}: {what}", number + 1));
                    // The other words of the line are likely parts of the same thing.
                    break;
                }
            }
        }
    }
    (keys, problems)
}

/// The file without the blank lines before and after it, which Go's reader skips.
fn without_blank_lines(armored: &str) -> &str {
    let blank = |line: &str| line.trim_ascii().is_empty();
    let skipped: usize = armored.split_inclusive('\n').take_while(|line| blank(line)).map(str::len).sum();
    let mut rest = &armored[skipped..];
    while let Some((before, last)) = rest.rsplit_once('\n')
        && blank(last)
    {
        rest = before;
    }
    rest
}

fn try_keys(keys: &[Key], armored: &str) -> Result<Bytes, Unwrap> {
    let armored = without_blank_lines(armored);
    let decryptor = Decryptor::new_buffered(ArmoredReader::new(armored.as_bytes())).map_err(|_| Unwrap::Damaged)?;
    let mut stream = decryptor.decrypt(keys.iter().map(Key::as_age)).map_err(|error| match error {
        DecryptError::NoMatchingKeys => Unwrap::NotOurs,
        _ => Unwrap::Damaged,
    })?;
    // Room for a share: the buffer must not grow and leave a copy behind.
    let mut plain = Bytes::new(Vec::with_capacity(64));
    stream.read_to_end(&mut plain).map_err(|_| Unwrap::Damaged)?;
    Ok(plain)
}

impl fmt::Debug for Identities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let locked = self.locked().len();
        write!(f, "Identities({} usable, {locked} locked, {} problems)", self.keys.len(), self.problems.len())
    }
}
