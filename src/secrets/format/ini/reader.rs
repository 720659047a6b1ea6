//! Reading.

use std::collections::HashMap;
use std::ops::Range;

use super::DEFAULT;
use super::line::{Loss, Missing, Part, line_at, name, value};
use super::space::{trim, trim_start};
use crate::secrets::error::Error;
use crate::secrets::format::Format;
use crate::secrets::format::place::syntax;
use crate::secrets::tree::{Comment, Entry, Item, Map, Node, Scalar, Span, Tree, Value};

/// Reads a plaintext document with spans. What SOPS would silently lose is refused.
pub(in crate::secrets::format) fn read_plain(bytes: &[u8]) -> Result<Tree, Error> {
    Reader::new(bytes, true).document()
}

/// Reads an encrypted document with spans, just as SOPS does.
pub(in crate::secrets::format) fn read_sealed(bytes: &[u8]) -> Result<Tree, Error> {
    Reader::new(bytes, false).document()
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Whether to refuse what SOPS would lose.
    refuses_loss: bool,
    /// The comments since the last key or header.
    comments: Vec<Range<usize>>,
    /// How many keys of the section are called `-`.
    numbered: usize,
    sections: Vec<Section>,
}

struct Section {
    name: String,
    header: Option<Span>,
    comment: Option<Comment>,
    keys: Vec<(Entry, Option<Comment>)>,
    /// Where in `keys` a name is.
    places: HashMap<String, usize>,
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8], refuses_loss: bool) -> Self {
        let sections = vec![Section::new(DEFAULT.to_owned(), None, None)];
        Self { bytes, at: 0, refuses_loss, comments: Vec::new(), numbered: 0, sections }
    }

    fn document(mut self) -> Result<Tree, Error> {
        match self.bytes {
            [0xFE, 0xFF, ..] | [0xFF, 0xFE, ..] => return Err(self.error(0, "it is UTF-16, not UTF-8")),
            [0xEF, 0xBB, 0xBF, ..] => self.at = 3,
            _ => {}
        }
        while self.at < self.bytes.len() {
            let line = line_at(self.bytes, self.at);
            self.at = line.end;
            let line = trim_start(self.bytes, line);
            match self.bytes[line.clone()].first() {
                None => {}
                Some(b'#' | b';') => self.comments.push(line),
                Some(b'[') => self.section(line)?,
                Some(_) => self.key(line)?,
            }
        }
        let items = self.sections.into_iter().map(|section| Item::Value(section.into_entry())).collect();
        Ok(Tree { documents: vec![Map { items, flow: false }] })
    }

    fn section(&mut self, line: Range<usize>) -> Result<(), Error> {
        let Some(length) = self.bytes[line.clone()].iter().rposition(|&byte| byte == b']') else {
            return Err(self.error(line.start, "the section name has no closing bracket"));
        };
        let close = line.start + length;
        let name = self.utf8(line.start + 1, &self.bytes[line.start + 1..close])?;
        if name.is_empty() {
            return Err(self.error(line.start, "the section name is empty"));
        }
        let after = &self.bytes[close + 1..line.end];
        if let Some(marker) = after.iter().position(|byte| matches!(byte, b'#' | b';')) {
            self.comments.push(close + 1 + marker..line.end);
        }
        let header = Some(Span { start: line.start, end: close + 1 });
        let comment = self.take_comment();
        self.numbered = 0;
        self.sections.push(Section::new(name, header, comment));
        Ok(())
    }

    fn key(&mut self, line: Range<usize>) -> Result<(), Error> {
        let start = line.start;
        let name = name(self.bytes, line.clone()).map_err(|part| self.missing(start, part))?;
        let value = value(self.bytes, name.next..line.end).map_err(|part| self.missing(name.next, part))?;
        self.at = value.next;
        self.comments.extend(value.comment.clone());

        let mut key = self.utf8(start, &name.text)?;
        if self.refuses_loss {
            self.check(start, &key, &name, &value)?;
        }
        if key == "-" {
            self.numbered += 1;
            key = format!("#{}", self.numbered);
        }
        let comment = self.take_comment();
        let entry = Entry { key, key_span: Some(span(&name.range)), value: leaf(value) };
        if let Some(section) = self.sections.last_mut() {
            section.put(entry, comment);
        }
        Ok(())
    }

    /// Refuses what SOPS would read, but not as it is meant.
    fn check(&self, at: usize, key: &str, name: &Part, value: &Part) -> Result<(), Error> {
        let what = match (name.loss, value.loss) {
            (Some(_), _) => format!("SOPS would drop what follows the quoted key {key:?}"),
            (None, Some(Loss::Comment)) => format!(
                "SOPS would take a part of the value of {key:?} for a comment; put the value between backquotes \
                 (`…`), or a space around the # or ; of a comment"
            ),
            (None, Some(Loss::Tail)) => format!("SOPS would drop what follows the quoted value of {key:?}"),
            (None, None) if key == "-" => "SOPS would number the key \"-\" and then lose it; give it a name".to_owned(),
            (None, None) if self.has(key) => {
                format!("the section has the key {key:?} twice, and SOPS would keep only one value")
            }
            (None, None) => return Ok(()),
        };
        Err(self.error(at, what))
    }

    /// Whether the section has the key already.
    fn has(&self, key: &str) -> bool {
        self.sections.last().is_some_and(|section| section.places.contains_key(key))
    }

    /// The comments so far, as one.
    fn take_comment(&mut self) -> Option<Comment> {
        let parts = std::mem::take(&mut self.comments);
        let joined: Vec<u8> = parts.iter().flat_map(|part| &self.bytes[part.clone()]).copied().collect();
        let text = strip_marker(&joined[trim(&joined, 0..joined.len())]);
        let whole = trim(self.bytes, parts.first()?.start..parts.last()?.end);
        // Comments above a key and after its value do not stand together.
        let is_one = parts.windows(2).all(|pair| trim(self.bytes, pair[0].end..pair[1].start).is_empty());
        Some(Comment { text: text.to_vec().into(), span: is_one.then(|| span(&whole)), sealed: None })
    }

    fn utf8(&self, at: usize, bytes: &[u8]) -> Result<String, Error> {
        String::from_utf8(bytes.to_vec()).map_err(|_| self.error(at, "a name is not UTF-8"))
    }

    fn missing(&self, at: usize, missing: Missing) -> Error {
        self.error(
            at,
            match missing {
                Missing::Delimiter => "there is neither = nor : in the line",
                Missing::Name => "the line has no key",
                Missing::ClosingQuote => "a quoted key or value has no end",
            },
        )
    }

    fn error(&self, at: usize, what: impl Into<String>) -> Error {
        syntax(Format::Ini, self.bytes, at, what)
    }
}

impl Section {
    fn new(name: String, header: Option<Span>, comment: Option<Comment>) -> Self {
        Self { name, header, comment, keys: Vec::new(), places: HashMap::new() }
    }

    /// Adds a key, or puts it in the place of the one that has its name.
    fn put(&mut self, entry: Entry, comment: Option<Comment>) {
        match self.places.get(&entry.key).and_then(|&place| self.keys.get_mut(place)) {
            Some(old) => *old = (entry, comment),
            None => {
                self.places.insert(entry.key.clone(), self.keys.len());
                self.keys.push((entry, comment));
            }
        }
    }

    fn into_entry(self) -> Entry {
        let end_of = |entry: &Entry| entry.value.span.map(|span| span.end);
        let start = self.keys.iter().filter_map(|(entry, _)| entry.key_span).map(|span| span.start).min();
        let end = self.keys.iter().filter_map(|(entry, _)| end_of(entry)).max();
        let comment = self.comment.into_iter().map(Item::Comment);
        let keys = self
            .keys
            .into_iter()
            .flat_map(|(entry, comment)| std::iter::once(Item::Value(entry)).chain(comment.map(Item::Comment)));
        let map = Map { items: comment.chain(keys).collect(), flow: false };
        let span = start.zip(end).map(|(start, end)| Span { start, end });
        Entry { key: self.name, key_span: self.header, value: Node { value: Value::Map(map), span, sealed: None } }
    }
}

fn leaf(part: Part) -> Node {
    Node { value: Value::Scalar(Scalar::Text(part.text.into())), span: Some(span(&part.range)), sealed: None }
}

fn span(range: &Range<usize>) -> Span {
    Span { start: range.start, end: range.end }
}

/// A comment without the marker of its first line. A first line that has nothing else goes, too:
/// SOPS stops at an empty one when it writes the comment.
fn strip_marker(comment: &[u8]) -> &[u8] {
    let mut rest = comment;
    while let [marker @ (b'#' | b';'), ..] = rest {
        let text = rest.iter().position(|byte| byte != marker && *byte != b' ').map_or(&[][..], |at| &rest[at..]);
        match text {
            [b'\n', after @ ..] => rest = after,
            text => return text,
        }
    }
    rest
}
