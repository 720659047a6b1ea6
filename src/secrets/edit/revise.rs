//! An edit of a document in clear.

use super::splice;
use crate::secrets::error::Error;
use crate::secrets::format::Format;
use crate::secrets::tree::Tree;

/// The text `bytes` of a document that is not encrypted, changed so that it reads as `new`: what
/// did not change stays as it is, comments, blank lines and quotes included. `None` when nothing
/// changes.
///
/// # Errors
/// [`Error::Syntax`] and [`Error::Refused`] for what is no document, or cannot be written as one.
pub fn revise(format: Format, bytes: &[u8], new: &Tree) -> Result<Option<Vec<u8>>, Error> {
    let old = format.read_plain(bytes)?;
    let revised = splice(format, bytes, &old, new)?;
    Ok((revised != bytes).then_some(revised))
}
