//! The data key in the hands of recipients: wrapped for each, shared among groups.

use super::identity::{Identities, Unwrap};
use super::recipient::Recipient;
use super::shamir::{self, Bytes};
use crate::secrets::cipher::DataKey;
use crate::secrets::error::Error;
use crate::secrets::metadata::{Metadata, Wrapped};

/// Wraps the data key for each of `recipients`.
///
/// # Errors
/// [`Error::Recipient`] when that fails.
pub(in crate::secrets) fn wrap(key: &DataKey, recipients: &[Recipient]) -> Result<Vec<Wrapped>, Error> {
    wrap_bytes(key.expose(), recipients)
}

/// Wraps the data key for one group, or a share of it for each of several.
///
/// # Errors
/// [`Error::Refused`] for an impossible threshold or a group without a recipient;
/// [`Error::Recipient`].
pub(in crate::secrets) fn wrap_groups(
    key: &DataKey,
    groups: &[Vec<Recipient>],
    threshold: Option<usize>,
) -> Result<Vec<Vec<Wrapped>>, Error> {
    if groups.is_empty() || groups.iter().any(Vec::is_empty) {
        let place = String::new();
        return Err(Error::Refused { place, what: "has no recipient who could open it".to_owned() });
    }
    if let [group] = groups {
        return Ok(vec![wrap(key, group)?]);
    }
    let shares = shamir::split(key.expose(), groups.len(), threshold.unwrap_or(groups.len()))?;
    groups.iter().zip(shares).map(|(group, share)| wrap_bytes(&share, group)).collect()
}

fn wrap_bytes(secret: &[u8], recipients: &[Recipient]) -> Result<Vec<Wrapped>, Error> {
    let wrapped = recipients.iter().map(|recipient| {
        let enc = recipient.wrap(secret).map_err(|error| Error::Recipient {
            entry: recipient.to_string(),
            reason: format!("nothing can be encrypted for it: {error}"),
        })?;
        Ok(Wrapped { recipient: recipient.to_string(), enc })
    });
    wrapped.collect()
}

/// Opens the data key with the first identities that fit; asks for passphrases only when there
/// is no other way.
///
/// # Errors
/// [`Error::NoIdentity`]; [`Error::Unsupported`] when only other key services hold the key;
/// [`Error::Metadata`] when our own copy is damaged.
pub(in crate::secrets) fn data_key(
    metadata: &Metadata,
    names_threshold: bool,
    identities: &Identities,
) -> Result<DataKey, Error> {
    let single = metadata.groups.len() == 1;
    // Fewer than two shares are not a secret.
    let needed = if single { 1 } else { metadata.threshold.max(2) };
    // Where the file does not say how many are needed, any two may do.
    let least = if single || names_threshold { needed } else { 2 };
    let mut damaged = None;
    let parts = parts(metadata, identities, needed, &mut damaged);
    if parts.len() < least {
        return Err(failure(metadata, identities, damaged));
    }
    let secret = if single { parts.into_iter().next() } else { shamir::combine(&parts) };
    secret
        .and_then(|secret| DataKey::new(&secret))
        .ok_or_else(|| Error::Metadata("what its recipients hold is not a data key".to_owned()))
}

/// What the groups hold, of as many groups as are `needed` if they can be opened.
fn parts(metadata: &Metadata, identities: &Identities, needed: usize, damaged: &mut Option<String>) -> Vec<Bytes> {
    let mut parts: Vec<Option<Bytes>> = metadata.groups.iter().map(|_| None).collect();
    loop {
        for (part, group) in parts.iter_mut().zip(&metadata.groups).filter(|(part, _)| part.is_none()) {
            *part = open_group(group, identities, damaged);
        }
        let closed = parts.iter().zip(&metadata.groups).filter(|(part, _)| part.is_none());
        let armored: Vec<&str> = closed.flat_map(|(_, group)| group).map(|wrapped| wrapped.enc.as_str()).collect();
        let enough = parts.iter().flatten().count() >= needed;
        if enough || !identities.unlock_next(&armored) {
            return parts.into_iter().flatten().take(needed).collect();
        }
    }
}

fn open_group(group: &[Wrapped], identities: &Identities, damaged: &mut Option<String>) -> Option<Bytes> {
    group.iter().find_map(|wrapped| match identities.unwrap(&wrapped.enc) {
        Ok(bytes) => Some(bytes),
        Err(Unwrap::NotOurs) => None,
        Err(Unwrap::Damaged) => {
            damaged.get_or_insert_with(|| wrapped.recipient.clone());
            None
        }
    })
}

fn failure(metadata: &Metadata, identities: &Identities, damaged: Option<String>) -> Error {
    let recipients = metadata.recipients();
    if recipients.is_empty() && !metadata.services.is_empty() {
        return Error::Unsupported(format!("the key service {}", metadata.services.join(", ")));
    }
    match damaged {
        // Without any identity nothing can be said about the copies.
        Some(recipient) if !identities.is_empty() => {
            Error::Metadata(format!("the copy of the data key for {recipient} cannot be read"))
        }
        _ => Error::NoIdentity { recipients, problems: identities.all_problems() },
    }
}
