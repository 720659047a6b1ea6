//! Trimming of bytes that are mostly UTF-8.

use std::ops::Range;

/// `range` of `bytes` without white space at both ends.
pub(super) fn trim(bytes: &[u8], range: Range<usize>) -> Range<usize> {
    let range = trim_start(bytes, range);
    let mut end = range.end;
    while let Some(size) = last_space(&bytes[range.start..end]) {
        end -= size;
    }
    range.start..end
}

/// `range` of `bytes` without white space at its start.
pub(super) fn trim_start(bytes: &[u8], range: Range<usize>) -> Range<usize> {
    let mut start = range.start;
    while let Some(size) = first_space(&bytes[start..range.end]) {
        start += size;
    }
    start..range.end
}

/// How long the white space character is that `bytes` begin with.
fn first_space(bytes: &[u8]) -> Option<usize> {
    let head = &bytes[..bytes.len().min(4)];
    let first = head.utf8_chunks().next()?.valid().chars().next()?;
    first.is_whitespace().then(|| first.len_utf8())
}

/// How long the white space character is that `bytes` end with. None is longer than three bytes.
fn last_space(bytes: &[u8]) -> Option<usize> {
    (1..=bytes.len().min(3)).find(|&size| {
        std::str::from_utf8(&bytes[bytes.len() - size..])
            .is_ok_and(|tail| tail.chars().count() == 1 && tail.chars().all(char::is_whitespace))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_of_unicode_is_trimmed_and_nothing_else() {
        for (text, expected) in [
            (&b" \t\r\n\x0b\x0ca b \n"[..], &b"a b"[..]),
            ("\u{a0}\u{2003}a\u{3000}\u{85}".as_bytes(), b"a"),
            (b"\xa0a\xe3\x80", b"\xa0a\xe3\x80"),
            (b"\x85", b"\x85"),
            (b" ", b""),
            (b"", b""),
        ] {
            assert_eq!(&text[trim(text, 0..text.len())], expected, "{text:?}");
        }
    }
}
