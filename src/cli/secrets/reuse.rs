//! Encrypting what was encrypted before: only what changed is encrypted anew.
//!
//! `sops -d > x`, an editor and `sops -e` rewrite every line. Here the last encrypted form of the
//! file is found (the file to be replaced, or the one at git HEAD); its data key, and the
//! ciphertext of each value that is as it was, are kept.

use std::collections::BTreeSet;
use std::path::Path;

use super::file;
use super::recipient_list::identity_of;
use super::recipients::{Plan, shown};
use super::rules;
use crate::cli::cx::Cx;
use crate::cli::error::Result;
use crate::secrets::{self, MacPolicy, Metadata, Recipient, Sealed, Tree, align};

/// A document that was encrypted before.
#[derive(Debug)]
pub struct Base {
    /// As it stands there.
    pub sealed: Sealed,
    /// Where it was found: the end of a sentence such as "it was found at git HEAD".
    pub place: String,
}

/// What became of it.
#[derive(Debug)]
pub enum Reused {
    /// Its data key and unchanged values are kept.
    Kept(Vec<u8>),
    /// Everything must be encrypted anew; the reason ends a sentence about the file.
    Not(String),
}

/// The document `tree` put over `base`, as `plan` wants it.
///
/// # Errors
/// When the document cannot be encrypted at all.
pub fn over(cx: &Cx, path: &Path, base: &Base, mut tree: Tree, plan: &Plan) -> Result<Reused> {
    let added = match compare(base.sealed.metadata(), plan) {
        Change::None => Vec::new(),
        Change::Added(recipients) => recipients,
        Change::Other(reason) => return Ok(Reused::Not(reason)),
    };
    let found = cx.identities(&base.sealed.metadata().recipients());
    let opened = match base.sealed.open(&found.identities, MacPolicy::Verify) {
        Ok(opened) => opened,
        Err(secrets::Error::NoIdentity { .. }) => {
            return Ok(Reused::Not(format!("no identity here opens what is {}", base.place)));
        }
        Err(error) => return Ok(Reused::Not(format!("what is {} does not open: {error}", base.place))),
    };
    align(&opened.tree, &mut tree);
    let about = |error: secrets::Error| file::about(path, &error);
    let resealed = base.sealed.reseal(&opened, &tree, cx.clock.now()).map_err(about)?;
    if added.is_empty() {
        return Ok(Reused::Kept(resealed.unwrap_or_else(|| base.sealed.bytes().to_vec())));
    }
    let widened = match resealed {
        None => base.sealed.add_recipients(&opened, &added),
        Some(bytes) => {
            let sealed = Sealed::read(base.sealed.format, bytes).map_err(about)?;
            let opened = sealed.open(&found.identities, MacPolicy::Verify).map_err(about)?;
            sealed.add_recipients(&opened, &added)
        }
    };
    widened.map(Reused::Kept).map_err(about)
}

enum Change {
    None,
    Added(Vec<Recipient>),
    Other(String),
}

/// What `plan` wants otherwise than `old` has it. What the plan does not say stays.
fn compare(old: &Metadata, plan: &Plan) -> Change {
    if plan.rule.as_ref().is_some_and(|rule| !rules::same(rule, &old.rule)) {
        return Change::Other("another rule says what is encrypted".to_owned());
    }
    if plan.mac_only_encrypted && !old.mac_only_encrypted {
        return Change::Other("the integrity check is to cover encrypted values only".to_owned());
    }
    if plan.groups.is_empty() {
        return Change::None;
    }
    let had: Vec<BTreeSet<String>> =
        old.groups.iter().map(|group| group.iter().map(|one| identity_of(&one.recipient)).collect()).collect();
    let wanted: Vec<BTreeSet<String>> =
        plan.groups.iter().map(|group| group.iter().map(|one| identity_of(&one.to_string())).collect()).collect();
    let threshold = |groups: usize, given: Option<usize>| given.unwrap_or(groups);
    if let ([had], [wanted]) = (had.as_slice(), wanted.as_slice()) {
        if let Some(gone) = had.difference(wanted).next() {
            return Change::Other(format!("{} can open it no more", plan.names.short(gone)));
        }
        let new = |one: &&Recipient| !had.contains(&identity_of(&one.to_string()));
        let added: Vec<Recipient> = plan.groups.iter().flatten().filter(new).cloned().collect();
        return if added.is_empty() { Change::None } else { Change::Added(added) };
    }
    if had != wanted || old.threshold != threshold(wanted.len(), plan.threshold) {
        return Change::Other("its key groups are others now".to_owned());
    }
    Change::None
}

/// The document that `path` held before: at git HEAD.
pub fn at_head(path: &Path, format: secrets::Format) -> Option<Base> {
    let bytes = super::git::at_head(path)?;
    Sealed::read(format, bytes).ok().map(|sealed| Base { sealed, place: "at git HEAD".to_owned() })
}

/// The document that is to be replaced.
pub fn in_place_of(path: &Path, format: secrets::Format) -> Option<Base> {
    let bytes = std::fs::read(path).ok()?;
    Sealed::read(format, bytes).ok().map(|sealed| Base { sealed, place: format!("in {}", shown(path)) })
}

/// A line for what could not be reused.
pub fn warning(path: &Path, reason: &str) -> String {
    format!("{}: every value is encrypted anew, so every line changes: {reason}", shown(path))
}
