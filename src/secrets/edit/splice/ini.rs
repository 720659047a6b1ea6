//! ini files: sections of keys. The comment of a section or a key stands above it.

use std::ops::Range;

use super::pairing::{self, Fate};
use super::patch::{Coarser, Patch, is_blank, line_end, line_start};
use super::render;
use crate::secrets::edit::same;
use crate::secrets::tree::{Comment, Entry, Item, Map, Value};

/// An entry with the comment above it.
struct Unit<'a> {
    entry: &'a Entry,
    comment: Option<&'a Comment>,
}

/// What changes an ini file.
pub(super) struct Splicer<'a> {
    /// The old text.
    pub(super) text: &'a [u8],
    /// Whether lines end with CR LF.
    pub(super) crlf: bool,
    /// The changes.
    pub(super) patch: &'a mut Patch,
}

impl Splicer<'_> {
    /// Changes a document.
    pub(super) fn document(&mut self, old: &Map, new: &Map) -> Result<(), Coarser> {
        let fates = pairing::of_map(&old.items, &new.items);
        let mut at = None;
        for fate in fates {
            match fate {
                Fate::Kept(was, is) => {
                    let (was, is) = (section(&old.items[was])?, section(&new.items[is])?);
                    self.section(was, is)?;
                    at = self
                        .section_end(was.1)
                        .or(was.0.key_span.map(|span| span.end))
                        .map(|end| line_end(self.text, end))
                        .or(at);
                }
                Fate::Removed(was) => {
                    let (entry, map) = section(&old.items[was])?;
                    let header = entry.key_span.ok_or(Coarser)?;
                    let comment = own_comment(map).and_then(|comment| comment.span);
                    let start =
                        line_start(self.text, comment.map_or(header.start, |span| span.start.min(header.start)));
                    let mut end = line_end(self.text, self.section_end(map).unwrap_or(header.end).max(header.end));
                    // The empty lines behind it go with it.
                    while end < self.text.len() && self.text[end..line_end(self.text, end)].trim_ascii().is_empty() {
                        end = line_end(self.text, end);
                    }
                    self.patch.replace(start..end, "");
                }
                Fate::Added(is) => {
                    let at = at.ok_or(Coarser)?;
                    let mut text = b"\n".to_vec();
                    text.extend(render::ini_section(&new.items[is])?);
                    self.insert(at, text);
                }
            }
        }
        Ok(())
    }

    fn section(&mut self, (old_entry, old): (&Entry, &Map), (_, new): (&Entry, &Map)) -> Result<(), Coarser> {
        let header = old_entry.key_span.map(|span| span.start);
        self.comment(own_comment(old), own_comment(new), header)?;
        let (was, is) = (units(old), units(new));
        let entries = |units: &[Unit<'_>]| units.iter().map(|unit| Item::Value(unit.entry.clone())).collect::<Vec<_>>();
        let fates = pairing::of_map(&entries(&was), &entries(&is));
        let mut at = match old_entry.key_span {
            Some(header) => Some(line_end(self.text, header.end)),
            // The first section has no header: its keys stand at the beginning of the text.
            None => was.first().and_then(|unit| self.first_line(unit)),
        };
        for fate in fates {
            match fate {
                Fate::Kept(old_at, new_at) => {
                    let (was, is) = (&was[old_at], &is[new_at]);
                    let (key, value) = (was.entry.key_span.ok_or(Coarser)?, was.entry.value.span.ok_or(Coarser)?);
                    self.comment(was.comment, is.comment, Some(key.start))?;
                    if !same::nodes(&was.entry.value, &is.entry.value) {
                        let (_, text) = render::ini_entry(is.entry)?;
                        self.patch.replace(value.start..value.end, text);
                    }
                    at = Some(line_end(self.text, value.end));
                }
                Fate::Removed(old_at) => {
                    let entry = was[old_at].entry;
                    let (key, value) = (entry.key_span.ok_or(Coarser)?, entry.value.span.ok_or(Coarser)?);
                    self.comment(was[old_at].comment, None, Some(key.start))?;
                    self.patch.replace(line_start(self.text, key.start)..line_end(self.text, value.end), "");
                    at = Some(line_end(self.text, value.end));
                }
                Fate::Added(new_at) => {
                    let line = self.line(&was, is[new_at].entry)?;
                    let mut text = is[new_at].comment.map_or_else(Vec::new, comment_lines);
                    text.extend(line);
                    self.insert(at.ok_or(Coarser)?, text);
                }
            }
        }
        Ok(())
    }

    /// Where the lines of a key begin, with those of its comment.
    fn first_line(&self, unit: &Unit<'_>) -> Option<usize> {
        let comment = unit.comment.and_then(|comment| comment.span).map_or(usize::MAX, |span| span.start);
        Some(line_start(self.text, unit.entry.key_span?.start.min(comment)))
    }

    /// Changes the comment above the line of `below`.
    fn comment(&mut self, old: Option<&Comment>, new: Option<&Comment>, below: Option<usize>) -> Result<(), Coarser> {
        if old.map(|comment| &comment.text) == new.map(|comment| &comment.text) {
            return Ok(());
        }
        let below = line_start(self.text, below.ok_or(Coarser)?);
        if let Some(old) = old {
            let span = old.span.ok_or(Coarser)?;
            let start = line_start(self.text, span.start);
            if !is_blank(&self.text[start..span.start]) {
                return Err(Coarser);
            }
            self.patch.replace(start..line_end(self.text, span.end), "");
        }
        if let Some(new) = new {
            self.insert(below, comment_lines(new));
        }
        Ok(())
    }

    /// A new line for `entry`, laid out as those of its neighbours.
    fn line(&self, neighbours: &[Unit<'_>], entry: &Entry) -> Result<Vec<u8>, Coarser> {
        let (mut key, value) = render::ini_entry(entry)?;
        let between = |unit: &Unit<'_>| -> Option<(usize, Range<usize>)> {
            let (key, value) = (unit.entry.key_span?, unit.entry.value.span?);
            (key.end <= value.start).then_some((key.end - key.start, key.end..value.start))
        };
        let gaps: Vec<(usize, &[u8])> =
            neighbours.iter().filter_map(between).map(|(len, gap)| (len, &self.text[gap])).collect();
        let equals = |gap: &[u8]| gap.iter().position(|&byte| byte == b'=');
        let columns: Vec<usize> = gaps.iter().filter_map(|(len, gap)| Some(len + equals(gap)?)).collect();
        let is_aligned =
            gaps.iter().any(|(len, _)| *len != gaps[0].0) && columns.iter().all(|column| *column == columns[0]);
        let usual = gaps.iter().map(|(_, gap)| *gap).find(|gap| gap.trim_ascii() == b"=" && !gap.contains(&b'\n'));
        let gap = usual.unwrap_or(b" = ");
        if is_aligned && let Some(at) = equals(gap) {
            // One space at least, as before the longest key.
            let shortest = gaps.iter().filter_map(|(_, gap)| equals(gap)).min().unwrap_or(1);
            let width = (key.len() + shortest).max(columns[0]);
            key.resize(width, b' ');
            key.extend_from_slice(&gap[at..]);
        } else {
            key.extend_from_slice(gap);
        }
        Ok([key, value, b"\n".to_vec()].concat())
    }

    fn insert(&mut self, at: usize, text: Vec<u8>) {
        let mut text = text;
        if self.crlf {
            text = text
                .split_inclusive(|&byte| byte == b'\n')
                .flat_map(|line| match line.strip_suffix(b"\n") {
                    Some(line) => [line, b"\r\n"].concat(),
                    None => line.to_vec(),
                })
                .collect();
        }
        if at > 0 && self.text[at - 1] != b'\n' {
            let line_break: &[u8] = if self.crlf { b"\r\n" } else { b"\n" };
            text = [line_break, text.trim_ascii_end()].concat();
        }
        self.patch.replace(at..at, text);
    }

    /// Where the last value of a section ends.
    fn section_end(&self, map: &Map) -> Option<usize> {
        map.entries().filter_map(|entry| entry.value.span).map(|span| span.end).max()
    }
}

fn section(item: &Item<Entry>) -> Result<(&Entry, &Map), Coarser> {
    match item {
        Item::Value(entry) => match &entry.value.value {
            Value::Map(map) => Ok((entry, map)),
            _ => Err(Coarser),
        },
        Item::Comment(_) => Err(Coarser),
    }
}

/// The comment of a section itself, which is the first thing in it.
fn own_comment(map: &Map) -> Option<&Comment> {
    match map.items.first() {
        Some(Item::Comment(comment)) => Some(comment),
        _ => None,
    }
}

/// The keys of a section with their comments, which come after them. Of several the last counts.
fn units(map: &Map) -> Vec<Unit<'_>> {
    let mut units: Vec<Unit<'_>> = Vec::new();
    for item in &map.items {
        match item {
            Item::Value(entry) => units.push(Unit { entry, comment: None }),
            Item::Comment(comment) => {
                if let Some(unit) = units.last_mut() {
                    unit.comment = Some(comment);
                }
            }
        }
    }
    units
}

fn comment_lines(comment: &Comment) -> Vec<u8> {
    let lines = comment.text.expose().split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    lines.flat_map(|line| [b"; ", line, b"\n"].concat()).collect()
}
