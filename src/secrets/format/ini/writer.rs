//! Writing. Each name and value is spelled as SOPS spells it if it reads back, else in the first
//! kind of quotes that does.

use std::collections::HashSet;

use super::DEFAULT;
use super::line::{line_at, name, value};
use super::space::trim;
use crate::secrets::error::Error;
use crate::secrets::format::spell;
use crate::secrets::tree::{Comment, Entry, Item, Map, Tree, Value};

/// Writes a plaintext document: each entry a section, each entry of those a key.
pub(in crate::secrets::format) fn write_plain(tree: &Tree) -> Result<Vec<u8>, Error> {
    write(tree, false)
}

/// Writes an encrypted document, with comments that SOPS can read where they stand in clear.
pub(in crate::secrets::format) fn write_sealed(tree: &Tree) -> Result<Vec<u8>, Error> {
    write(tree, true)
}

fn write(tree: &Tree, is_sealed: bool) -> Result<Vec<u8>, Error> {
    let mut writer = Writer { out: Vec::new(), is_sealed };
    let sections: Vec<_> = tree.documents.iter().flat_map(Map::entries).collect();
    for (index, section) in sections.iter().enumerate() {
        match &section.value.value {
            Value::Map(map) => writer.section(index, &section.key, map)?,
            _ => return refused(&section.key, "is not a mapping, which each section of an ini file is"),
        }
        // The keys before the first header are no section to part from the next when there are none.
        if index + 1 < sections.len() && !writer.out.is_empty() {
            writer.out.push(b'\n');
        }
    }
    Ok(writer.out)
}

struct Writer {
    out: Vec<u8>,
    is_sealed: bool,
}

/// A key as it is written.
struct Line<'a> {
    key: Vec<u8>,
    value: Vec<u8>,
    comment: Option<&'a Comment>,
}

impl Writer {
    fn section(&mut self, index: usize, title: &str, map: &Map) -> Result<(), Error> {
        if title.is_empty() || title.contains('\n') {
            return refused(title, "is not a name that a section of an ini file can have");
        }
        let (comment, lines) = lines(title, map)?;
        if let Some(comment) = comment {
            self.comment(comment, false);
        }
        if index > 0 || title != DEFAULT {
            self.out.extend(format!("[{title}]\n").as_bytes());
        }
        let width = lines.iter().map(|line| line.key.len()).max().unwrap_or_default();
        for line in &lines {
            if let Some(comment) = line.comment {
                self.comment(comment, true);
            }
            self.out.extend(&line.key);
            self.out.resize(self.out.len() + width - line.key.len(), b' ');
            self.out.extend(b" = ");
            self.out.extend(&line.value);
            self.out.push(b'\n');
        }
        Ok(())
    }

    /// The lines of a comment, each with its marker; a line that had none is trimmed above a key
    /// only. SOPS would stop at an empty line.
    fn comment(&mut self, comment: &Comment, is_of_key: bool) {
        let text = comment.text.expose();
        let text = if self.is_sealed { without_bare_head(text) } else { text };
        for line in text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            let (marker, rest, is_trimmed) = match line {
                [marker @ (b'#' | b';'), rest @ ..] => (*marker, rest, true),
                _ => (b';', line, is_of_key),
            };
            self.out.extend([marker, b' ']);
            self.out.extend(if is_trimmed { &rest[trim(rest, 0..rest.len())] } else { rest });
            self.out.push(b'\n');
        }
    }
}

/// A comment without the lines at its head that are nothing but markers: SOPS reads the first one
/// as an empty line, and then stops at it.
fn without_bare_head(mut comment: &[u8]) -> &[u8] {
    while let Some(end) = comment.iter().position(|&byte| byte == b'\n') {
        let line = String::from_utf8_lossy(&comment[..end]);
        if !line.trim_matches(|c: char| c.is_whitespace() || c == '#' || c == ';').is_empty() {
            break;
        }
        comment = &comment[end + 1..];
    }
    comment
}

/// The comment of a section and its keys. A comment belongs to the key before it, the last of
/// several wins, and the first one of all belongs to the section.
fn lines<'a>(title: &str, map: &'a Map) -> Result<(Option<&'a Comment>, Vec<Line<'a>>), Error> {
    let mut of_section = None;
    let mut lines: Vec<Line<'_>> = Vec::new();
    let mut keys = HashSet::new();
    for (index, item) in map.items.iter().enumerate() {
        match item {
            Item::Comment(comment) if index == 0 => of_section = Some(comment),
            Item::Comment(comment) => {
                if let Some(line) = lines.last_mut() {
                    line.comment = Some(comment);
                }
            }
            Item::Value(entry) if !keys.insert(&entry.key) => {
                return refused(&path(title, entry), "is there twice, which an ini file cannot hold");
            }
            Item::Value(entry) => lines.push(line(title, entry)?),
        }
    }
    Ok((of_section, lines))
}

fn line<'a>(title: &str, entry: &Entry) -> Result<Line<'a>, Error> {
    let Value::Scalar(scalar) = &entry.value.value else {
        return refused(&path(title, entry), "is not a single value, which an ini file cannot hold");
    };
    let Some(key) = spell_name(entry.key.as_bytes()) else {
        return refused(&path(title, entry), "is not a name that an ini file can hold");
    };
    let Some(value) = spell_value(&spell::flat(scalar)) else {
        return refused(&path(title, entry), "has quotes and line breaks that an ini file cannot hold together");
    };
    Ok(Line { key, value, comment: None })
}

fn spell_name(text: &[u8]) -> Option<Vec<u8>> {
    let has = |what: &[u8]| text.iter().any(|byte| what.contains(byte));
    let usual: &[u8] = match text {
        _ if has(b"\"=:") => b"`",
        _ if has(b"`") => b"\"\"\"",
        _ => b"",
    };
    [usual, b"`", b"\"", b"\"\"\""].into_iter().map(|quote| quoted(text, quote)).find(|spelling| {
        let line = [spelling.as_slice(), b" = \n"].concat();
        let is_taken = matches!(spelling.as_slice(), [b'#' | b';' | b'[', ..] | [0xEF, 0xBB, 0xBF, ..]);
        let is_key = !is_taken && text != b"-" && !has(b"\n");
        is_key && name(&line, 0..line.len()).is_ok_and(|part| part.text == text && part.next + 2 == line.len())
    })
}

fn spell_value(text: &[u8]) -> Option<Vec<u8>> {
    let has = |what: &[u8]| text.iter().any(|byte| what.contains(byte));
    let usual: &[u8] = match text {
        _ if has(b"\n`") => b"\"\"\"",
        _ if has(b"#;") => b"`",
        _ if trim(text, 0..text.len()).len() < text.len() => b"\"",
        _ => b"",
    };
    [usual, b"`", b"\"\"\"", b"\"", b"'"].into_iter().map(|quote| quoted(text, quote)).find(|spelling| {
        let lines = [b" ", spelling.as_slice(), b"\n"].concat();
        value(&lines, line_at(&lines, 0)).is_ok_and(|part| {
            part.text == text && part.next == lines.len() && part.comment.is_none() && part.loss.is_none()
        })
    })
}

fn quoted(text: &[u8], quote: &[u8]) -> Vec<u8> {
    [quote, text, quote].concat()
}

fn path(title: &str, entry: &Entry) -> String {
    format!("{title}.{}", entry.key)
}

fn refused<T>(place: &str, what: &str) -> Result<T, Error> {
    Err(Error::Refused { place: place.to_owned(), what: what.to_owned() })
}
