//! A changed tree put into the text that it was read from.

mod bracket;
mod comments;
mod dotenv;
mod ini;
mod lines;
mod pairing;
mod patch;
mod render;
mod yaml;

use patch::{Coarser, Patch};

use super::same;
use crate::secrets::error::Error;
use crate::secrets::format::{Format, Style, indent_of as json_indent_of};
use crate::secrets::tree::{Map, Tree};

/// From how many levels on a changed value is written anew as a whole, in the order of the
/// attempts: first none, at last every changed entry of a document.
const LIMITS: [usize; 4] = [usize::MAX, 3, 2, 1];

/// The text `old_bytes`, which reads as `old`, changed so that it reads as `new`, by as few lines as
/// possible: blank lines, quotes, indentation and flow style of what did not change stay. What
/// cannot be put in place (a reordered mapping, an alias) is written anew at the smallest level
/// that can.
///
/// Nothing is taken on trust: each result is read again, and given back only if it reads as `new`.
///
/// # Errors
/// [`Error::Refused`] when the format cannot hold the tree.
pub(in crate::secrets) fn splice(format: Format, old_bytes: &[u8], old: &Tree, new: &Tree) -> Result<Vec<u8>, Error> {
    let style = style_of(format, old_bytes, old);
    let new = comments::kept_as_they_are(old, new);
    let mut expected = None;
    for limit in LIMITS {
        if let Ok(bytes) = attempt(format, old_bytes, old, &new, style, limit)
            && let Ok(read) = format.read_sealed(&bytes)
        {
            if are_same(&read, &new) {
                return Ok(bytes);
            }
            // What the format cannot tell apart (a number from a text, in dotenv) is as good.
            let whole = match expected.take() {
                Some(whole) => whole,
                None => written(format, &new, style)?,
            };
            if are_same(&read, &whole.1) {
                return Ok(bytes);
            }
            expected = Some(whole);
        }
        if format != Format::Yaml {
            break;
        }
    }
    match expected {
        Some((bytes, _)) => Ok(bytes),
        None => written(format, &new, style).map(|(bytes, _)| bytes),
    }
}

/// The whole document written anew, and what that reads as.
fn written(format: Format, new: &Tree, style: Style) -> Result<(Vec<u8>, Tree), Error> {
    let bytes = format.write_exact(new, style)?;
    let tree = format.read_sealed(&bytes)?;
    Ok((bytes, tree))
}

fn attempt(
    format: Format,
    text: &[u8],
    old: &Tree,
    new: &Tree,
    style: Style,
    limit: usize,
) -> Result<Vec<u8>, Coarser> {
    if old.documents.len() != new.documents.len() {
        return Err(Coarser);
    }
    let crlf = text.iter().position(|&byte| byte == b'\n').is_some_and(|at| text[..at].ends_with(b"\r"));
    let mut patch = Patch::default();
    let pairs = old.documents.iter().zip(&new.documents);
    match format {
        Format::Yaml => {
            let indent = style.indent.unwrap_or(4);
            let mut splicer = yaml::Splicer { text, indent, crlf, limit, patch };
            for (old, new) in pairs {
                splicer.document(old, new)?;
            }
            patch = splicer.patch;
        }
        Format::Json | Format::Binary => {
            for (old, new) in pairs {
                bracket::Splicer { text, yaml: false, patch: &mut patch }.document(old, new)?;
            }
        }
        Format::Dotenv => {
            for (old, new) in pairs {
                dotenv::splice(text, old, new, &mut patch)?;
            }
        }
        Format::Ini => {
            for (old, new) in pairs {
                ini::Splicer { text, crlf, patch: &mut patch }.document(old, new)?;
            }
        }
    }
    patch.apply(text)
}

/// How the text is indented.
fn style_of(format: Format, text: &[u8], tree: &Tree) -> Style {
    let indent = match format {
        Format::Yaml => yaml::indent_of(text, &tree.documents),
        Format::Json | Format::Binary => {
            json_indent_of(text).filter(|indent| indent.bytes().all(|byte| byte == b' ')).map(str::len)
        }
        Format::Dotenv | Format::Ini => None,
    };
    Style { indent }
}

fn are_same(a: &Tree, b: &Tree) -> bool {
    let same = |(a, b): (&Map, &Map)| same::maps(a, b);
    a.documents.len() == b.documents.len() && a.documents.iter().zip(&b.documents).all(same)
}

#[cfg(test)]
mod tests;
