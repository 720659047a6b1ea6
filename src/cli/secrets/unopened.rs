//! Why a file does not open, and who can help.

use std::path::Path;

use super::diagnose;
use super::identities::Found;
use super::names::Names;
use super::recipients::shown;
use crate::cli::cx::Cx;
use crate::cli::error::{Error, Kind};
use crate::secrets::{self, MacFault, Sealed};

/// Nobody's key that we have opens it: for whom it is, where keys were looked for, which were
/// found, and who can add one of them.
pub fn explain(cx: &Cx, path: &Path, sealed: &Sealed, found: &Found, error: &secrets::Error) -> Error {
    let names = Names::around(cx, path);
    let recipients = sealed.metadata().recipients();
    let file = shown(path);
    let ours = found.identities.public_keys();
    let what = if ours.is_empty() { "no identity was found" } else { "none of your identities opens it" };
    let mut told = Error::new(Kind::Integrity, format!("{file} is encrypted, and {what}"));
    told = match recipients.as_slice() {
        [] => told.because("it has no age recipient"),
        all => {
            told.because(format!("it is for {}", all.iter().map(|one| names.full(one)).collect::<Vec<_>>().join(", ")))
        }
    };
    if !ours.is_empty() {
        let ours: Vec<String> = ours.iter().map(|(key, source)| format!("{key} (from {source})")).collect();
        told = told.because(format!("yours: {}", ours.join(", ")));
    }
    told = told.because(format!("looked for identities in: {}", found.places.join("; ")));
    if let secrets::Error::NoIdentity { problems, .. } = error {
        told = problems.iter().fold(told, |told, problem| told.because(problem));
    }
    let metadata = sealed.metadata();
    if metadata.groups.len() > 1 {
        let (needed, all) = (metadata.threshold, metadata.groups.len());
        return told
            .because(format!("identities of {needed} of its {all} key groups are needed together"))
            .hint("export SOPS_AGE_KEY_FILE=key.txt");
    }
    let helpers = one_of(&recipients.iter().map(|one| names.short(one)).collect::<Vec<_>>());
    match ours.first() {
        _ if recipients.is_empty() => told,
        Some((key, _)) => told
            .because(format!("{helpers} can add you, with the command below"))
            .hint(format!("pforge secrets recipients add {} {file}", quoted(key)))
            .hint("export SOPS_AGE_KEY_FILE=key.txt"),
        None => told
            .because(format!("{helpers} can add you: send the public key that the second command below prints"))
            .hint("export SOPS_AGE_KEY_FILE=key.txt")
            .hint("pforge secrets keygen -o key.txt"),
    }
}

/// The values are not those that were sealed together; likely causes are told.
pub fn mac(path: &Path, sealed: &Sealed, found: &Found, fault: MacFault) -> Error {
    let file = shown(path);
    let told = Error::new(Kind::Integrity, format!("{file}: the integrity check failed: {fault}"));
    let causes = diagnose::causes(path.is_file().then_some(path), sealed, &found.identities);
    let told = causes.told().iter().fold(told, |told, cause| told.because(cause));
    told.hint(format!("pforge secrets diff {file}"))
        .hint(format!("pforge secrets edit --ignore-mac {file}   # to look at it, and to seal it as it is"))
}

fn one_of(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

fn quoted(key: &str) -> String {
    if key.contains(' ') { format!("'{key}'") } else { key.to_owned() }
}
