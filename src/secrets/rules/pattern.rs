//! Go's regular expressions in terms of the `regex` crate.
//!
//! Both come from RE2, but differ in details: in Go, `\d`, `\w`, `\s` and `\b` are of ASCII only,
//! `\Q…\E` quotes, punctuation may be escaped at will, a brace that is no repetition stands for
//! itself, and so do brackets and doubled operators inside of a class.

use std::fmt;
use std::iter::Peekable;
use std::str::Chars;

use regex::Regex;

/// A regular expression in Go's syntax, searched for anywhere in a text.
#[derive(Clone)]
pub struct Pattern {
    source: String,
    regex: Regex,
}

impl Pattern {
    /// Compiles `source`; `None` for what is not a regular expression.
    pub fn new(source: &str) -> Option<Self> {
        Some(Self { source: source.to_owned(), regex: Regex::new(&translated(source)).ok()? })
    }

    /// As it was given.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether it matches somewhere in `text`.
    pub fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({:?})", self.source)
    }
}

fn translated(source: &str) -> String {
    let mut out = String::with_capacity(source.len() + 16);
    let mut chars = source.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => escape(&mut chars, false, &mut out),
            '[' => class(&mut chars, &mut out),
            '{' if !is_repetition(chars.clone()) => out.push_str("\\{"),
            '}' if !closes_repetition(&out) => out.push_str("\\}"),
            other => out.push(other),
        }
    }
    out
}

/// What follows a backslash.
fn escape(chars: &mut Peekable<Chars<'_>>, in_class: bool, out: &mut String) {
    let Some(c) = chars.next() else { return out.push('\\') };
    let class = match c {
        'd' | 'D' => Some("0-9"),
        'w' | 'W' => Some("0-9A-Za-z_"),
        's' | 'S' => Some("\\t\\n\\f\\r "),
        _ => None,
    };
    match (c, class) {
        (_, Some(class)) if c.is_ascii_uppercase() => out.extend(["[^", class, "]"]),
        (_, Some(class)) => out.extend(["[", class, "]"]),
        ('b', _) if !in_class => out.push_str("(?-u:\\b)"),
        ('Q', _) => {
            while let Some(c) = chars.next() {
                if c == '\\' && chars.next_if_eq(&'E').is_some() {
                    break;
                }
                literal(c, out);
            }
        }
        (c, _) if c.is_ascii_punctuation() => literal(c, out),
        // `\B`, too: the crate has it for all letters only.
        (c, _) => {
            out.push('\\');
            out.push(c);
            // `\x{e9}`, `\p{Greek}`: this brace is no repetition.
            if matches!(c, 'x' | 'p' | 'P') && chars.peek() == Some(&'{') {
                for c in chars.by_ref() {
                    out.push(c);
                    if c == '}' {
                        break;
                    }
                }
            }
        }
    }
}

/// A bracketed class, from behind its opening bracket.
fn class(chars: &mut Peekable<Chars<'_>>, out: &mut String) {
    out.push('[');
    if chars.next_if_eq(&'^').is_some() {
        out.push('^');
    }
    // A bracket that comes first does not close.
    if chars.next_if_eq(&']').is_some() {
        out.push_str("\\]");
    }
    while let Some(c) = chars.next() {
        match c {
            ']' => return out.push(']'),
            '\\' => escape(chars, true, out),
            '[' if chars.peek() == Some(&':') => {
                // A named class, `[:alpha:]`.
                out.push('[');
                while let Some(c) = chars.next() {
                    out.push(c);
                    if c == ':' && chars.peek() == Some(&']') {
                        out.extend(chars.next());
                        break;
                    }
                }
            }
            '[' | '&' | '~' => literal(c, out),
            other => out.push(other),
        }
    }
}

fn literal(c: char, out: &mut String) {
    if c.is_ascii_punctuation() {
        out.push('\\');
        // These two are assertions when they are escaped.
        if matches!(c, '<' | '>') {
            out.pop();
        }
    }
    out.push(c);
}

/// Whether what follows an opening brace makes it a repetition: `{2}`, `{2,}`, `{2,3}`.
fn is_repetition(chars: Peekable<Chars<'_>>) -> bool {
    let inside: String = chars.take_while(|c| *c != '}' && (c.is_ascii_digit() || *c == ',')).collect();
    let rest = inside.split_once(',').map_or("", |(_, rest)| rest);
    let first = inside.split(',').next().unwrap_or_default();
    !first.is_empty() && !rest.contains(',')
}

/// Whether a closing brace ends what was opened, or stands for itself.
fn closes_repetition(out: &str) -> bool {
    let open = out.rfind('{').filter(|at| !out[..*at].ends_with('\\'));
    open.is_some_and(|at| !out[at..].contains('}'))
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn patterns_match_as_in_go() {
        for (pattern, text, expected) in [
            ("^(data|stringData)$", "data", true),
            ("^(data|stringData)$", "metadata", false),
            ("pass", "my_password", true),
            ("(?i)PASS", "password", true),
            ("(?i)ÄPFEL", "äpfel", true),
            (r"^\d+$", "12", true),
            (r"^\d+$", "١٢", false),
            (r"^\w+$", "añb", false),
            (r"^[\w-]+$", "a-b", true),
            (r"^[^\W]+$", "a_b", true),
            (r"^\S+$", "añb", true),
            (r"\bkey\b", "a key b", true),
            (r"\bkey\b", "ékey", true),
            (r"\bkey\b", "monkey", false),
            (r"a\Bb", "ab", true),
            (r"a\B", "a", false),
            (r"^\Qa.b[\E$", "a.b[", true),
            (r"^\Qa.b\E$", "axb", false),
            (r"^\<x\>$", "<x>", true),
            (r"^\-\_$", "-_", true),
            (r"^[[]$", "[", true),
            (r"^[]a]+$", "]a", true),
            (r"^[a&&b]+$", "&", true),
            (r"^[a~~b-]+$", "~-", true),
            ("^[[:upper:]_]+$", "A_B", true),
            ("^a{2}$", "aa", true),
            ("^a{2,}$", "aaa", true),
            ("^a{,2}$", "a{,2}", true),
            ("^{}$", "{}", true),
            (r"^\x{e9}$", "é", true),
            (r"^\p{Greek}+$", "αβ", true),
            (r"^\pL$", "é", true),
            ("^.$", "é", true),
            ("", "anything", true),
        ] {
            let compiled = Pattern::new(pattern).unwrap_or_else(|| panic!("{pattern} does not compile"));
            assert_eq!(compiled.is_match(text), expected, "{pattern} on {text}");
            assert_eq!(compiled.source(), pattern);
        }
    }

    #[test]
    fn what_go_refuses_is_refused() {
        for pattern in ["(", "[a", r"a\", "(?=a)", r"(a)\1", "*"] {
            assert!(Pattern::new(pattern).is_none(), "{pattern}");
        }
    }
}
