//! Identities behind a passphrase.

use std::io::Read;

use age::armor::ArmoredReader;
use age::secrecy::SecretString;
use age::ssh::EncryptedKey;
use age::{DecryptError, Decryptor};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use zeroize::Zeroizing;

use super::identity::{Ask, Key, parse};

/// How hard a passphrase file may be to open: 2^22 rounds of scrypt, as in the original age.
const MAX_WORK_FACTOR: u8 = 22;

/// An SSH key or a file of identities, and what its passphrase opened.
pub(super) struct Locked {
    source: String,
    inside: Inside,
    state: State,
}

enum Inside {
    Age(Vec<u8>),
    Ssh { key: Box<EncryptedKey>, public: String, tag: String },
}

enum State {
    Locked,
    Open(Vec<Key>, Vec<String>),
    Failed(&'static str),
}

/// Whether `bytes` are an age file, binary or armored.
pub(super) fn is_age_file(bytes: &[u8]) -> bool {
    bytes.starts_with(b"age-encryption.org/v1\n")
        || bytes.trim_ascii_start().starts_with(b"-----BEGIN AGE ENCRYPTED FILE-----")
}

impl Locked {
    /// An age file.
    ///
    /// # Errors
    /// When it is damaged or not protected by a passphrase.
    pub(super) fn age(source: &str, bytes: &[u8]) -> Result<Self, &'static str> {
        let decryptor = Decryptor::new_buffered(ArmoredReader::new(bytes)).map_err(|_| "a damaged age file")?;
        if !decryptor.is_scrypt() {
            return Err("an age file that is encrypted for a key, not with a passphrase");
        }
        Ok(Self { source: source.to_owned(), inside: Inside::Age(bytes.to_vec()), state: State::Locked })
    }

    /// An SSH key; `None` when its kind is not supported.
    pub(super) fn ssh(source: &str, key: EncryptedKey) -> Option<Self> {
        let public = age::ssh::Recipient::try_from(age::ssh::Identity::from(key.clone())).ok()?.to_string();
        // The header of an age file names an SSH key by the first four bytes of its hash.
        let (kind, encoded) = public.split_once(' ')?;
        let hash = digest(&SHA256, &STANDARD.decode(encoded).ok()?);
        let tag = format!("-> {kind} {}", STANDARD_NO_PAD.encode(&hash.as_ref()[..4]));
        let inside = Inside::Ssh { key: Box::new(key), public, tag };
        Some(Self { source: source.to_owned(), inside, state: State::Locked })
    }

    /// Where it comes from.
    pub(super) fn source(&self) -> &str {
        &self.source
    }

    /// The public key of an SSH key.
    pub(super) fn public(&self) -> Option<String> {
        match &self.inside {
            Inside::Ssh { public, .. } => Some(public.clone()),
            Inside::Age(_) => None,
        }
    }

    /// Whether it is still locked and asking for the passphrase may help with `armored`.
    pub(super) fn may_open(&self, armored: &str) -> bool {
        if !matches!(self.state, State::Locked) {
            return false;
        }
        let header = header(armored);
        match &self.inside {
            Inside::Ssh { tag, .. } => header.lines().any(|line| line.starts_with(tag.as_str())),
            Inside::Age(_) => header.lines().any(|line| line.starts_with("-> X25519 ")),
        }
    }

    /// The identities that the passphrase opened.
    pub(super) fn keys(&self) -> &[Key] {
        match &self.state {
            State::Open(keys, _) => keys,
            State::Locked | State::Failed(_) => &[],
        }
    }

    /// What went wrong, if something did.
    pub(super) fn problem(&self) -> Option<String> {
        match &self.state {
            State::Failed(reason) => Some(format!("{}: {reason}", self.source)),
            State::Open(_, problems) if !problems.is_empty() => Some(problems.join("; ")),
            State::Open(..) | State::Locked => None,
        }
    }

    /// Asks for the passphrase, once.
    pub(super) fn unlock(&mut self, ask: Option<&Ask>) {
        let Some(passphrase) = ask.and_then(|ask| ask(&self.source)) else {
            self.state = State::Failed("it needs a passphrase, and nobody can be asked for it");
            return;
        };
        let passphrase = SecretString::from(passphrase.expose().to_owned());
        let opened = match &self.inside {
            Inside::Ssh { key, .. } => match key.decrypt(passphrase) {
                Ok(key) => Ok((vec![Key::ssh(&self.source, key.into())], Vec::new())),
                Err(_) => Err("the passphrase is wrong"),
            },
            Inside::Age(file) => read(file, passphrase).and_then(|text| {
                let text = std::str::from_utf8(&text).map_err(|_| "what it holds is not a text")?;
                Ok(parse(&self.source, text))
            }),
        };
        self.state = match opened {
            Ok((keys, problems)) => State::Open(keys, problems),
            Err(reason) => State::Failed(reason),
        };
    }
}

fn read(file: &[u8], passphrase: SecretString) -> Result<Zeroizing<Vec<u8>>, &'static str> {
    let mut identity = age::scrypt::Identity::new(passphrase);
    identity.set_max_work_factor(MAX_WORK_FACTOR);
    let decryptor = Decryptor::new_buffered(ArmoredReader::new(file)).map_err(|_| "a damaged age file")?;
    let mut stream =
        decryptor.decrypt(std::iter::once(&identity as &dyn age::Identity)).map_err(|error| match error {
            DecryptError::ExcessiveWork { .. } => "its passphrase is too much work to check",
            _ => "the passphrase is wrong",
        })?;
    // The buffer must not grow and leave a copy behind.
    let mut text = Zeroizing::new(Vec::with_capacity(file.len() + 64));
    stream.read_to_end(&mut text).map_err(|_| "a damaged age file")?;
    Ok(text)
}

/// The readable header of an armored age file: a line for each recipient.
fn header(armored: &str) -> String {
    let mut bytes = Vec::new();
    // What cannot be read has no recipient that we could find.
    let _ = ArmoredReader::new(armored.as_bytes()).read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    text.split("\n---").next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::iter;

    use age::Encryptor;
    use age::armor::{ArmoredWriter, Format};
    use age::secrecy::SecretString;

    use super::{Locked, is_age_file};
    use crate::secrets::keys::{Ask, Identities, Recipient, generate};
    use crate::util::Secret;

    fn protected(text: &str, format: Format) -> Vec<u8> {
        let mut recipient = age::scrypt::Recipient::new(SecretString::from("open sesame".to_owned()));
        recipient.set_work_factor(2);
        let mut bytes = Vec::new();
        let armor = ArmoredWriter::wrap_output(&mut bytes, format).unwrap();
        let encryptor = Encryptor::with_recipients(iter::once(&recipient as &dyn age::Recipient)).unwrap();
        let mut file = encryptor.wrap_output(armor).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file.finish().unwrap().finish().unwrap();
        bytes
    }

    fn ask(answer: &'static str) -> Ask {
        Box::new(move |what| {
            assert_eq!(what, "keys.txt");
            Some(Secret::new(answer))
        })
    }

    #[test]
    fn a_protected_file_of_identities_opens_with_its_passphrase() {
        let (identity, public) = generate();
        let public: Recipient = public.parse().unwrap();
        let armored = public.wrap(b"secret").unwrap();
        let text = format!("# mine\n{}\nnonsense\n", identity.expose());
        for format in [Format::Binary, Format::AsciiArmor] {
            let file = protected(&text, format);
            assert!(is_age_file(&file));
            let mut identities = Identities::new(ask("open sesame"));
            identities.add("keys.txt", &file);
            assert!(!identities.is_empty());
            assert!(identities.unwrap(&armored).is_err(), "not before it is unlocked");
            assert!(identities.unlock_next(&[&armored]));
            assert_eq!(identities.unwrap(&armored).unwrap().as_slice(), b"secret");
            assert!(!identities.unlock_next(&[&armored]));
            assert_eq!(identities.all_problems(), ["keys.txt, line 3: not an AGE-SECRET-KEY-1 identity"]);
        }
    }

    #[test]
    fn a_wrong_passphrase_and_other_age_files_are_problems() {
        let mut locked = Locked::age("keys.txt", &protected("x", Format::Binary)).unwrap();
        locked.unlock(Some(&ask("wrong")));
        assert_eq!(locked.problem().unwrap(), "keys.txt: the passphrase is wrong");
        let public: Recipient = generate().1.parse().unwrap();
        let other = public.wrap(b"x").unwrap();
        for (file, reason) in [
            (other.as_bytes(), "keys.txt: an age file that is encrypted for a key, not with a passphrase"),
            (&other.as_bytes()[..100], "keys.txt: a damaged age file"),
        ] {
            let mut identities = Identities::default();
            identities.add("keys.txt", file);
            assert_eq!(identities.problems(), [reason]);
        }
    }
}
