//! Encrypted documents: read, open, seal.

use std::borrow::Cow;
use std::fmt;

use chrono::{DateTime, Utc};

use super::cipher::{DataKey, Ivs};
use super::close::{Closing, close};
use super::edit::splice;
use super::error::{Error, MacFault};
use super::format::{Format, Style};
use super::identical;
use super::keys::{self, Identities, Recipient};
use super::leaf::{Kind, Plain, rfc3339_seconds};
use super::mac;
use super::metadata::{Metadata, section};
use super::open::open;
use super::rules::Rule;
use super::text::Text;
use super::tree::{Map, Scalar, Span, Tree};

/// An encrypted document as it stands in a file.
pub struct Sealed {
    /// Its format.
    pub format: Format,
    /// Its bytes.
    pub(super) bytes: Vec<u8>,
    /// The whole of it, with the `sops` section as an ordinary entry, and spans.
    pub(super) tree: Tree,
    /// The section, checked.
    pub(super) metadata: Metadata,
    /// Whether it says how many key groups are needed.
    names_threshold: bool,
}

/// An opened document: its plaintext, and what is needed to seal it again.
#[derive(Debug)]
pub struct Opened {
    /// The plaintext without the `sops` section; each leaf remembers its ciphertext.
    pub tree: Tree,
    /// What a reader should know: comments that do not decrypt, for instance. No plaintext.
    pub warnings: Vec<String>,
    /// How the check of the MAC ended, where [`MacPolicy::Report`] lets it fail.
    pub mac: Result<(), MacFault>,
    pub(super) key: DataKey,
}

/// What a wrong MAC does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MacPolicy {
    /// It is an error.
    Verify,
    /// It is told in [`Opened::mac`].
    Report,
}

/// What a new encrypted document is to be like.
#[derive(Clone, Debug, Default)]
pub struct Sealing {
    /// Who may open it: one group, or several for Shamir.
    pub groups: Vec<Vec<Recipient>>,
    /// How many groups are needed; `None` is all.
    pub threshold: Option<usize>,
    /// What is encrypted.
    pub rule: Rule,
    /// Whether the MAC covers encrypted leaves only.
    pub mac_only_encrypted: bool,
    /// How it is written.
    pub style: Style,
}

/// Whether `bytes` are a document of `format` with a `sops` section, sound or not; `false` for
/// what does not parse.
pub fn is_encrypted(format: Format, bytes: &[u8]) -> bool {
    // Most plaintexts are told apart without being parsed.
    bytes.windows(4).any(|window| window == b"sops")
        && format.read_sealed(bytes).is_ok_and(|tree| {
            let first = tree.documents.first().map(|first| section::find(format, first));
            first.is_some_and(|found| !matches!(found, Err(Error::NotEncrypted)))
        })
}

/// Encrypts a plaintext document with a new data key, as `sops encrypt` does.
///
/// # Errors
/// What SOPS refuses: see [`Error::AlreadyEncrypted`], [`Error::Refused`]; no recipient.
pub fn seal(format: Format, tree: &Tree, sealing: &Sealing, now: DateTime<Utc>) -> Result<Vec<u8>, Error> {
    if let Some(key) = section::reserved(format, tree) {
        return Err(Error::AlreadyEncrypted(key.to_owned()));
    }
    let rule = match (&sealing.rule, format) {
        (_, Format::Binary) => Rule::Everything,
        // Without a rule in the metadata everybody assumes the default one.
        (Rule::Everything, _) => Rule::default(),
        (rule, _) => rule.clone(),
    };
    let key = DataKey::random()?;
    let groups = keys::wrap_groups(&key, &sealing.groups, sealing.threshold)?;
    let mut section = section::new(format, &groups, sealing.threshold, &rule);
    // All of a binary document is encrypted, and SOPS leaves this out there.
    let only_encrypted = sealing.mac_only_encrypted && format != Format::Binary;
    if only_encrypted {
        section::set_mac_only_encrypted(&mut section);
    }
    let closing = Closing { key: &key, rule: &rule, only_encrypted, reuse: false };
    let (mut sealed, mac) = close(&first_document(format, tree), &closing)?;
    section::set_mac(&mut section, &seal_mac(&key, &mac, now)?, now);
    for document in &mut sealed.documents {
        section::put(format, document, &section, None);
    }
    let bytes = format.write_sealed(&sealed, sealing.style)?;
    if rule.is_by_comments() {
        read_again(format, &bytes, &key)?;
    }
    Ok(bytes)
}

/// Opens what was just sealed. Formats move some comments when they are written and read again,
/// and under a comment rule a comment in another place says something else: SOPS writes such
/// files and cannot open them.
fn read_again(format: Format, bytes: &[u8], key: &DataKey) -> Result<(), Error> {
    let sealed = Sealed::read(format, bytes.to_vec())?;
    let opened = open(format, &sealed.tree, &sealed.metadata, key).and_then(|plain| {
        let checked = sealed.check(key, &plain.mac);
        checked.map_err(Error::Mac)
    });
    opened.map_err(|_| Error::Refused {
        place: String::new(),
        what: "has comments that do not stay where they are when it is written, so that a rule by comments cannot \
               tell what is encrypted: put each comment on a line of its own, right above its key"
            .to_owned(),
    })
}

impl Sealed {
    /// Reads an encrypted document.
    ///
    /// # Errors
    /// [`Error::NotEncrypted`] without a `sops` section; [`Error::Syntax`]; [`Error::Metadata`].
    pub fn read(format: Format, bytes: Vec<u8>) -> Result<Self, Error> {
        let tree = match format.read_sealed(&bytes) {
            Ok(tree) => tree,
            // Any file may be binary, and few of them are JSON.
            Err(_) if format == Format::Binary && !bytes.windows(6).any(|window| window == b"\"sops\"") => {
                return Err(Error::NotEncrypted);
            }
            Err(error) => return Err(error),
        };
        let section = section::find(format, tree.documents.first().ok_or(Error::NotEncrypted)?)?;
        let (metadata, names_threshold) = (Metadata::read(&section)?, Metadata::names_threshold(&section));
        Ok(Self { format, bytes, tree, metadata, names_threshold })
    }

    /// Its bytes, as they were read.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The `sops` section.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Decrypts it and checks that it is what was sealed.
    ///
    /// # Errors
    /// [`Error::NoIdentity`], [`Error::Value`], [`Error::Mac`] (with [`MacPolicy::Verify`]).
    pub fn open(&self, identities: &Identities, mac: MacPolicy) -> Result<Opened, Error> {
        self.open_with(keys::data_key(&self.metadata, self.names_threshold, identities)?, mac)
    }

    fn open_with(&self, key: DataKey, policy: MacPolicy) -> Result<Opened, Error> {
        let plain = open(self.format, &self.tree, &self.metadata, &key)?;
        let mac = self.check(&key, &plain.mac);
        if let (Err(fault), MacPolicy::Verify) = (mac, policy) {
            return Err(Error::Mac(fault));
        }
        let warnings = self.warning(&plain.clear_comments).into_iter().collect();
        Ok(Opened { tree: plain.tree, warnings, mac, key })
    }

    fn check(&self, key: &DataKey, actual: &str) -> Result<(), MacFault> {
        let stored = self.metadata.mac.as_deref().ok_or(MacFault::Missing)?;
        match key.decrypt(stored, &self.metadata.mac_aad()) {
            Ok(Plain::Scalar(Scalar::Text(expected))) if mac::equal(actual, expected.expose()) => Ok(()),
            Ok(Plain::Scalar(Scalar::Text(_))) => Err(MacFault::Differs),
            _ => Err(MacFault::Unreadable),
        }
    }

    fn warning(&self, clear_comments: &[Option<Span>]) -> Option<String> {
        let first = clear_comments.first()?;
        let count = match clear_comments.len() {
            1 => "a comment is".to_owned(),
            many => format!("{many} comments are"),
        };
        let line = first.map(|span| {
            let before = self.bytes.get(..span.start).unwrap_or_default();
            let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            if clear_comments.len() == 1 { format!(", line {line}") } else { format!(", the first in line {line}") }
        });
        Some(format!("{count} not encrypted, or changed by hand, and left as is{}", line.unwrap_or_default()))
    }

    /// The document with the plaintext `new` in place of what [`Sealed::open`] gave. Leaves that
    /// did not change keep their ciphertext, and the text around them stays as it is. `None` when
    /// nothing changed.
    ///
    /// A leaf keeps its ciphertext when [`super::tree::Node::sealed`] is there and decrypts, at
    /// its place, to its value; whatever else is encrypted afresh.
    ///
    /// # Errors
    /// As [`seal`].
    pub fn reseal(&self, opened: &Opened, new: &Tree, now: DateTime<Utc>) -> Result<Option<Vec<u8>>, Error> {
        if opened.mac.is_ok() && identical::trees(&opened.tree, new) {
            return Ok(None);
        }
        self.sealed_again(&opened.key, new, now, true, &|_| ()).map(Some)
    }

    /// The document with a new data key, every value encrypted afresh, for `groups`. As many
    /// groups as before are needed to open it, or all where there are fewer.
    ///
    /// # Errors
    /// As [`seal`]; [`Error::Unsupported`] when other key services hold the data key, too.
    pub fn rotate(&self, opened: &Opened, groups: &[Vec<Recipient>], now: DateTime<Utc>) -> Result<Vec<u8>, Error> {
        section::refuse_services(&self.metadata)?;
        let key = DataKey::random()?;
        let threshold = Some(self.metadata.threshold.min(groups.len())).filter(|_| self.metadata.groups.len() > 1);
        let wrapped = keys::wrap_groups(&key, groups, threshold)?;
        self.sealed_again(&key, &opened.tree, now, false, &|section| {
            section::put_keys(self.format, section, &wrapped, threshold);
        })
    }

    /// The document with its data key also wrapped for `added`. Nothing else changes, not even
    /// the copies of the others. Who is in it already is left out.
    ///
    /// # Errors
    /// [`Error::Unsupported`] with several key groups.
    pub fn add_recipients(&self, opened: &Opened, added: &[Recipient]) -> Result<Vec<u8>, Error> {
        let [group] = &self.metadata.groups[..] else {
            return Err(Error::Unsupported("another recipient in one of several key groups".to_owned()));
        };
        let present: Vec<Recipient> = group.iter().filter_map(|wrapped| wrapped.recipient.parse().ok()).collect();
        let mut missing: Vec<Recipient> = Vec::new();
        for recipient in added {
            if !present.iter().chain(&missing).any(|other| other.is_same(recipient)) {
                missing.push(recipient.clone());
            }
        }
        if missing.is_empty() {
            return Ok(self.bytes.clone());
        }
        let wrapped = keys::wrap(&opened.key, &missing)?;
        let mut new = self.tree.clone();
        for (document, old) in new.documents.iter_mut().zip(&self.tree.documents) {
            let mut section = match section::find(self.format, old) {
                Err(Error::NotEncrypted) => continue,
                found => found?,
            };
            section::add_keys(&mut section, &wrapped);
            document.items.retain(|item| !section::is_part(self.format, item));
            section::put(self.format, document, &section, Some(old));
        }
        splice(self.format, &self.bytes, &self.tree, &new)
    }

    /// Encrypts `plain` by the file's rule and puts it, with `edit`ed sections, into the file.
    fn sealed_again(
        &self,
        key: &DataKey,
        plain: &Tree,
        now: DateTime<Utc>,
        reuse: bool,
        edit: &dyn Fn(&mut Map),
    ) -> Result<Vec<u8>, Error> {
        if let Some(key) = section::reserved(self.format, plain) {
            return Err(Error::AlreadyEncrypted(key.to_owned()));
        }
        let only_encrypted = self.metadata.mac_only_encrypted;
        let closing = Closing { key, rule: &self.metadata.rule, only_encrypted, reuse };
        let (mut sealed, mac) = close(plain, &closing)?;
        let mac = seal_mac(key, &mac, now)?;
        let first = self.tree.documents.first();
        for (at, document) in sealed.documents.iter_mut().enumerate() {
            let old = self.tree.documents.get(at);
            let own = old.or(first).map(|old| section::find(self.format, old));
            let mut section = match (own, first) {
                (Some(Ok(own)), _) => own,
                (_, Some(first)) => section::find(self.format, first)?,
                (_, None) => return Err(Error::NotEncrypted),
            };
            edit(&mut section);
            section::set_mac(&mut section, &mac, now);
            section::put(self.format, document, &section, old);
        }
        let bytes = splice(self.format, &self.bytes, &self.tree, &sealed)?;
        if self.metadata.rule.is_by_comments() {
            read_again(self.format, &bytes, key)?;
        }
        Ok(bytes)
    }
}

impl fmt::Debug for Sealed {
    /// Without the text: not all of it need be encrypted.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { format, bytes, metadata, .. } = self;
        f.debug_struct("Sealed")
            .field("format", format)
            .field("bytes", &bytes.len())
            .field("metadata", metadata)
            .finish_non_exhaustive()
    }
}

impl Opened {
    /// The plaintext as a document of `format`, as `sops decrypt` prints it. Only YAML holds
    /// several documents; other formats get the first one.
    ///
    /// # Errors
    /// [`Error::Refused`] when the format cannot hold it.
    pub fn write(&self, format: Format, style: Style) -> Result<Text, Error> {
        format.write_plain(&first_document(format, &self.tree), style)
    }
}

/// What of `tree` a file of `format` can hold.
fn first_document(format: Format, tree: &Tree) -> Cow<'_, Tree> {
    if format == Format::Yaml || tree.documents.len() < 2 {
        return Cow::Borrowed(tree);
    }
    Cow::Owned(Tree { documents: tree.documents.iter().take(1).cloned().collect() })
}

fn seal_mac(key: &DataKey, mac: &str, now: DateTime<Utc>) -> Result<String, Error> {
    let aad = rfc3339_seconds(&now.fixed_offset());
    key.encrypt(mac.as_bytes(), Kind::Str, &aad, &mut Ivs::new())
}

#[cfg(test)]
mod tests;
