//! The age identities that may open a document.

use std::io::Read;

use age::armor::ArmoredReader;
use age::{DecryptError, Decryptor};
use zeroize::Zeroizing;

/// Identities collected from several places. A place that cannot be read is remembered and
/// reported only when nothing else opens the document.
#[derive(Default)]
pub struct Identities {
    keys: Vec<age::x25519::Identity>,
    problems: Vec<String>,
}

/// Why one wrapped data key could not be opened.
pub(super) enum Unwrap {
    /// It is for someone else.
    NotOurs,
    /// It is not an age file, or it was changed.
    Damaged,
}

impl Identities {
    /// Adds the identities in `text`, one a line; blank lines and `#` comments are skipped.
    /// `source` names the place in problems.
    pub fn add(&mut self, source: &str, text: &str) {
        for (number, line) in text.lines().enumerate() {
            let line = line.trim_end();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match line.parse::<age::x25519::Identity>() {
                Ok(identity) => self.keys.push(identity),
                // The library's message is not repeated: the line may be a secret of another kind.
                Err(_) => self.problem(format!("{source}, line {}: not an AGE-SECRET-KEY-1 identity", number + 1)),
            }
        }
    }

    /// Remembers a place that could not be read.
    pub fn problem(&mut self, text: String) {
        self.problems.push(text);
    }

    /// How many identities there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The places that could not be read.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// Opens an armored age file with whichever identity fits.
    pub(super) fn unwrap(&self, armored: &str) -> Result<Zeroizing<Vec<u8>>, Unwrap> {
        let decryptor = Decryptor::new_buffered(ArmoredReader::new(armored.as_bytes())).map_err(|_| Unwrap::Damaged)?;
        let mut stream =
            decryptor.decrypt(self.keys.iter().map(|key| key as &dyn age::Identity)).map_err(|error| match error {
                DecryptError::NoMatchingKeys => Unwrap::NotOurs,
                _ => Unwrap::Damaged,
            })?;
        let mut plain = Zeroizing::new(Vec::new());
        stream.read_to_end(&mut plain).map_err(|_| Unwrap::Damaged)?;
        Ok(plain)
    }
}

impl std::fmt::Debug for Identities {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Identities({})", self.keys.len())
    }
}
