//! The indentation that a file has.

/// What one level is indented by: `None` when the document stands on one line, else tabs or
/// spaces, which is nothing at all when the lines are not indented.
pub(in crate::secrets) fn indent_of(bytes: &[u8]) -> Option<&str> {
    // The first thing after the bracket of the document stands one level deep.
    let inside = &bytes[bytes.iter().position(|&byte| byte == b'{')? + 1..];
    let key = inside.iter().position(|byte| !byte.is_ascii_whitespace())?;
    let start = inside[..key].iter().rposition(|&byte| byte == b'\n')? + 1;
    std::str::from_utf8(&inside[start..key]).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_key_shows_the_indentation() {
        for (text, expected) in [
            ("{\n\t\"a\": 1\n}\n", Some("\t")),
            ("{\n  \"a\": 1\n}\n", Some("  ")),
            ("{\r\n\r\n    \"a\": 1\n}\n", Some("    ")),
            ("{\n\"a\": 1\n}\n", Some("")),
            (" {\"a\":\n  1}", None),
            ("{}", None),
            ("", None),
        ] {
            assert_eq!(indent_of(text.as_bytes()), expected, "{text:?}");
        }
    }
}
