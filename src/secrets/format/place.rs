//! Where in a text something stands, for messages.

use super::Format;
use crate::secrets::error::Error;

/// That `bytes` are not a document of `format`: `what` is wrong at byte `at`.
pub(super) fn syntax(format: Format, bytes: &[u8], at: usize, what: impl Into<String>) -> Error {
    let (line, column) = line_and_column(bytes, at);
    Error::Syntax { format, line, column, what: what.into() }
}

/// The line and the column of byte `at`, both from 1; the column counts characters.
fn line_and_column(bytes: &[u8], at: usize) -> (usize, usize) {
    let before = bytes.get(..at).unwrap_or(bytes);
    let start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
    let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
    (line, String::from_utf8_lossy(&before[start..]).chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one_and_in_characters() {
        for (text, at, expected) in [
            ("", 0, (1, 1)),
            ("abc", 2, (1, 3)),
            ("a\nbc", 2, (2, 1)),
            ("a\nбв", 6, (2, 3)),
            ("a\n", 2, (2, 1)),
            ("ab", 9, (1, 3)),
        ] {
            assert_eq!(line_and_column(text.as_bytes(), at), expected, "{text:?} at {at}");
        }
    }
}
