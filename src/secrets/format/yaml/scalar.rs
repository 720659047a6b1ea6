//! How a scalar is spelled: go-yaml's choice of quotes, and its spelling of numbers and times.

use std::borrow::Cow;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Datelike, FixedOffset, Timelike};

use super::resolve;
use crate::secrets::decimal;
use crate::secrets::tree::Scalar;

/// How a text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quoting {
    /// As it is.
    Plain,
    /// `'…'`
    Single,
    /// `"…"`, with escapes.
    Double,
    /// `|`, its lines indented below.
    Literal,
}

/// Where a text is to stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Site {
    /// A value, an item, or a key behind `?`.
    Block,
    /// A key before `:`.
    Key,
}

/// A scalar ready to be written.
#[derive(Debug)]
pub(super) struct Spelling<'t> {
    /// `!!merge` or `!!binary`.
    pub(super) tag: Option<&'static str>,
    pub(super) text: Cow<'t, str>,
    pub(super) quoting: Quoting,
    /// Whether it holds a character that go-yaml takes for a line break.
    pub(super) multiline: bool,
}

/// How `scalar` is written as a value or an item.
pub(super) fn spell(scalar: &Scalar) -> Spelling<'_> {
    let plain = |text: Cow<'static, str>| Spelling { tag: None, text, quoting: Quoting::Plain, multiline: false };
    match scalar {
        Scalar::Null => plain("null".into()),
        Scalar::Bool(true) => plain("true".into()),
        Scalar::Bool(false) => plain("false".into()),
        Scalar::Int(int) => plain(int.to_string().into()),
        Scalar::Uint(int) => plain(int.to_string().into()),
        Scalar::Float(float) => plain(self::float(*float).into()),
        Scalar::Time(time) => plain(self::time(time).into()),
        Scalar::Text(text) => match text.expose_str() {
            Some(text) => spell_text(text, Site::Block),
            None => {
                let text = base64_lines(text.expose());
                let multiline = text.contains('\n');
                let quoting = if multiline { Quoting::Literal } else { Quoting::Plain };
                Spelling { tag: Some("!!binary"), text: text.into(), quoting, multiline }
            }
        },
    }
}

/// How a text is written at `site`.
pub(super) fn spell_text(text: &str, site: Site) -> Spelling<'_> {
    let shape = Shape::of(text);
    let wanted = if shape.newline {
        Quoting::Literal
    } else if resolve::is_text(text) && !is_old(text) {
        Quoting::Plain
    } else {
        Quoting::Double
    };
    let quoting = match wanted {
        // YAML 1.2 no longer takes these for line breaks, so they must not stand there as they are.
        _ if shape.separator => Quoting::Double,
        // As a block this could not be read back; SOPS writes null instead.
        Quoting::Literal if text.starts_with('\t') => Quoting::Double,
        Quoting::Literal if shape.literal && site == Site::Block => Quoting::Literal,
        Quoting::Plain if shape.plain => Quoting::Plain,
        Quoting::Plain | Quoting::Single if shape.single => Quoting::Single,
        _ => Quoting::Double,
    };
    let tag = (text == "<<").then_some("!!merge");
    Spelling { tag, text: text.into(), quoting, multiline: shape.multiline }
}

/// What of a text decides about its quotes.
#[derive(Debug)]
struct Shape {
    newline: bool,
    multiline: bool,
    separator: bool,
    plain: bool,
    single: bool,
    literal: bool,
}

impl Shape {
    fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut shape = Self {
            newline: false,
            multiline: false,
            separator: false,
            plain: true,
            single: true,
            literal: !text.is_empty(),
        };
        if text.starts_with("---") || text.starts_with("...") {
            shape.plain = false;
        }
        match bytes.first() {
            Some(
                b'#' | b',' | b'[' | b']' | b'{' | b'}' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\'' | b'"' | b'%' | b'@'
                | b'`' | b' ',
            ) => shape.plain = false,
            Some(b'-' | b'?') if ends_word(bytes, 0) => shape.plain = false,
            _ => {}
        }
        if bytes.last() == Some(&b' ') {
            shape.plain = false;
            shape.literal = false;
        }
        // A single word, as every ciphertext is, is not looked at byte by byte: it may be long.
        if bytes.iter().fold(true, |word, byte| word & byte.is_ascii_graphic()) {
            shape.plain &= bytes.last() != Some(&b':');
            return shape;
        }
        let (mut after_space, mut after_break) = (false, false);
        for (at, &byte) in bytes.iter().enumerate() {
            match byte {
                b' ' => {
                    if after_break {
                        shape.plain = false;
                        shape.single = false;
                    }
                    (after_space, after_break) = (true, false);
                    continue;
                }
                b'\n' => {
                    shape.newline = true;
                    shape.multiline = true;
                    shape.plain = false;
                    if after_space {
                        shape.single = false;
                        shape.literal = false;
                    }
                    (after_space, after_break) = (false, true);
                    continue;
                }
                b'\t' => {
                    shape.plain = false;
                    shape.single = false;
                }
                b':' if ends_word(bytes, at) => shape.plain = false,
                b'#' if at > 0 && matches!(bytes[at - 1], b' ' | b'\t') => shape.plain = false,
                b'!'..=b'~' => {}
                0x80..=0xbf => {}
                // The first byte of what go-yaml prints: two and three bytes, but no C1 control, no
                // byte order mark and no non-character.
                0xc2..=0xef => match text[at..].chars().next() {
                    Some('\u{2028}' | '\u{2029}') => {
                        shape.separator = true;
                        shape.multiline = true;
                        shape.plain = false;
                    }
                    Some(char) if is_printable(char) => {}
                    _ => {
                        shape.multiline |= text[at..].starts_with('\u{85}');
                        shape.forbid();
                    }
                },
                _ => {
                    shape.multiline |= byte == b'\r';
                    shape.forbid();
                }
            }
            (after_space, after_break) = (false, false);
        }
        shape
    }

    /// Only double quotes can hold it.
    fn forbid(&mut self) {
        self.plain = false;
        self.single = false;
        self.literal = false;
    }
}

/// Whether a blank or the end follows the byte at `at`.
fn ends_word(bytes: &[u8], at: usize) -> bool {
    matches!(bytes.get(at + 1), None | Some(b' ' | b'\t'))
}

/// What go-yaml prints as it is. It knows no characters beyond the first plane.
fn is_printable(char: char) -> bool {
    matches!(char, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

/// Whether an older YAML would take the text for a number in base 60 or for a boolean.
fn is_old(text: &str) -> bool {
    match text.as_bytes() {
        [b'0'..=b'9' | b'+' | b'-', ..] => is_base_60(text),
        [b'y' | b'Y' | b'n' | b'N' | b'o' | b'O', ..] => matches!(
            text,
            "y" | "Y"
                | "yes"
                | "Yes"
                | "YES"
                | "on"
                | "On"
                | "ON"
                | "n"
                | "N"
                | "no"
                | "No"
                | "NO"
                | "off"
                | "Off"
                | "OFF"
        ),
        _ => false,
    }
}

/// `[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?`
fn is_base_60(text: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    let body = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (body, fraction) = body.split_once('.').unwrap_or((body, ""));
    let mut parts = body.split(':');
    let first = parts.next().unwrap_or_default();
    let mut more = 0;
    let sixties = parts.all(|part| {
        more += 1;
        matches!(part.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9'])
    });
    more > 0 && sixties && digits(fraction) && digits(first) && first.starts_with(|char: char| char.is_ascii_digit())
}

/// Writes the inside of double quotes.
pub(super) fn escape(out: &mut Vec<u8>, text: &str) {
    // go-yaml looks for the mark at the front of the text whatever character it is at.
    let all = text.starts_with('\u{feff}');
    let mut from = 0;
    for (at, char) in text.char_indices() {
        if !all && is_printable(char) && !matches!(char, '"' | '\\' | '\n' | '\u{2028}' | '\u{2029}') {
            continue;
        }
        out.extend_from_slice(&text.as_bytes()[from..at]);
        from = at + char.len_utf8();
        let mut code = String::new();
        let short = match char {
            '\0' => "\\0",
            '\u{7}' => "\\a",
            '\u{8}' => "\\b",
            '\t' => "\\t",
            '\n' => "\\n",
            '\u{b}' => "\\v",
            '\u{c}' => "\\f",
            '\r' => "\\r",
            '\u{1b}' => "\\e",
            '"' => "\\\"",
            '\\' => "\\\\",
            '\u{85}' => "\\N",
            '\u{a0}' => "\\_",
            '\u{2028}' => "\\L",
            '\u{2029}' => "\\P",
            other => {
                let number = u32::from(other);
                let _ = match number {
                    0..=0xff => write!(code, "\\x{number:02X}"),
                    0x100..=0xffff => write!(code, "\\u{number:04X}"),
                    _ => write!(code, "\\U{number:08X}"),
                };
                &code
            }
        };
        out.extend_from_slice(short.as_bytes());
    }
    out.extend_from_slice(&text.as_bytes()[from..]);
}

/// A float as Go's `%g` prints it.
fn float(float: f64) -> String {
    if float.is_nan() {
        return ".nan".to_owned();
    }
    if float.is_infinite() {
        return if float > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let scientific = decimal::scientific(float);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) || float == 0.0 {
        return decimal::plain(float);
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

/// A time as Go's `RFC3339Nano` prints it.
fn time(time: &DateTime<FixedOffset>) -> String {
    let mut text = format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
        time.year(),
        time.month(),
        time.day(),
        time.hour(),
        time.minute(),
        time.second()
    );
    if time.nanosecond() != 0 {
        let fraction = format!(".{:09}", time.nanosecond());
        text.push_str(fraction.trim_end_matches('0'));
    }
    let minutes = time.offset().local_minus_utc() / 60;
    if minutes == 0 {
        text.push('Z');
    } else {
        let sign = if minutes < 0 { '-' } else { '+' };
        let minutes = minutes.abs();
        let _ = write!(text, "{sign}{:02}:{:02}", minutes / 60, minutes % 60);
    }
    text
}

/// Bytes in base 64, in lines of 70 characters when one does not do.
fn base64_lines(bytes: &[u8]) -> String {
    let encoded = STANDARD.encode(bytes);
    if encoded.len() < 70 {
        return encoded;
    }
    let mut lines = String::with_capacity(encoded.len() + encoded.len() / 70 + 1);
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(70));
        lines.push_str(line);
        lines.push('\n');
        rest = after;
    }
    lines
}
