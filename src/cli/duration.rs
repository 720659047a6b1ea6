//! Times on the command line: `20s`, `500ms`, `2m`, `1h`, or plain seconds.

use std::time::Duration;

/// Reads a time; `None` when it is none.
pub fn parse(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    match unit {
        "ms" => Some(Duration::from_millis(number)),
        "" | "s" => Some(Duration::from_secs(number)),
        "m" => number.checked_mul(60).map(Duration::from_secs),
        "h" => number.checked_mul(3600).map(Duration::from_secs),
        _ => None,
    }
}

/// As [`parse`], for clap.
///
/// # Errors
/// When it is none.
pub fn argument(text: &str) -> Result<Duration, String> {
    parse(text).ok_or_else(|| "not a time such as 20s, 500ms or 2m".to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Duration, parse};

    #[test]
    fn units() {
        for (text, expected) in [
            ("20", Some(Duration::from_secs(20))),
            ("20s", Some(Duration::from_secs(20))),
            ("500ms", Some(Duration::from_millis(500))),
            ("2m", Some(Duration::from_secs(120))),
            ("1h", Some(Duration::from_secs(3600))),
            ("0", Some(Duration::ZERO)),
            ("", None),
            ("s", None),
            ("-1s", None),
            ("1.5s", None),
            ("1d", None),
            ("99999999999999999999s", None),
            ("18446744073709551615h", None),
        ] {
            assert_eq!(parse(text), expected, "{text:?}");
        }
    }
}
