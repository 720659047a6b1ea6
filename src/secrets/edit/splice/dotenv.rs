//! dotenv: one line per item.

use super::lines::{Lines, Place};
use super::pairing::{self, Fate};
use super::patch::{Coarser, Patch};
use super::render;
use crate::secrets::edit::same;
use crate::secrets::tree::{Item, Map};

/// Changes a file.
pub(super) fn splice(text: &[u8], old: &Map, new: &Map, patch: &mut Patch) -> Result<(), Coarser> {
    let fates = pairing::of_map(&old.items, &new.items);
    for fate in &fates {
        if let Fate::Kept(was, is) = *fate {
            match (&old.items[was], &new.items[is]) {
                (Item::Comment(was), Item::Comment(is)) if was.text != is.text => {
                    let span = was.span.ok_or(Coarser)?;
                    patch.replace(span.start..span.end, [b"#", is.text.expose()].concat());
                }
                (Item::Value(was), Item::Value(is)) if !same::nodes(&was.value, &is.value) => {
                    let span = was.value.span.ok_or(Coarser)?;
                    patch.replace(span.start..span.end, render::dotenv_value(&is.value)?);
                }
                _ => {}
            }
        }
    }
    if fates.iter().all(|fate| matches!(fate, Fate::Kept(..))) {
        return Ok(());
    }
    let places = old.items.iter().map(|item| {
        let range = match item {
            Item::Comment(comment) => comment.span.map(|span| span.start..span.end),
            Item::Value(entry) => entry.key_span.zip(entry.value.span).map(|(key, value)| key.start..value.end),
        };
        range.map(|range| Place { range, beside: false }).ok_or(Coarser)
    });
    let places = places.collect::<Result<Vec<_>, _>>()?;
    // A CR belongs to the value before it, so it is no part of the line break.
    let lines = Lines { text, places: &places, column: 0, crlf: false };
    lines.edit(&fates, patch, |is| render::dotenv_line(&new.items[is]))
}
