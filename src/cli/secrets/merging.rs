//! Three versions of an encrypted file made one.

use std::path::Path;

use super::identities;
use super::names::Names;
use super::recipient_list::identity_of;
use crate::cli::cx::Cx;
use crate::secrets::{self, Error, Format, Identities, MacPolicy, Metadata, Opened, Recipient, Sealed, Tree};

/// A version as it stands in a file.
#[derive(Debug)]
pub enum Version {
    /// It is encrypted.
    Sealed(Box<Sealed>),
    /// It is a document in clear.
    Plain(Tree),
    /// There was no such file.
    Missing,
    /// It is no document.
    Broken(Error),
}

/// The result.
#[derive(Debug)]
pub struct Merged {
    /// The file: a whole document also where there are conflicts.
    pub bytes: Vec<u8>,
    /// The places that both sides changed.
    pub conflicts: Vec<String>,
    /// What a person should know.
    pub notes: Vec<String>,
}

impl Version {
    /// Reads a version. Git gives an empty file for one that never was.
    pub fn read(format: Format, bytes: Vec<u8>) -> Self {
        if bytes.is_empty() {
            return Self::Missing;
        }
        match Sealed::read(format, bytes.clone()) {
            Ok(sealed) => Self::Sealed(Box::new(sealed)),
            Err(Error::NotEncrypted) => format.read_plain(&bytes).map_or_else(Self::Broken, Self::Plain),
            Err(error) => Self::Broken(error),
        }
    }

    /// Whether it is encrypted.
    pub fn is_encrypted(&self) -> bool {
        matches!(self, Self::Sealed(_))
    }
}

/// Merges what `ours` and `theirs` made of `base`; the result is sealed with the data key of ours.
///
/// # Errors
/// Why it must be left to a person, as the end of a sentence about the file.
pub fn merge(cx: &Cx, path: &Path, base: Version, ours: Version, theirs: Version) -> Result<Merged, String> {
    let (Version::Sealed(ours), Version::Sealed(theirs)) = (ours, theirs) else {
        return Err("only one of the two versions is an encrypted document".to_owned());
    };
    let mut recipients = ours.metadata().recipients();
    recipients.extend(theirs.metadata().recipients());
    let found = identities::collect(&cx.env, &cx.ui, &cx.settings.root.value, &recipients);
    let open = |name: &str, sealed: &Sealed| -> Result<Opened, String> {
        sealed.open(&found.identities, MacPolicy::Verify).map_err(|error| format!("{name} cannot be opened: {error}"))
    };
    let (our, their) = (open("our version", &ours)?, open("their version", &theirs)?);
    let (was, metadata) = match &base {
        Version::Sealed(base) => (open("the version that both come from", base)?.tree, Some(base.metadata())),
        Version::Plain(tree) => (tree.clone(), None),
        Version::Missing => (Tree::default(), None),
        Version::Broken(error) => return Err(format!("the version that both come from cannot be read: {error}")),
    };
    let merged = secrets::merge(&was, &our.tree, &their.tree);
    let now = cx.clock.now();
    let sealed =
        ours.reseal(&our, &merged.tree, now).map_err(|error| format!("the result cannot be sealed: {error}"))?;
    let mut notes = Vec::new();
    if theirs.metadata().rule.named() != ours.metadata().rule.named()
        || theirs.metadata().mac_only_encrypted != ours.metadata().mac_only_encrypted
    {
        notes.push("the two sides have other rules of what is encrypted; ours is kept".to_owned());
    }
    let bytes = sealed.unwrap_or_else(|| ours.bytes().to_vec());
    let before = metadata.map(Metadata::recipients).unwrap_or_default();
    let people = People::of(&before, &ours.metadata().recipients(), &theirs.metadata().recipients());
    let names = Names::around(cx, path);
    let bytes = people.apply(ours.format, bytes, &found.identities, &names, now, &mut notes);
    let bytes = bytes.map_err(|error| format!("the recipients cannot be merged: {error}"))?;
    Ok(Merged { bytes, conflicts: merged.conflicts, notes })
}

/// What their side did to the recipients that ours did not.
#[derive(Debug, PartialEq, Eq)]
struct People {
    added: Vec<String>,
    removed: Vec<String>,
}

impl People {
    fn of(base: &[String], ours: &[String], theirs: &[String]) -> Self {
        let has = |list: &[String], one: &str| list.iter().any(|other| identity_of(other) == identity_of(one));
        let added = theirs.iter().filter(|one| !has(base, one) && !has(ours, one)).cloned().collect();
        let removed = base.iter().filter(|one| !has(theirs, one) && has(ours, one)).cloned().collect();
        Self { added, removed }
    }

    fn apply(
        &self,
        format: Format,
        bytes: Vec<u8>,
        identities: &Identities,
        names: &Names,
        now: chrono::DateTime<chrono::Utc>,
        notes: &mut Vec<String>,
    ) -> Result<Vec<u8>, Error> {
        if self.added.is_empty() && self.removed.is_empty() {
            return Ok(bytes);
        }
        let sealed = Sealed::read(format, bytes)?;
        if sealed.metadata().groups.len() > 1 {
            notes.push("the recipients of key groups are not merged; ours are kept".to_owned());
            return Ok(sealed.bytes().to_vec());
        }
        let opened = sealed.open(identities, MacPolicy::Verify)?;
        let parse = |all: &[String]| all.iter().map(|one| one.parse()).collect::<Result<Vec<Recipient>, Error>>();
        if self.removed.is_empty() {
            return sealed.add_recipients(&opened, &parse(&self.added)?);
        }
        // Whoever was removed knows the data key of ours: it must be another one from now on.
        let gone = |one: &String| self.removed.iter().any(|other| identity_of(other) == identity_of(one));
        let mut stay = sealed.metadata().recipients();
        stay.retain(|one| !gone(one));
        stay.extend(self.added.iter().cloned());
        let people: Vec<String> = self.removed.iter().map(|one| names.short(one)).collect();
        notes.push(format!("{} was removed by their side: the data key is a new one", people.join(", ")));
        sealed.rotate(&opened, &[parse(&stay)?], now)
    }
}

#[cfg(test)]
mod tests {
    use super::People;

    fn owned(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn recipients_are_merged_as_sets() {
        /// Base, ours, theirs; added, removed.
        type Case<'a> = [&'a [&'a str]; 5];
        let cases: [Case<'_>; 7] = [
            [&["a"], &["a"], &["a", "b"], &["b"], &[]],
            [&["a"], &["a", "b"], &["a"], &[], &[]],
            [&["a"], &["a", "b"], &["a", "b"], &[], &[]],
            [&["a", "b"], &["a", "b"], &["a"], &[], &["b"]],
            [&["a", "b"], &["a"], &["a", "b"], &[], &[]],
            [&["a", "b"], &["a", "c"], &["a", "d"], &["d"], &[]],
            [&["ssh-rsa X one"], &["ssh-rsa X two"], &["ssh-rsa X three"], &[], &[]],
        ];
        for [base, ours, theirs, added, removed] in cases {
            let people = People::of(&owned(base), &owned(ours), &owned(theirs));
            let expected = People { added: owned(added), removed: owned(removed) };
            assert_eq!(people, expected, "{base:?} {ours:?} {theirs:?}");
        }
    }
}
