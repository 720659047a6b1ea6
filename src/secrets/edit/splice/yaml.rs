//! YAML in block style.

use super::bracket;
use super::lines::{Lines, Place};
use super::pairing::{self, Fate};
use super::patch::{Coarser, Patch, is_blank, line_start, trimmed};
use super::render;
use crate::secrets::edit::same;
use crate::secrets::tree::{Comment, Entry, Item, Map, Node, Scalar, Seq, Value};

/// What changes a YAML text.
pub(super) struct Splicer<'a> {
    /// The old text.
    pub(super) text: &'a [u8],
    /// Spaces per level of what is written anew.
    pub(super) indent: usize,
    /// Whether lines end with CR LF.
    pub(super) crlf: bool,
    /// From how many levels on a value that changed is written anew as a whole.
    pub(super) limit: usize,
    /// The changes.
    pub(super) patch: Patch,
}

impl Splicer<'_> {
    /// Changes a document.
    pub(super) fn document(&mut self, old: &Map, new: &Map) -> Result<(), Coarser> {
        if old.flow { Err(Coarser) } else { self.map(old, new, 0) }
    }

    fn map(&mut self, old: &Map, new: &Map, depth: usize) -> Result<(), Coarser> {
        let fates = pairing::of_map(&old.items, &new.items);
        for fate in &fates {
            if let Fate::Kept(was, is) = *fate {
                match (&old.items[was], &new.items[is]) {
                    (Item::Comment(was), Item::Comment(is)) => self.comment(was, is)?,
                    (Item::Value(was), Item::Value(is)) if was.key == is.key => {
                        self.entry(was, &is.value, depth)?;
                    }
                    _ => return Err(Coarser),
                }
            }
        }
        if !is_same_set(&fates) {
            let place = |item: &Item<Entry>| match item {
                Item::Comment(comment) => self.comment_place(comment),
                Item::Value(entry) => self.entry_place(entry),
            };
            let places = old.items.iter().map(place).collect::<Result<Vec<_>, _>>()?;
            let column = self.column(old)?;
            let lines = Lines { text: self.text, places: &places, column, crlf: self.crlf };
            lines.edit(&fates, &mut self.patch, |is| render::yaml_entry(&new.items[is], column, self.indent))?;
        }
        Ok(())
    }

    fn seq(&mut self, old: &Seq, new: &Seq, depth: usize) -> Result<(), Coarser> {
        let mut fates = pairing::of_seq(&old.items, &new.items);
        // What cannot be changed in place is taken out and put in again.
        let mut replaced = Vec::new();
        for (at, fate) in fates.iter().enumerate() {
            if let Fate::Kept(was, is) = *fate {
                match (&old.items[was], &new.items[is]) {
                    (Item::Comment(was), Item::Comment(is)) => self.comment(was, is)?,
                    (Item::Value(was), Item::Value(is)) => {
                        if !self.in_place(was, is, depth + 1) {
                            replaced.push(at);
                        }
                    }
                    _ => return Err(Coarser),
                }
            }
        }
        for at in replaced.into_iter().rev() {
            if let Fate::Kept(was, is) = fates[at] {
                fates.splice(at..=at, [Fate::Removed(was), Fate::Added(is)]);
            }
        }
        if !is_same_set(&fates) {
            let place = |item: &Item<Node>| match item {
                Item::Comment(comment) => self.comment_place(comment),
                Item::Value(node) => self.item_place(node),
            };
            let places = old.items.iter().map(place).collect::<Result<Vec<_>, _>>()?;
            let dash = old.items.iter().find_map(|item| match item {
                Item::Value(node) => Some(self.dash(node)),
                Item::Comment(_) => None,
            });
            let dash = dash.ok_or(Coarser)??;
            let column = dash - line_start(self.text, dash);
            let lines = Lines { text: self.text, places: &places, column, crlf: self.crlf };
            lines.edit(&fates, &mut self.patch, |is| render::yaml_item(&new.items[is], column, self.indent))?;
        }
        Ok(())
    }

    /// Changes what stands inside of a value; says whether that could be done.
    fn in_place(&mut self, old: &Node, new: &Node, depth: usize) -> bool {
        let mark = self.patch.mark();
        let done = self.node(old, new, depth).is_ok();
        if !done {
            self.patch.rewind(mark);
        }
        done
    }

    fn node(&mut self, old: &Node, new: &Node, depth: usize) -> Result<(), Coarser> {
        match (&old.value, &new.value) {
            (Value::Scalar(was), Value::Scalar(is)) => {
                if same::scalars(was, is) {
                    Ok(())
                } else {
                    self.scalar(old, is)
                }
            }
            // What is empty has nothing to stand beside, an alias has no text of its own.
            _ if depth >= self.limit || old.span.is_none() || is_empty(&old.value) || is_empty(&new.value) => {
                if same::nodes(old, new) {
                    Ok(())
                } else {
                    Err(Coarser)
                }
            }
            (Value::Map(Map { flow: true, .. }), Value::Map(_))
            | (Value::Seq(Seq { flow: true, .. }), Value::Seq(_)) => {
                bracket::Splicer { text: self.text, yaml: true, patch: &mut self.patch }.node(old, new)
            }
            (Value::Map(was), Value::Map(is)) => self.map(was, is, depth),
            (Value::Seq(was), Value::Seq(is)) => self.seq(was, is, depth),
            _ => Err(Coarser),
        }
    }

    fn scalar(&mut self, old: &Node, new: &Scalar) -> Result<(), Coarser> {
        let span = old.span.ok_or(Coarser)?;
        let range = trimmed(self.text, span.start..span.end);
        // Null need not be written; then there is no space before it.
        if range.is_empty() {
            let mut text = vec![b' '];
            text.extend(render::yaml_scalar(b"", new, false)?);
            self.patch.replace(range, text);
        } else {
            let start = range.start + anchor(&self.text[range.clone()]);
            self.patch.replace(start..range.end, render::yaml_scalar(&self.text[start..range.end], new, false)?);
        }
        Ok(())
    }

    /// Changes the value of an entry, or writes it anew behind its key.
    fn entry(&mut self, old: &Entry, new: &Node, depth: usize) -> Result<(), Coarser> {
        if self.in_place(&old.value, new, depth + 1) {
            return Ok(());
        }
        let key = old.key_span.ok_or(Coarser)?;
        let start = self.key_start(old)?;
        let column = start - line_start(self.text, start);
        let space = self.text[key.end..].iter().position(|byte| !byte.is_ascii_whitespace()).ok_or(Coarser)?;
        if self.text[key.end + space] != b':' {
            return Err(Coarser);
        }
        let after = key.end + space + 1;
        let end = match old.value.span {
            Some(_) => self.end(&old.value).ok_or(Coarser)?,
            None => self.alias_end(after).ok_or(Coarser)?,
        };
        // A comment behind the key is not the value's, so it must not go with it.
        let first_comment = first_comment(&old.value).and_then(|comment| comment.span);
        let begins =
            [old.value.span, first_comment].into_iter().flatten().map(|span| span.start).min().unwrap_or(after);
        if begins < after || self.text[after..begins].contains(&b'#') {
            return Err(Coarser);
        }
        let value = render::yaml_value(new, column, self.indent)?;
        let value = if self.crlf {
            String::from_utf8(value).map_err(|_| Coarser)?.replace('\n', "\r\n").into_bytes()
        } else {
            value
        };
        self.patch.replace(after..end.max(after), value);
        Ok(())
    }

    fn comment(&mut self, old: &Comment, new: &Comment) -> Result<(), Coarser> {
        if old.text != new.text {
            let span = old.span.ok_or(Coarser)?;
            self.patch.replace(span.start..span.end, [b"#", new.text.expose()].concat());
        }
        Ok(())
    }

    fn comment_place(&self, comment: &Comment) -> Result<Place, Coarser> {
        let span = comment.span.ok_or(Coarser)?;
        let range = trimmed(self.text, span.start..span.end);
        let beside = !is_blank(&self.text[line_start(self.text, range.start)..range.start]);
        Ok(Place { range, beside })
    }

    fn entry_place(&self, entry: &Entry) -> Result<Place, Coarser> {
        let start = self.key_start(entry)?;
        let key_end = entry.key_span.ok_or(Coarser)?.end;
        let end = self.end(&entry.value).unwrap_or(key_end).max(key_end);
        Ok(Place { range: start..end, beside: false })
    }

    fn item_place(&self, node: &Node) -> Result<Place, Coarser> {
        let mut start = self.dash(node)?;
        let end = self.end(node).unwrap_or(start).max(start + 1);
        // The comments of a collection may stand before its dash.
        if let Some(comment) = first_comment(node) {
            start = start.min(comment.span.ok_or(Coarser)?.start);
        }
        Ok(Place { range: start..end, beside: false })
    }

    /// Where an entry begins: its key, or the `?` before it.
    fn key_start(&self, entry: &Entry) -> Result<usize, Coarser> {
        let start = entry.key_span.ok_or(Coarser)?.start;
        let before = line_start(self.text, start)..start;
        let question = trimmed(self.text, before);
        let is_explicit = question.end < start && self.text[question.clone()].ends_with(b"?");
        Ok(if is_explicit { question.end - 1 } else { start })
    }

    /// How far the keys of a mapping are indented.
    fn column(&self, map: &Map) -> Result<usize, Coarser> {
        let first = map.entries().next().ok_or(Coarser)?;
        let start = self.key_start(first)?;
        Ok(start - line_start(self.text, start))
    }

    /// Where the dash of a list item stands.
    fn dash(&self, node: &Node) -> Result<usize, Coarser> {
        let start = node.span.ok_or(Coarser)?.start;
        let before = trimmed(self.text, line_start(self.text, start)..start);
        if self.text[before.clone()].ends_with(b"-") {
            return Ok(before.end - 1);
        }
        // It stands on a line above, with nothing behind it but perhaps a comment.
        let mut end = line_start(self.text, start);
        while end > 0 {
            let line = line_start(self.text, end - 1)..end;
            let content = line.start + self.text[line.clone()].iter().take_while(|&&byte| byte == b' ').count();
            match &self.text[content..line.end] {
                [b'\r', b'\n', ..] | [b'\n', ..] | [b'#', ..] => end = line.start,
                [b'-', b' ' | b'\n' | b'\r', rest @ ..] => {
                    let is_only_comment = rest.trim_ascii().first().is_none_or(|&byte| byte == b'#');
                    return if is_only_comment { Ok(content) } else { Err(Coarser) };
                }
                _ => return Err(Coarser),
            }
        }
        Err(Coarser)
    }

    /// Where the last visible byte of a value ends, with the comments at its end; `None` when it
    /// has no text of its own.
    fn end(&self, node: &Node) -> Option<usize> {
        let span = node.span?;
        let own = match self.text[span.start..span.end].first() {
            // The line breaks at the end of `|+` are part of it.
            Some(b'|' | b'>') if header(&self.text[span.start..span.end]).contains(&b'+') => span.end,
            _ => trimmed(self.text, span.start..span.end).end,
        };
        let inner = match &node.value {
            Value::Scalar(_) => None,
            Value::Map(map) => self.end_of(&map.items, |entry| self.end(&entry.value)),
            Value::Seq(seq) => self.end_of(&seq.items, |node| self.end(node)),
        };
        Some(inner.map_or(own, |inner| own.max(inner)))
    }

    fn end_of<T>(&self, items: &[Item<T>], end: impl Fn(&T) -> Option<usize>) -> Option<usize> {
        let mut last = None;
        for item in items.iter().rev() {
            match item {
                Item::Comment(comment) => {
                    last = last.max(comment.span.map(|span| trimmed(self.text, span.start..span.end).end))
                }
                Item::Value(value) => return last.max(end(value)),
            }
        }
        last
    }

    /// Where the alias ends that follows a colon.
    fn alias_end(&self, after: usize) -> Option<usize> {
        let text = &self.text[after..];
        let start = text.iter().position(|byte| *byte != b' ')?;
        let name = text[start..].strip_prefix(b"*")?;
        let len = name.iter().position(|byte| byte.is_ascii_whitespace()).unwrap_or(name.len());
        Some(after + start + 1 + len)
    }
}

/// Whether a collection holds nothing but comments.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Scalar(_) => false,
        Value::Map(map) => map.entries().next().is_none(),
        Value::Seq(seq) => seq.items.iter().all(|item| matches!(item, Item::Comment(_))),
    }
}

fn is_same_set(fates: &[Fate]) -> bool {
    fates.iter().all(|fate| matches!(fate, Fate::Kept(..)))
}

/// The first line of a block scalar.
fn header(text: &[u8]) -> &[u8] {
    text.split(|&byte| byte == b'\n').next().unwrap_or_default()
}

/// How long the anchor is that a scalar begins with, with the space behind it.
fn anchor(text: &[u8]) -> usize {
    if !text.starts_with(b"&") {
        return 0;
    }
    let name = text.iter().position(|byte| byte.is_ascii_whitespace()).unwrap_or(text.len());
    name + text[name..].iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

/// The comment that a value in block style begins with: it stands before the first key or dash.
fn first_comment(node: &Node) -> Option<&Comment> {
    match &node.value {
        Value::Map(Map { items, flow: false }) => match items.first()? {
            Item::Comment(comment) => Some(comment),
            Item::Value(_) => None,
        },
        Value::Seq(Seq { items, flow: false }) => match items.first()? {
            Item::Comment(comment) => Some(comment),
            Item::Value(node) => first_comment(node),
        },
        _ => None,
    }
}

/// How many spaces one level has: what the first nested mapping shows.
pub(super) fn indent_of(text: &[u8], documents: &[Map]) -> Option<usize> {
    documents.iter().find_map(|map| first_step(text, map)).filter(|indent| (2..=9).contains(indent))
}

fn first_step(text: &[u8], map: &Map) -> Option<usize> {
    let column = |entry: &Entry| entry.key_span.map(|span| span.start - line_start(text, span.start));
    let inner = map.entries().filter_map(|entry| match &entry.value.value {
        Value::Map(inner) if !inner.flow => Some((entry, inner)),
        _ => None,
    });
    for (entry, inner) in inner {
        let step = inner.entries().next().and_then(|first| column(first)?.checked_sub(column(entry)?));
        if let Some(step) = step.filter(|step| *step > 0).or_else(|| first_step(text, inner)) {
            return Some(step);
        }
    }
    None
}
