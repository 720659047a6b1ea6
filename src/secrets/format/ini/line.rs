//! What stands on a line: the name of a key, a value, a comment.
//!
//! The functions work on ranges of the whole text, because a value may go on over several lines.
//! They are also what the writer checks its own spelling with.

use std::ops::Range;

use super::space::{trim, trim_start};

/// A name or a value and where it stands.
#[derive(Debug)]
pub(super) struct Part {
    /// What it says.
    pub(super) text: Vec<u8>,
    /// Where it stands, with its quotes.
    pub(super) range: Range<usize>,
    /// Where the next part begins: for a name what follows the delimiter, for a value the line
    /// after it.
    pub(super) next: usize,
    /// The comment after a value.
    pub(super) comment: Option<Range<usize>>,
    /// What SOPS loses of it.
    pub(super) loss: Option<Loss>,
}

/// Why a part does not say what it seems to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    /// A `#` or `;` that was hardly meant as one begins a comment.
    Comment,
    /// Something between a closing quote and the end of the part.
    Tail,
}

/// What a line lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// The `=` or `:`.
    Delimiter,
    /// The name before it.
    Name,
    /// The quote that ends a name or a value.
    ClosingQuote,
}

/// The line that begins at `start`, with its line break.
pub(super) fn line_at(bytes: &[u8], start: usize) -> Range<usize> {
    let rest = &bytes[start..];
    start..start + rest.iter().position(|&byte| byte == b'\n').map_or(rest.len(), |newline| newline + 1)
}

/// The name of the key in `line`, which begins with it.
pub(super) fn name(bytes: &[u8], line: Range<usize>) -> Result<Part, Missing> {
    let text = &bytes[line.clone()];
    let quote: &[u8] = match text.first() {
        Some(b'"') if text.len() > 6 && text.starts_with(b"\"\"\"") => b"\"\"\"",
        Some(b'"') => b"\"",
        Some(b'`') => b"`",
        _ => b"",
    };
    let delimiter = |text: &[u8]| text.iter().position(|byte| matches!(byte, b'=' | b':')).ok_or(Missing::Delimiter);
    let (inner, range, next) = if quote.is_empty() {
        let end = line.start + delimiter(text)?;
        let inner = trim(bytes, line.start..end);
        (inner.clone(), inner, end + 1)
    } else {
        let start = line.start + quote.len();
        let end = start + find(&bytes[start..line.end], quote).ok_or(Missing::ClosingQuote)?;
        let after = end + quote.len();
        (trim(bytes, start..end), line.start..after, after + delimiter(&bytes[after..line.end])? + 1)
    };
    if inner.is_empty() {
        return Err(Missing::Name);
    }
    let loss = (!trim(bytes, range.end..next - 1).is_empty()).then_some(Loss::Tail);
    Ok(Part { text: bytes[inner].to_vec(), range, next, comment: None, loss })
}

/// The value whose first line is `line`, from after the delimiter.
pub(super) fn value(bytes: &[u8], line: Range<usize>) -> Result<Part, Missing> {
    let start = trim_start(bytes, line.clone());
    let text = &bytes[start.clone()];
    match text.first() {
        None => {
            let at = line.start + usize::from(bytes.get(line.start) == Some(&b' '));
            Ok(Part { text: Vec::new(), range: at..at, next: line.end, comment: None, loss: None })
        }
        Some(b'`') => quoted(bytes, start, b"`"),
        Some(_) if text.len() > 3 && text.starts_with(b"\"\"\"") => quoted(bytes, start, b"\"\"\""),
        Some(_) => Ok(bare(bytes, trim(bytes, start), line.end)),
    }
}

/// A value in quotes that may go on over several lines. The last quote of the line that closes it counts.
fn quoted(bytes: &[u8], first: Range<usize>, quote: &[u8]) -> Result<Part, Missing> {
    let inner = first.start + quote.len();
    let mut line = inner..first.end;
    loop {
        if let Some(at) = rfind(&bytes[line.clone()], quote) {
            let end = line.start + at;
            let range = first.start..end + quote.len();
            let rest = trim(bytes, range.end..line.end);
            let marker = bytes[rest.clone()].iter().position(|byte| matches!(byte, b'#' | b';'));
            // SOPS keeps the comment only after a value of several lines.
            let spans_lines = line.start > inner;
            let comment = marker.filter(|_| spans_lines).map(|at| rest.start + at..rest.end);
            let loss = (!rest.is_empty() && marker != Some(0)).then_some(Loss::Tail);
            return Ok(Part { text: bytes[inner..end].to_vec(), range, next: line.end, comment, loss });
        }
        line = line_at(bytes, line.end);
        if line.is_empty() {
            return Err(Missing::ClosingQuote);
        }
    }
}

/// A value that does not begin with a backquote or three double quotes.
fn bare(bytes: &[u8], value: Range<usize>, next: usize) -> Part {
    let text = &bytes[value.clone()];
    if let Some(head) = text.strip_suffix(b"\\") {
        return continued(bytes, head.to_vec(), value, next);
    }
    let Some(at) = text.iter().position(|byte| matches!(byte, b'#' | b';')) else {
        return Part { text: unquote(text).to_vec(), range: value, next, comment: None, loss: None };
    };
    let marker = value.start + at;
    let range = trim(bytes, value.start..marker);
    let kept = &bytes[range.clone()];
    let is_set_off = match at.checked_sub(1) {
        Some(before) => text[before].is_ascii_whitespace(),
        None => text.get(1).is_none_or(|after| after.is_ascii_whitespace() || matches!(after, b'#' | b';')),
    };
    let cuts_quote = matches!(kept.first(), Some(b'"' | b'\'')) && unquote(kept).len() == kept.len();
    Part {
        text: unquote(kept).to_vec(),
        range,
        next,
        comment: Some(marker..value.end),
        loss: (!is_set_off || cuts_quote).then_some(Loss::Comment),
    }
}

/// A value whose line ends with a backslash: the lines after it belong to it up to one without.
fn continued(bytes: &[u8], mut text: Vec<u8>, mut range: Range<usize>, mut next: usize) -> Part {
    loop {
        let line = line_at(bytes, next);
        next = line.end;
        let line = trim(bytes, line);
        if line.is_empty() {
            break;
        }
        range.end = line.end;
        text.extend(&bytes[line]);
        if text.last() != Some(&b'\\') {
            break;
        }
        text.pop();
    }
    Part { text, range, next, comment: None, loss: None }
}

/// `text` without the quotes around it, if the same quote is not inside it, too.
fn unquote(text: &[u8]) -> &[u8] {
    match text {
        [first @ (b'"' | b'\''), inner @ .., last] if first == last && !inner.contains(first) => inner,
        _ => text,
    }
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

fn rfind(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).rposition(|window| window == what)
}
