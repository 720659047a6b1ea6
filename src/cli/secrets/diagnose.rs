//! Why the MAC of a file is wrong: what the file itself tells, and what git remembers of it.

use std::path::Path;
use std::time::{Duration, Instant};

use super::git;
use crate::secrets::{Cause, Identities, MacFault, MacPolicy, Opened, Sealed};

/// How long the history is searched.
const PATIENCE: Duration = Duration::from_secs(2);

/// How many versions are looked at.
const VERSIONS: usize = 30;

/// How many causes are told one by one.
const TOLD: usize = 5;

/// Likely causes, and which version they were found by comparison with.
#[derive(Debug, Default)]
pub struct Causes {
    causes: Vec<Cause>,
    since: Option<String>,
    unreadable: bool,
}

impl Causes {
    /// A line for each cause.
    pub fn told(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.causes.iter().take(TOLD).map(ToString::to_string).collect();
        if self.causes.len() > TOLD {
            lines.push(format!("and {} more", self.causes.len() - TOLD));
        }
        if let (Some(last), Some(since)) = (lines.last_mut(), &self.since) {
            last.push_str(&format!(" (compared with {since})"));
        }
        if lines.is_empty() && self.unreadable {
            lines.push("lastmodified or mac was changed, or mac is that of another file".to_owned());
        }
        lines
    }
}

/// Looks for the causes of a MAC that is wrong. `path` is where the file stands; without it there
/// is no comparison with git. Takes a few seconds at most.
pub fn causes(path: Option<&Path>, sealed: &Sealed, identities: &Identities) -> Causes {
    let Ok(opened) = sealed.open(identities, MacPolicy::Report) else { return Causes::default() };
    let unreadable = opened.mac == Err(MacFault::Unreadable);
    let compared = path.map(|path| compared(path, sealed, &opened, identities)).unwrap_or_default();
    // A version with the same MAC is the one that this was made of: nothing is more certain.
    if let Some((found, true)) = &compared {
        return Causes { causes: found.causes.clone(), since: found.since.clone(), unreadable };
    }
    let own = sealed.causes(&opened);
    let guess = own.is_empty() || own == [Cause::Sorted];
    match compared {
        Some((found, _)) if guess && !found.causes.is_empty() => Causes { unreadable, ..found },
        _ => Causes { causes: own, since: None, unreadable },
    }
}

/// The causes by comparison with the newest version that is whole, and whether its MAC is the one
/// that stands in the file; such a version is preferred.
fn compared(path: &Path, sealed: &Sealed, opened: &Opened, identities: &Identities) -> Option<(Causes, bool)> {
    let deadline = Instant::now() + PATIENCE;
    let mut newest = None;
    for version in git::versions(path, VERSIONS) {
        if Instant::now() > deadline {
            break;
        }
        let Some(bytes) = git::at(path, &version) else { continue };
        let Ok(whole) = Sealed::read(sealed.format, bytes) else { continue };
        let same = whole.metadata().mac == sealed.metadata().mac;
        if !same && newest.is_some() {
            continue;
        }
        let Ok(was) = whole.open(identities, MacPolicy::Verify) else { continue };
        let causes = sealed.causes_since(opened, &whole, &was);
        let found = Causes { causes, since: Some(version), unreadable: false };
        if same {
            return Some((found, true));
        }
        newest = Some(found);
    }
    newest.map(|found| (found, false))
}
