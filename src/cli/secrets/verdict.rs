//! Whether a file is properly encrypted.

use std::path::Path;

use serde_json::{Value, json};

use super::diagnose;
use crate::secrets::{Audit, Error, Exposed, Format, Identities, MacPolicy, Sealed, audit};

/// What is wrong with a file.
#[derive(Debug)]
pub enum Fault {
    /// It cannot be read.
    Unreadable(String),
    /// It is no document.
    NotADocument,
    /// It is a document without a `sops` section.
    NotEncrypted,
    /// Values are in clear that should not be.
    Exposed(Vec<Exposed>),
    /// Its `sops` section is damaged, so that nobody can open it.
    Damaged(Error),
    /// It does not open though there is a key for it.
    Broken(Error),
    /// It opens, but its MAC is not that of its values; with the likely causes.
    Mac(String),
    /// There is no key to verify it with.
    NoKey,
}

/// How far the integrity of a file is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Integrity {
    /// The MAC is right.
    Verified,
    /// There is no key to verify it with.
    Unchecked,
    /// It is not what was sealed.
    Failed,
}

/// The verdict on one file.
#[derive(Debug)]
pub struct Verdict {
    /// The name of the file as it was given.
    pub name: String,
    /// What is wrong.
    pub fault: Option<Fault>,
    /// Whether the values are those that were sealed together.
    pub integrity: Integrity,
    /// What should be looked at, but is no fault.
    pub warnings: Vec<String>,
}

impl Verdict {
    fn of(name: &str, fault: Option<Fault>, integrity: Integrity) -> Self {
        Self { name: name.to_owned(), fault, integrity, warnings: Vec::new() }
    }

    /// A file that cannot be read.
    pub fn unreadable(name: &str, reason: &str) -> Self {
        Self::of(name, Some(Fault::Unreadable(reason.to_owned())), Integrity::Unchecked)
    }

    /// A file that need not be encrypted.
    pub fn public(name: &str) -> Self {
        Self::of(name, None, Integrity::Unchecked)
    }

    /// The line that tells what is wrong. The texts for what needs no key are those of
    /// pre-commit-hook-ensure-sops.
    pub fn message(&self) -> Option<String> {
        let what = match self.fault.as_ref()? {
            Fault::Unreadable(reason) => format!("Cannot be read: {reason}"),
            Fault::NotADocument => "Not valid JSON or YAML, is not properly encrypted".to_owned(),
            Fault::NotEncrypted => "sops metadata key not found in file, is not properly encrypted".to_owned(),
            Fault::Exposed(exposed) => {
                format!("Unencrypted values found nested under keys: {}", keys(exposed).join(","))
            }
            Fault::Damaged(error) => format!("Nobody can open it: {error}"),
            Fault::Broken(error) => format!("Cannot be decrypted: {error}"),
            Fault::Mac(causes) => format!("Integrity check failed: {causes}"),
            Fault::NoKey => "Integrity cannot be checked: no identity opens it".to_owned(),
        };
        Some(format!("{}: {what}", self.name))
    }

    /// What to run next.
    pub fn hint(&self) -> Option<String> {
        match self.fault.as_ref()? {
            Fault::NotEncrypted => Some(format!("pforge secrets encrypt -i {}", self.name)),
            Fault::Exposed(exposed) => {
                let path = &exposed.first()?.path;
                let name = &self.name;
                Some(format!("take {path} out of {name}, then: pforge secrets set -f {name} '{path}' --stdin"))
            }
            _ => None,
        }
    }

    /// The verdict under `--json`.
    pub fn to_json(&self) -> Value {
        let exposed = match &self.fault {
            Some(Fault::Exposed(exposed)) => exposed.as_slice(),
            _ => &[],
        };
        json!({
            "file": self.name,
            "ok": self.fault.is_none(),
            "message": self.message(),
            "keys": keys(exposed),
            "paths": exposed.iter().map(|leaf| leaf.path.as_str()).collect::<Vec<_>>(),
            "mac": match self.integrity {
                Integrity::Verified => "verified",
                Integrity::Unchecked => "unchecked",
                Integrity::Failed => "failed",
            },
            "warnings": self.warnings,
        })
    }
}

/// The top-level keys, each once, in document order.
fn keys(exposed: &[Exposed]) -> Vec<&str> {
    let mut keys: Vec<&str> = Vec::new();
    for leaf in exposed {
        if !keys.contains(&leaf.key.as_str()) {
            keys.push(&leaf.key);
        }
    }
    keys
}

/// Judges the file called `name`. `path` is where it stands, for a comparison with git;
/// `identities` is asked only when there is a MAC to verify; `require_mac` makes a fault of a
/// missing key.
pub fn judge<'a>(
    name: &str,
    path: Option<&Path>,
    bytes: &[u8],
    identities: &dyn Fn() -> &'a Identities,
    require_mac: bool,
) -> Verdict {
    let (format, audit) = match audited(Path::new(name), bytes) {
        Ok(audited) => audited,
        Err(fault) => return Verdict::of(name, Some(fault), Integrity::Unchecked),
    };
    if !audit.exposed.is_empty() {
        return Verdict::of(name, Some(Fault::Exposed(audit.exposed)), Integrity::Unchecked);
    }
    let mut verdict = match Sealed::read(format, bytes.to_vec()) {
        Ok(sealed) => opened(name, path, &sealed, identities()),
        Err(_) => Verdict::of(name, None, Integrity::Unchecked),
    };
    match audit.damage {
        Some(damage) if audit.genuine => verdict.fault = Some(Fault::Damaged(damage)),
        Some(damage) => verdict.warnings.push(format!("{name}: nobody can open it: {damage}")),
        None => {}
    }
    if require_mac && verdict.fault.is_none() && verdict.integrity == Integrity::Unchecked {
        verdict.fault = Some(Fault::NoKey);
    }
    verdict
}

fn opened(name: &str, path: Option<&Path>, sealed: &Sealed, identities: &Identities) -> Verdict {
    match sealed.open(identities, MacPolicy::Verify) {
        Ok(_) => Verdict::of(name, None, Integrity::Verified),
        // Without a key, and with what only another program can do, nothing can be said.
        Err(Error::NoIdentity { .. } | Error::Unsupported(_)) => Verdict::of(name, None, Integrity::Unchecked),
        Err(Error::Mac(fault)) => {
            let causes = diagnose::causes(path, sealed, identities).told();
            let told = if causes.is_empty() { fault.to_string() } else { causes.join("; ") };
            Verdict::of(name, Some(Fault::Mac(told)), Integrity::Failed)
        }
        Err(error) => Verdict::of(name, Some(Fault::Broken(error)), Integrity::Failed),
    }
}

/// The format of a document and what of it is exposed. Where the name does not tell the format,
/// it is JSON, as SOPS writes binary files, or whichever format makes it an encrypted document.
fn audited(name: &Path, bytes: &[u8]) -> Result<(Format, Audit), Fault> {
    let format = Format::of(name);
    let first = if format == Format::Binary { Format::Json } else { format };
    let error = match audit(first, bytes) {
        Ok(audit) => return Ok((if is_binary(format, bytes) { Format::Binary } else { first }, audit)),
        Err(error) => error,
    };
    if format == Format::Binary {
        for other in [Format::Yaml, Format::Dotenv, Format::Ini] {
            if let Ok(audit) = audit(other, bytes) {
                return Ok((other, audit));
            }
        }
    }
    Err(match error {
        Error::NotEncrypted | Error::Refused { .. } => Fault::NotEncrypted,
        _ if parses_without_section(first, bytes) => Fault::NotEncrypted,
        _ => Fault::NotADocument,
    })
}

fn is_binary(format: Format, bytes: &[u8]) -> bool {
    format == Format::Binary && Sealed::read(Format::Binary, bytes.to_vec()).is_ok()
}

/// Whether it is a document after all, only not one that SOPS could hold: a list, a single value.
fn parses_without_section(format: Format, bytes: &[u8]) -> bool {
    match format {
        Format::Yaml => serde_yaml::from_slice::<serde_yaml::Value>(bytes).is_ok_and(|it| it.get("sops").is_none()),
        Format::Json => serde_json::from_slice::<Value>(bytes).is_ok_and(|it| it.get("sops").is_none()),
        _ => false,
    }
}
