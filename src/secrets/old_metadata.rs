//! The `sops` section of a document: who may open it, what is encrypted, the MAC.

use chrono::DateTime;
use regex::Regex;
use serde_yaml::{Mapping, Value};

use super::old_cipher::DataKey;
use super::old_error::Error;
use super::old_identity::{Identities, Unwrap};

/// Which leaves are encrypted. Suffixes and patterns look at every key on the path.
pub(super) enum Rule {
    /// All but below a key with this suffix.
    UnencryptedSuffix(String),
    /// Only below a key with this suffix.
    EncryptedSuffix(String),
    /// All but below a key that this matches.
    UnencryptedRegex(Regex),
    /// Only below a key that this matches.
    EncryptedRegex(Regex),
    /// Decided by comments, which the YAML parser drops: those that have the encrypted form.
    ByForm,
}

impl Rule {
    /// Whether the leaf `text` at `path` is encrypted.
    pub(super) fn encrypts(&self, path: &[String], text: Option<&str>) -> bool {
        match self {
            Self::UnencryptedSuffix(suffix) => !path.iter().any(|key| key.ends_with(suffix)),
            Self::EncryptedSuffix(suffix) => path.iter().any(|key| key.ends_with(suffix)),
            Self::UnencryptedRegex(pattern) => !path.iter().any(|key| pattern.is_match(key)),
            Self::EncryptedRegex(pattern) => path.iter().any(|key| pattern.is_match(key)),
            Self::ByForm => text.is_some_and(super::old_cipher::looks_encrypted),
        }
    }
}

/// The section, checked.
pub(super) struct Metadata {
    /// Recipient and armored data key.
    wrapped: Vec<(String, String)>,
    /// What is encrypted.
    pub(super) rule: Rule,
    /// Whether the MAC covers encrypted leaves only.
    pub(super) mac_only_encrypted: bool,
    /// The encrypted MAC.
    pub(super) mac: String,
    /// Additional data of the MAC: the time of the last change, in RFC 3339 with seconds.
    pub(super) lastmodified: String,
}

impl Metadata {
    /// Reads the section.
    pub(super) fn read(section: &Value) -> Result<Self, Error> {
        let damaged = |what: &str| Error::Metadata(what.to_owned());
        let map = section.as_mapping().ok_or_else(|| damaged("it is not a mapping"))?;
        let text = |name: &str| map.get(name).and_then(Value::as_str).filter(|value| !value.is_empty());

        let version = text("version").ok_or_else(|| damaged("no version"))?;
        if version.split('.').count() < 2 || !version.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(damaged("the version is not a version number"));
        }
        let lastmodified = text("lastmodified").ok_or_else(|| damaged("no lastmodified"))?;
        let changed =
            DateTime::parse_from_rfc3339(lastmodified).map_err(|_| damaged("lastmodified is not an RFC 3339 time"))?;
        let lastmodified = changed.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        let mac = text("mac").ok_or_else(|| damaged("no mac"))?.to_owned();
        let mac_only_encrypted = map.get("mac_only_encrypted").and_then(Value::as_bool).unwrap_or(false);
        let rule = rule(&text)?;
        if mac_only_encrypted && matches!(rule, Rule::ByForm) {
            // What is encrypted could then not be told from what only looks so.
            return Err(Error::Unsupported("mac_only_encrypted with a comment rule".to_owned()));
        }
        Ok(Self { wrapped: wrapped(map)?, rule, mac_only_encrypted, mac, lastmodified })
    }

    /// The names of those who may open the document.
    pub(super) fn recipients(&self) -> Vec<String> {
        self.wrapped.iter().map(|(recipient, _)| recipient.clone()).collect()
    }

    /// Opens the data key with the first identity that fits any of the wrapped copies.
    pub(super) fn data_key(&self, identities: &Identities) -> Result<DataKey, Error> {
        let mut damaged = None;
        for (recipient, armored) in &self.wrapped {
            match identities.unwrap(armored) {
                Ok(bytes) => {
                    return DataKey::new(&bytes).ok_or_else(|| Error::Metadata("the data key is not 32 bytes".into()));
                }
                Err(Unwrap::NotOurs) => {}
                Err(Unwrap::Damaged) => damaged = Some(recipient),
            }
        }
        match damaged {
            // Without any identity nothing can be said about the copies.
            Some(recipient) if !identities.is_empty() => {
                Err(Error::Metadata(format!("the data key for {recipient} cannot be read")))
            }
            _ => Err(Error::NoIdentity { recipients: self.recipients(), problems: identities.problems().to_vec() }),
        }
    }
}

fn wrapped(map: &Mapping) -> Result<Vec<(String, String)>, Error> {
    let groups = map.get("key_groups").and_then(Value::as_sequence).map_or(&[][..], Vec::as_slice);
    let entries = match groups {
        [] => map.get("age"),
        [only] => only.get("age"),
        _ => return Err(Error::Unsupported("several key groups".to_owned())),
    };
    let entries = entries.and_then(Value::as_sequence).map_or(&[][..], Vec::as_slice);
    entries
        .iter()
        .map(|entry| {
            let field = |name: &str| entry.get(name).and_then(Value::as_str).map(str::to_owned);
            field("recipient")
                .zip(field("enc"))
                .ok_or_else(|| Error::Metadata("an age entry lacks recipient or enc".into()))
        })
        .collect()
}

fn rule<'a>(text: &impl Fn(&str) -> Option<&'a str>) -> Result<Rule, Error> {
    let pattern = |name: &str, source: &str| {
        Regex::new(source).map_err(|_| Error::Metadata(format!("{name} is not a regular expression")))
    };
    let mut rules = Vec::new();
    for name in [
        "unencrypted_suffix",
        "encrypted_suffix",
        "unencrypted_regex",
        "encrypted_regex",
        "unencrypted_comment_regex",
        "encrypted_comment_regex",
    ] {
        let Some(value) = text(name) else { continue };
        rules.push(match name {
            "unencrypted_suffix" => Rule::UnencryptedSuffix(value.to_owned()),
            "encrypted_suffix" => Rule::EncryptedSuffix(value.to_owned()),
            "unencrypted_regex" => Rule::UnencryptedRegex(pattern(name, value)?),
            "encrypted_regex" => Rule::EncryptedRegex(pattern(name, value)?),
            _ => Rule::ByForm,
        });
    }
    match rules.len() {
        0 => Ok(Rule::UnencryptedSuffix("_unencrypted".to_owned())),
        1 => rules.pop().ok_or(Error::NotEncrypted),
        _ => Err(Error::Metadata("more than one rule says what is encrypted".to_owned())),
    }
}
