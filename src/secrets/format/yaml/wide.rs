//! Line breaks that only YAML 1.1 knows: next line, line separator and paragraph separator.
//!
//! SOPS reads a file by the older rules, and where a text with such a character stands in clear, it
//! writes it as a break with indentation behind it. These are the older rules for what the scanner,
//! which knows only the newer, has found to be one scalar.

use std::iter::Peekable;
use std::str::Chars;

const BREAKS: [char; 3] = ['\u{85}', '\u{2028}', '\u{2029}'];

/// Whether `text` holds such a break.
pub(super) fn is_in(text: &str) -> bool {
    !text.is_ascii() && text.contains(BREAKS)
}

/// The text of a quoted scalar that stands in the file as `raw`, with its quotes; `None` when an
/// escape is none of YAML.
pub(super) fn quoted(raw: &str) -> Option<String> {
    let is_double = raw.starts_with('"');
    let inner = raw.get(1..raw.len().checked_sub(1)?)?;
    let mut chars = inner.chars().peekable();
    let mut text = String::with_capacity(inner.len());
    while let Some(&char) = chars.peek() {
        if is_blank(char) || is_break(char) {
            fold(&mut chars, &mut text, false);
            continue;
        }
        chars.next();
        match char {
            '\'' if !is_double => {
                chars.next();
                text.push('\'');
            }
            '\\' if is_double => {
                if chars.peek().is_some_and(|&next| is_break(next)) {
                    take_break(&mut chars);
                    fold(&mut chars, &mut text, true);
                } else {
                    text.push(escaped(&mut chars)?);
                }
            }
            other => text.push(other),
        }
    }
    Some(text)
}

/// The text of a literal block scalar that the scanner found to be `text`, indented by `indent`.
pub(super) fn literal(text: &str, indent: usize) -> String {
    let mut out = String::with_capacity(text.len());
    let mut parts = text.split_inclusive(BREAKS);
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let spaces = part.bytes().take(indent).take_while(|&byte| byte == b' ').count();
        out.push_str(&part[spaces..]);
    }
    out.replace('\u{85}', "\n")
}

/// Blanks and breaks as one: a break alone is a space, several are one fewer, the wide ones stay.
fn fold(chars: &mut Peekable<Chars<'_>>, text: &mut String, escaped_break: bool) {
    let mut blanks = String::new();
    let mut first = escaped_break.then_some(None);
    let mut more = String::new();
    while let Some(&char) = chars.peek() {
        if is_break(char) {
            let found = take_break(chars);
            if first.is_none() {
                first = Some(Some(found));
            } else {
                more.push(found);
            }
        } else if is_blank(char) {
            chars.next();
            blanks.push(char);
        } else {
            break;
        }
    }
    match first {
        None => text.push_str(&blanks),
        Some(Some('\n')) if more.is_empty() => text.push(' '),
        Some(Some('\n') | None) => text.push_str(&more),
        Some(Some(wide)) => {
            text.push(wide);
            text.push_str(&more);
        }
    }
}

fn escaped(chars: &mut Peekable<Chars<'_>>) -> Option<char> {
    let digits = match chars.next()? {
        '0' => return Some('\0'),
        'a' => return Some('\u{7}'),
        'b' => return Some('\u{8}'),
        't' | '\t' => return Some('\t'),
        'n' => return Some('\n'),
        'v' => return Some('\u{b}'),
        'f' => return Some('\u{c}'),
        'r' => return Some('\r'),
        'e' => return Some('\u{1b}'),
        'N' => return Some('\u{85}'),
        '_' => return Some('\u{a0}'),
        'L' => return Some('\u{2028}'),
        'P' => return Some('\u{2029}'),
        itself @ (' ' | '"' | '\'' | '/' | '\\') => return Some(itself),
        'x' => 2,
        'u' => 4,
        'U' => 8,
        _ => return None,
    };
    let mut number = 0;
    for _ in 0..digits {
        number = number * 16 + chars.next()?.to_digit(16)?;
    }
    char::from_u32(number)
}

/// Takes one break. All but the separators are a line feed.
fn take_break(chars: &mut Peekable<Chars<'_>>) -> char {
    match chars.next() {
        Some('\r') => {
            chars.next_if_eq(&'\n');
            '\n'
        }
        Some(wide @ ('\u{2028}' | '\u{2029}')) => wide,
        _ => '\n',
    }
}

fn is_break(char: char) -> bool {
    matches!(char, '\n' | '\r') || BREAKS.contains(&char)
}

fn is_blank(char: char) -> bool {
    matches!(char, ' ' | '\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_breaks_are_breaks() {
        let cases = [
            ("'a\u{2028}    b'", Some("a\u{2028}b")),
            ("'a \u{2029}\u{2028} b''c'", Some("a\u{2029}\u{2028}b'c")),
            ("'a\u{85}b'", Some("a b")),
            ("'a\n  \u{2028}b'", Some("a\u{2028}b")),
            ("\"a\\\u{2028}  b\\L\\x41\\\\\"", Some("ab\u{2028}A\\")),
            ("\"a\u{2028}\\q\"", None),
        ];
        for (raw, expected) in cases {
            assert_eq!(quoted(raw).as_deref(), expected, "{raw:?}");
        }
        assert_eq!(literal("a\u{2028}      b\nc\u{85}d\n", 4), "a\u{2028}  b\nc\nd\n");
    }
}
