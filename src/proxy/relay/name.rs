//! The name of a channel: whoever knows it may post to the channel and listen to it.

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The longest name that smee accepts.
const LONGEST: usize = 128;

/// A name of 1 to 128 characters from `A-Z a-z 0-9 - _`. It is a capability: `Debug` and
/// [`Name::short`] show only its beginning, and nothing on disk is called by it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Name(Arc<str>);

impl Name {
    /// Reads a name; `None` when it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let good = (1..=LONGEST).contains(&text.len()) && text.bytes().all(fits);
        good.then(|| Self(text.into()))
    }

    /// A new name: 16 characters that stand for 96 random bits.
    ///
    /// # Errors
    /// When the operating system has no randomness to give.
    pub fn random() -> std::io::Result<Self> {
        let mut bytes = [0; 12];
        aws_lc_rs::rand::fill(&mut bytes).map_err(|_| std::io::Error::other("the system's random generator failed"))?;
        Ok(Self(URL_SAFE_NO_PAD.encode(bytes).into()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its first characters, for logs.
    pub fn short(&self) -> String {
        let shown = (self.0.len() / 2).min(6);
        format!("{}…", &self.0[..shown])
    }

    /// What its folder is called: a digest, which neither tells the name nor depends on whether
    /// the file system knows capital letters.
    pub fn folder(&self) -> String {
        hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, self.0.as_bytes()))
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.short())
    }
}

#[cfg(test)]
mod tests {
    use super::Name;

    #[test]
    fn only_the_characters_of_smee() {
        let longest = "x".repeat(128);
        for good in ["a", "AZaz09-_", longest.as_str()] {
            assert!(Name::parse(good).is_some(), "{good}");
        }
        for bad in ["", "a.b", "a/b", "é", "a b", "..", &"x".repeat(129)] {
            assert!(Name::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn random_names_have_sixteen_characters_and_are_not_shown() {
        let name = Name::random().expect("random");
        assert_eq!(name.as_str().len(), 16);
        assert!(Name::parse(name.as_str()).is_some());
        assert!(!format!("{name:?}{}", name.folder()).contains(name.as_str()));
        assert_ne!(name, Name::random().expect("random"));
    }
}
