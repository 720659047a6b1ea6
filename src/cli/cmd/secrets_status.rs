//! `pforge secrets status`.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::cli::cx::Cx;
use crate::cli::error::Result;
use crate::cli::secrets::names::Names;
use crate::cli::secrets::recipients::shown;
use crate::cli::secrets::{diagnose, file, identities, targets};
use crate::cli::ui::{Cell, Tone};
use crate::secrets::{Error, Format, Identities, MacPolicy, Metadata, Sealed};

/// Show who can open files, what is encrypted, and whether they are whole
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Without files: those in the folder secrets/. Needs no key; with one, the MAC is verified. Nobody is asked\n\
    for a passphrase. With --json, `encrypted` is what `sops filestatus` prints.\n\n\
    Examples:\n  \
    pforge secrets status\n  \
    pforge secrets status secrets/config.pangeo-forge.yaml --json"
)]
pub struct Args {
    /// The files [default: all in secrets/]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// What is known of a file.
struct Status {
    name: String,
    sealed: Option<Sealed>,
    /// Why it is no document, though it has something like a `sops` section.
    damage: Option<String>,
    names: Names,
    /// The recipients that one of our identities belongs to.
    ours: Vec<String>,
    mac: Mac,
}

enum Mac {
    /// There is no key to verify it with.
    Unknown,
    /// It is right.
    Right,
    /// It is not; with the causes.
    Wrong(String),
}

/// Prints the status of each file.
///
/// # Errors
/// When a file cannot be read, or there is no folder `secrets/` and no file is named.
pub fn run(args: Args, cx: &Cx) -> Result {
    let files = if args.files.is_empty() { targets::all(cx)? } else { args.files };
    let found = identities::collect_unasked(&cx.env, &cx.settings.root.value);
    let all = files.iter().map(|path| status(cx, path, &found.identities)).collect::<Result<Vec<_>>>()?;
    if cx.ui.json() {
        let encrypted = all.iter().all(|status| status.sealed.is_some());
        let files: Vec<Value> = all.iter().map(to_json).collect();
        return cx.ui.document(&json!({ "encrypted": encrypted, "files": files }));
    }
    if all.is_empty() {
        cx.ui.status("There is no file in secrets/.");
        return Ok(());
    }
    let headings = ["file", "state", "recipients", "your key", "mac", "encrypts", "changed", "version"];
    cx.ui.table(&headings, &all.iter().map(row).collect::<Vec<_>>())?;
    for status in &all {
        if let Some(damage) = &status.damage {
            cx.ui.warn(format!("{}: {damage}", status.name));
        }
        if let Mac::Wrong(causes) = &status.mac {
            cx.ui.warn(format!("{}: the integrity check failed: {causes}", status.name));
        }
    }
    if let Some(open) = all.iter().find(|status| status.sealed.is_none() && status.damage.is_none()) {
        cx.ui.hint(format!("pforge secrets encrypt -i {}", open.name));
    }
    Ok(())
}

fn status(cx: &Cx, path: &Path, identities: &Identities) -> Result<Status> {
    let bytes = file::read(path)?;
    let mut status = Status {
        name: shown(path),
        sealed: None,
        damage: None,
        names: Names::around(cx, path),
        ours: Vec::new(),
        mac: Mac::Unknown,
    };
    let sealed = match Sealed::read(Format::of(path), bytes) {
        Ok(sealed) => sealed,
        Err(error @ (Error::Metadata(_) | Error::Unsupported(_))) => {
            status.damage = Some(error.to_string());
            return Ok(status);
        }
        Err(_) => return Ok(status),
    };
    status.ours = sealed.metadata().recipients();
    let keys = identities.public_keys();
    status.ours.retain(|recipient| keys.iter().any(|(key, _)| same_key(key, recipient)));
    status.mac = match sealed.open(identities, MacPolicy::Verify) {
        Ok(_) => Mac::Right,
        Err(Error::NoIdentity { .. } | Error::Unsupported(_)) => Mac::Unknown,
        Err(Error::Mac(fault)) => {
            let causes = diagnose::causes(Some(path), &sealed, identities).told();
            Mac::Wrong(if causes.is_empty() { fault.to_string() } else { causes.join("; ") })
        }
        Err(error) => Mac::Wrong(error.to_string()),
    };
    status.sealed = Some(sealed);
    Ok(status)
}

/// An SSH key is the same with another comment.
fn same_key(one: &str, other: &str) -> bool {
    one.split_whitespace().take(2).eq(other.split_whitespace().take(2))
}

fn row(status: &Status) -> Vec<Cell> {
    let Some(sealed) = &status.sealed else {
        let state = match status.damage {
            Some(_) => Cell::toned("damaged", Tone::Bad),
            None => Cell::toned("in clear", Tone::Warn),
        };
        return vec![status.name.as_str().into(), state];
    };
    let metadata = sealed.metadata();
    let recipients: Vec<String> = metadata.recipients().iter().map(|one| status.names.short(one)).collect();
    let ours: Vec<String> = status.ours.iter().map(|one| status.names.short(one)).collect();
    vec![
        status.name.as_str().into(),
        Cell::toned("encrypted", Tone::Good),
        recipients.join(", ").into(),
        match status.mac {
            _ if !ours.is_empty() => ours.join(", ").into(),
            Mac::Unknown => Cell::toned("no", Tone::Warn),
            Mac::Right | Mac::Wrong(_) => "yes".into(),
        },
        match status.mac {
            Mac::Unknown => "–".into(),
            Mac::Right => Cell::toned("ok", Tone::Good),
            Mac::Wrong(_) => Cell::toned("wrong", Tone::Bad),
        },
        encrypts(metadata).into(),
        metadata.lastmodified.format("%Y-%m-%d %H:%M").to_string().into(),
        metadata.version.as_str().into(),
    ]
}

/// The rule in words.
fn encrypts(metadata: &Metadata) -> String {
    match metadata.rule.named() {
        None => "everything".to_owned(),
        Some(("unencrypted_suffix", suffix)) => format!("all but …{suffix}"),
        Some(("encrypted_suffix", suffix)) => format!("…{suffix}"),
        Some((name, pattern)) => format!("{name} {pattern}"),
    }
}

fn to_json(status: &Status) -> Value {
    let mut value = json!({
        "file": status.name,
        "encrypted": status.sealed.is_some(),
        "damage": status.damage,
    });
    let Some(sealed) = &status.sealed else { return value };
    let metadata = sealed.metadata();
    let group = |group: &Vec<crate::secrets::Wrapped>| -> Vec<Value> {
        let entry = |one: &crate::secrets::Wrapped| {
            let yours = status.ours.contains(&one.recipient);
            json!({ "recipient": one.recipient, "name": status.names.of(&one.recipient), "yours": yours })
        };
        group.iter().map(entry).collect()
    };
    let rule = metadata.rule.named();
    let (mac, causes) = match &status.mac {
        Mac::Unknown => ("unchecked", None),
        Mac::Right => ("verified", None),
        Mac::Wrong(causes) => ("failed", Some(causes)),
    };
    value["format"] = json!(sealed.format.name());
    value["key_groups"] = metadata.groups.iter().map(group).collect();
    value["threshold"] = json!((metadata.groups.len() > 1).then_some(metadata.threshold));
    value["your_key"] = json!(!status.ours.is_empty() || !matches!(status.mac, Mac::Unknown));
    value["rule"] = json!(rule.map(|(name, value)| json!({ "name": name, "value": value })));
    value["mac_only_encrypted"] = json!(metadata.mac_only_encrypted);
    value["mac"] = json!(mac);
    value["mac_causes"] = json!(causes);
    value["lastmodified"] = json!(metadata.lastmodified.to_rfc3339());
    value["version"] = json!(metadata.version);
    value
}
