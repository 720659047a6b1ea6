//! YAML as SOPS reads and writes it: go-yaml's reading of comments and scalars, and its printing.

mod build;
mod emit;
mod fault;
mod node;
mod read;
mod resolve;
mod scalar;
#[cfg(test)]
mod tests;
mod tokens;
mod wide;

use emit::Purpose;

use super::{Format, Style};
use crate::secrets::error::Error;
use crate::secrets::tree::{Node, Tree};

/// Reads a document with spans.
///
/// # Errors
/// [`Error::Syntax`] for what is no YAML, and for what SOPS cannot hold: keys that are no texts,
/// duplicate keys, a list or a value as a document. [`Error::Refused`] when there is no document.
pub(super) fn read(bytes: &[u8]) -> Result<Tree, Error> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let valid = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        let (line, column) = fault::place(&valid, valid.len());
        Error::Syntax { format: Format::Yaml, line, column, what: "it is not UTF-8".to_owned() }
    })?;
    read::read(text)
}

/// Writes all documents, as `sops -d` prints them.
///
/// # Errors
/// None; the signature is that of every format.
pub(super) fn write(tree: &Tree, style: Style) -> Result<Vec<u8>, Error> {
    Ok(emit::tree(tree, emit::step(style.indent), Purpose::Plain))
}

/// Writes all documents for SOPS to open: as [`write`], but for what SOPS itself writes and then
/// cannot open or opens as another value (a negative zero in clear, a key `<<` that merges nothing).
///
/// # Errors
/// None; the signature is that of every format.
pub(super) fn write_sealed(tree: &Tree, style: Style) -> Result<Vec<u8>, Error> {
    Ok(emit::tree(tree, emit::step(style.indent), Purpose::Sealed))
}

/// As [`write_sealed`], but a comment inside of a list item stays there, where SOPS puts it before the
/// item: for texts that are edited in place, and that SOPS never wrote like this.
///
/// # Errors
/// None; the signature is that of every format.
pub(super) fn write_exact(tree: &Tree, style: Style) -> Result<Vec<u8>, Error> {
    Ok(emit::tree(tree, emit::step(style.indent), Purpose::Exact))
}

/// Writes one value as `sops --extract` prints it.
pub(super) fn write_value(node: &Node, style: Style) -> Vec<u8> {
    emit::value(node, emit::step(style.indent))
}
