//! Small parts of a document as text, at an indentation.

use super::patch::Coarser;
use crate::secrets::format::{Format, Style};
use crate::secrets::tree::{Entry, Item, Map, Node, Scalar, Seq, Tree, Value};

/// The name of entries that are written only for their value.
const NAME: &str = "k";

/// A document of one mapping, as its format writes it.
fn document(format: Format, map: Map, style: Style) -> Result<Vec<u8>, Coarser> {
    format.write_exact(&Tree { documents: vec![map] }, style).map_err(|_| Coarser)
}

fn named(value: Node) -> Map {
    let mut map = Map::default();
    map.push(NAME, value);
    map
}

/// The lines of an item of a YAML mapping, `column` columns in.
pub(super) fn yaml_entry(item: &Item<Entry>, column: usize, indent: usize) -> Result<Vec<u8>, Coarser> {
    if let Item::Comment(comment) = item {
        return Ok(comment_line(comment.text.expose(), column));
    }
    let map = Map { items: vec![item.clone()], flow: false };
    Ok(indented(&document(Format::Yaml, map, Style { indent: Some(indent) })?, 0, column))
}

/// The lines of an item of a YAML sequence, with its dash `column` columns in.
pub(super) fn yaml_item(item: &Item<Node>, column: usize, indent: usize) -> Result<Vec<u8>, Coarser> {
    if let Item::Comment(comment) = item {
        return Ok(comment_line(comment.text.expose(), column));
    }
    let map = named(Seq { items: vec![item.clone()], flow: false }.into());
    let text = document(Format::Yaml, map, Style { indent: Some(indent) })?;
    let lines = text.strip_prefix(format!("{NAME}:\n").as_bytes()).ok_or(Coarser)?;
    let depth = lines.iter().take_while(|&&byte| byte == b' ').count();
    Ok(indented(lines, depth, column))
}

/// A YAML value as it follows the colon of a key that is `column` columns in: a space and a
/// scalar, or lines.
pub(super) fn yaml_value(value: &Node, column: usize, indent: usize) -> Result<Vec<u8>, Coarser> {
    let text = document(Format::Yaml, named(value.clone()), Style { indent: Some(indent) })?;
    let text = indented(&text, 0, column);
    let value = text.get(column..).and_then(|text| text.strip_prefix(format!("{NAME}:").as_bytes())).ok_or(Coarser)?;
    Ok(value.strip_suffix(b"\n").unwrap_or(value).to_vec())
}

/// A YAML scalar in the quotes that `was` had, if it had some.
pub(super) fn yaml_scalar(was: &[u8], scalar: &Scalar, flow: bool) -> Result<Vec<u8>, Coarser> {
    let Scalar::Text(text) = scalar else {
        let text = yaml_value(&scalar.clone().into(), 0, 4)?;
        return text.strip_prefix(b" ").map(<[u8]>::to_vec).ok_or(Coarser);
    };
    let bare = |text: &str| text.starts_with("ENC[") && text.ends_with(']') && text.bytes().all(is_base64_or_label);
    match text.expose_str() {
        Some(text) if was.starts_with(b"'") && text.chars().all(is_plain) => {
            Ok(format!("'{}'", text.replace('\'', "''")).into_bytes())
        }
        Some(text) if (was.starts_with(b"\"") || flow) && text.chars().all(is_plain) => {
            Ok(format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")).into_bytes())
        }
        Some(text) if !flow && bare(text) => Ok(text.as_bytes().to_vec()),
        _ if flow => Err(Coarser),
        _ => {
            let text = yaml_value(&scalar.clone().into(), 0, 4)?;
            // What needs lines of its own also needs to know where it stands.
            let text = text.strip_prefix(b" ").filter(|text| !text.contains(&b'\n')).ok_or(Coarser)?;
            Ok(text.to_vec())
        }
    }
}

/// What YAML takes as it is in any quotes.
fn is_plain(char: char) -> bool {
    matches!(char, ' '..='~' | '\u{A0}'..='\u{2027}' | '\u{202A}'..='\u{D7FF}' | '\u{E000}'..='\u{FEFE}' | '\u{FF00}'..='\u{FFFD}')
}

fn is_base64_or_label(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'[' | b']' | b',' | b':' | b'_')
}

fn comment_line(text: &[u8], column: usize) -> Vec<u8> {
    let mut line = vec![b' '; column];
    line.push(b'#');
    line.extend_from_slice(text);
    line.push(b'\n');
    line
}

/// `lines` with `from` columns taken away and `to` columns put before each that is not empty.
fn indented(lines: &[u8], from: usize, to: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(lines.len() + 64);
    for line in lines.split_inclusive(|&byte| byte == b'\n') {
        let spaces = line.iter().take_while(|&&byte| byte == b' ').count();
        let line = &line[spaces.min(from)..];
        if line != b"\n" {
            out.resize(out.len() + to, b' ');
        }
        out.extend_from_slice(line);
    }
    out
}

/// How a JSON text, or a part of a YAML text in flow style, is laid out.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// What stands before each item: a line break and its indentation, or what stands between
    /// items in one line.
    pub(super) before: Vec<u8>,
    /// What stands between a key and its value, with the colon.
    pub(super) colon: Vec<u8>,
    /// What one level is indented by.
    pub(super) step: Vec<u8>,
}

/// An entry in JSON.
pub(super) fn json_entry(entry: &Entry, layout: &Layout) -> Result<Vec<u8>, Coarser> {
    let mut out = json_value(&Node::text(entry.key.as_str()), layout)?;
    out.extend_from_slice(&layout.colon);
    out.extend(json_value(&entry.value, layout)?);
    Ok(out)
}

/// A value in JSON, standing in an item that `layout` describes.
pub(super) fn json_value(value: &Node, layout: &Layout) -> Result<Vec<u8>, Coarser> {
    let text = document(Format::Json, named(value.clone()), Style { indent: Some(1) })?;
    let start = format!("{{\n \"{NAME}\": ");
    let value = text.strip_prefix(start.as_bytes()).and_then(|text| text.strip_suffix(b"\n}\n")).ok_or(Coarser)?;
    if !layout.before.contains(&b'\n') {
        return Ok(one_line(value, layout));
    }
    let mut out = Vec::with_capacity(value.len());
    for (number, line) in value.split(|&byte| byte == b'\n').enumerate() {
        if number == 0 {
            out.extend_from_slice(line);
            continue;
        }
        let depth = line.iter().take_while(|&&byte| byte == b' ').count();
        out.extend_from_slice(&layout.before);
        for _ in 1..depth {
            out.extend_from_slice(&layout.step);
        }
        out.extend_from_slice(&line[depth..]);
    }
    Ok(out)
}

/// A JSON text without line breaks, with the spaces that `layout` has.
fn one_line(text: &[u8], layout: &Layout) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let (mut in_text, mut is_escaped) = (false, false);
    for &byte in text {
        match byte {
            _ if in_text => {
                out.push(byte);
                in_text = is_escaped || byte != b'"';
                is_escaped = byte == b'\\' && !is_escaped;
            }
            b'"' => {
                in_text = true;
                out.push(byte);
            }
            b':' => out.extend_from_slice(&layout.colon),
            b',' => {
                out.push(byte);
                out.extend_from_slice(&layout.before);
            }
            b' ' | b'\n' => {}
            _ => out.push(byte),
        }
    }
    out
}

/// A line of a dotenv file.
pub(super) fn dotenv_line(item: &Item<Entry>) -> Result<Vec<u8>, Coarser> {
    document(Format::Dotenv, Map { items: vec![item.clone()], flow: false }, Style::default())
}

/// The value of a line of a dotenv file.
pub(super) fn dotenv_value(value: &Node) -> Result<Vec<u8>, Coarser> {
    let line = document(Format::Dotenv, named(value.clone()), Style::default())?;
    let value = line.strip_prefix(format!("{NAME}=").as_bytes()).and_then(|line| line.strip_suffix(b"\n"));
    value.map(<[u8]>::to_vec).ok_or(Coarser)
}

/// A key and a value as they are spelled in an ini file.
pub(super) fn ini_entry(entry: &Entry) -> Result<(Vec<u8>, Vec<u8>), Coarser> {
    if !matches!(entry.value.value, Value::Scalar(_)) {
        return Err(Coarser);
    }
    let alone = |key: &str, value: &Node| -> Result<Vec<u8>, Coarser> {
        let mut section = Map::default();
        section.push(key, value.clone());
        let mut map = Map::default();
        map.push(NAME, section);
        document(Format::Ini, map, Style::default())
    };
    let strip = |text: Vec<u8>, start: String, end: &str| {
        let inner =
            text.trim_ascii_end().strip_prefix(start.as_bytes()).and_then(|text| text.strip_suffix(end.as_bytes()));
        inner.map(<[u8]>::to_vec).ok_or(Coarser)
    };
    let value = strip(alone(NAME, &entry.value)?, format!("[{NAME}]\n{NAME} ="), "")?;
    let key = strip(alone(&entry.key, &Node::text(NAME))?, format!("[{NAME}]\n"), &format!(" = {NAME}"))?;
    Ok((key, value.strip_prefix(b" ").unwrap_or_default().to_vec()))
}

/// The lines of a section of an ini file.
pub(super) fn ini_section(section: &Item<Entry>) -> Result<Vec<u8>, Coarser> {
    // The first section may go without a header, if it is called so.
    let is_headless = matches!(section, Item::Value(entry) if entry.key == "DEFAULT");
    if is_headless {
        return Err(Coarser);
    }
    let mut text = document(Format::Ini, Map { items: vec![section.clone()], flow: false }, Style::default())?;
    text.truncate(text.trim_ascii_end().len());
    text.push(b'\n');
    Ok(text)
}
