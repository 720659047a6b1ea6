//! Collections in brackets: JSON, and YAML in flow style.

use std::ops::Range;

use super::pairing::{self, Fate};
use super::patch::{Coarser, Patch, is_blank, line_start};
use super::render::{self, Layout};
use crate::secrets::edit::same;
use crate::secrets::tree::{Entry, Item, Map, Node, Scalar, Seq, Span, Value};

/// What changes a JSON text, or a part of a YAML text.
pub(super) struct Splicer<'a> {
    /// The old text.
    pub(super) text: &'a [u8],
    /// Whether it is YAML, whose texts may stand in single quotes or in none.
    pub(super) yaml: bool,
    /// The changes.
    pub(super) patch: &'a mut Patch,
}

impl Splicer<'_> {
    /// Changes a document.
    pub(super) fn document(&mut self, old: &Map, new: &Map) -> Result<(), Coarser> {
        let start = self.text.iter().position(|&byte| byte == b'{').ok_or(Coarser)?;
        let end = self.text.iter().rposition(|&byte| byte == b'}').ok_or(Coarser)? + 1;
        self.map(old, new, Span { start, end }, b": ")
    }

    /// Changes a collection of a YAML text.
    pub(super) fn node(&mut self, old: &Node, new: &Node) -> Result<(), Coarser> {
        let span = old.span.ok_or(Coarser)?;
        match (&old.value, &new.value) {
            (Value::Map(was), Value::Map(is)) => self.map(was, is, span, b": "),
            (Value::Seq(was), Value::Seq(is)) => self.seq(was, is, span, b": "),
            _ => Err(Coarser),
        }
    }

    fn map(&mut self, old: &Map, new: &Map, span: Span, colon: &[u8]) -> Result<(), Coarser> {
        if old.items.is_empty() && new.items.is_empty() {
            return Ok(());
        }
        let range = |entry: &Entry| {
            let (key, value) = (entry.key_span.ok_or(Coarser)?, entry.value.span.ok_or(Coarser)?);
            Ok(key.start..value.end.max(key.end))
        };
        let ranges = ranges(&old.items, range)?;
        let colon = self.colon(old).unwrap_or(colon).to_vec();
        let layout = self.layout(span, &ranges, colon)?;
        let fates = pairing::of_map(&old.items, &new.items);
        for fate in &fates {
            if let Fate::Kept(was, is) = *fate {
                match (&old.items[was], &new.items[is]) {
                    (Item::Value(was), Item::Value(is)) if was.key == is.key => {
                        self.value(&was.value, &is.value, &layout)?
                    }
                    (Item::Comment(was), Item::Comment(is)) if was.text == is.text => {}
                    _ => return Err(Coarser),
                }
            }
        }
        self.items(&old.items, &ranges, &fates, &layout, |is| match &new.items[is] {
            Item::Value(entry) => render::json_entry(entry, &layout),
            Item::Comment(_) => Err(Coarser),
        })
    }

    fn seq(&mut self, old: &Seq, new: &Seq, span: Span, colon: &[u8]) -> Result<(), Coarser> {
        if old.items.is_empty() && new.items.is_empty() {
            return Ok(());
        }
        let range = |node: &Node| node.span.map(|span| span.start..span.end).ok_or(Coarser);
        let ranges = ranges(&old.items, range)?;
        let layout = self.layout(span, &ranges, colon.to_vec())?;
        let fates = pairing::of_seq(&old.items, &new.items);
        for fate in &fates {
            if let Fate::Kept(was, is) = *fate {
                match (&old.items[was], &new.items[is]) {
                    (Item::Value(was), Item::Value(is)) => self.value(was, is, &layout)?,
                    (Item::Comment(was), Item::Comment(is)) if was.text == is.text => {}
                    _ => return Err(Coarser),
                }
            }
        }
        self.items(&old.items, &ranges, &fates, &layout, |is| match &new.items[is] {
            Item::Value(node) => render::json_value(node, &layout),
            Item::Comment(_) => Err(Coarser),
        })
    }

    /// Changes a value, inside of it or as a whole.
    fn value(&mut self, old: &Node, new: &Node, layout: &Layout) -> Result<(), Coarser> {
        let span = old.span.ok_or(Coarser)?;
        let mark = self.patch.mark();
        let inside = match (&old.value, &new.value) {
            (Value::Scalar(was), Value::Scalar(is)) if same::scalars(was, is) => Ok(()),
            (Value::Map(was), Value::Map(is)) => self.map(was, is, span, &layout.colon),
            (Value::Seq(was), Value::Seq(is)) => self.seq(was, is, span, &layout.colon),
            _ => Err(Coarser),
        };
        if inside.is_ok() {
            return Ok(());
        }
        self.patch.rewind(mark);
        let range = span.start..span.end;
        if range.is_empty() {
            return Err(Coarser);
        }
        let text = match &new.value {
            Value::Scalar(scalar @ Scalar::Text(_)) if self.yaml => {
                render::yaml_scalar(&self.text[range.clone()], scalar, true)?
            }
            _ => render::json_value(new, layout)?,
        };
        self.patch.replace(range, text);
        Ok(())
    }

    fn items<T>(
        &mut self,
        old: &[Item<T>],
        ranges: &[Range<usize>],
        fates: &[Fate],
        layout: &Layout,
        render: impl Fn(usize) -> Result<Vec<u8>, Coarser>,
    ) -> Result<(), Coarser> {
        if fates.iter().all(|fate| matches!(fate, Fate::Kept(..))) {
            return Ok(());
        }
        if old.iter().any(|item| matches!(item, Item::Comment(_))) {
            return Err(Coarser);
        }
        let kept = fates.iter().find_map(|fate| match fate {
            Fate::Kept(was, _) => Some(*was),
            _ => None,
        });
        let first = kept.ok_or(Coarser)?;
        if first > 0 {
            self.patch.replace(ranges[0].start..ranges[first].start, "");
        }
        let mut last = None;
        for fate in fates {
            match *fate {
                Fate::Kept(was, _) => last = Some(was),
                Fate::Removed(was) if last.is_some() => self.patch.replace(ranges[was - 1].end..ranges[was].end, ""),
                Fate::Removed(_) => {}
                Fate::Added(is) => {
                    let (at, text) = match last {
                        Some(was) => (ranges[was].end, [b",".as_slice(), &layout.before, &render(is)?].concat()),
                        None => (ranges[first].start, [render(is)?.as_slice(), b",", &layout.before].concat()),
                    };
                    self.patch.replace(at..at, text);
                }
            }
        }
        Ok(())
    }

    /// What stands between the first key and its value.
    fn colon(&self, map: &Map) -> Option<&[u8]> {
        let first = map.entries().next()?;
        let colon = self.text.get(first.key_span?.end..first.value.span?.start)?;
        let is_usual =
            colon.iter().filter(|&&byte| byte == b':').count() == 1 && colon.iter().all(|byte| b" :".contains(byte));
        is_usual.then_some(colon)
    }

    /// How the items of the collection at `span` are laid out.
    fn layout(&self, span: Span, ranges: &[Range<usize>], colon: Vec<u8>) -> Result<Layout, Coarser> {
        let first = ranges.first().ok_or(Coarser)?;
        // One pair in a sequence may go without braces.
        let is_bracket = matches!(self.text.get(span.start), Some(b'{' | b'['));
        let lead = self.text.get(span.start + 1..first.start).filter(|_| is_bracket).ok_or(Coarser)?;
        let Some(line_break) = lead.iter().rposition(|&byte| byte == b'\n') else {
            let between = ranges.get(1).and_then(|second| {
                let between = self.text.get(first.end..second.start)?;
                between.iter().position(|&byte| byte == b',').map(|comma| &between[comma + 1..])
            });
            let spaces = if colon.ends_with(b" ") { b" ".as_slice() } else { b"" };
            let before = between.filter(|between| is_blank(between)).unwrap_or(spaces).to_vec();
            return Ok(Layout { before, colon, step: Vec::new() });
        };
        let indent = &lead[line_break + 1..];
        if !is_blank(indent) {
            return Err(Coarser);
        }
        let close = line_start(self.text, span.end - 1);
        let outer: Vec<u8> =
            self.text[close..span.end - 1].iter().copied().take_while(|byte| b" \t".contains(byte)).collect();
        let step = indent.strip_prefix(outer.as_slice()).unwrap_or(b"\t").to_vec();
        let start = if lead[..line_break].ends_with(b"\r") { line_break - 1 } else { line_break };
        Ok(Layout { before: lead[start..].to_vec(), colon, step })
    }
}

/// Where the items stand; a comment, which has no place among the commas, is empty.
fn ranges<T>(
    items: &[Item<T>],
    range: impl Fn(&T) -> Result<Range<usize>, Coarser>,
) -> Result<Vec<Range<usize>>, Coarser> {
    items
        .iter()
        .filter_map(|item| match item {
            Item::Value(value) => Some(range(value)),
            Item::Comment(_) => None,
        })
        .collect()
}
