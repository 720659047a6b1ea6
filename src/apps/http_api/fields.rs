//! How fields of bodies are read: functions for `#[serde(deserialize_with = …)]`.

use chrono::{DateTime, NaiveDateTime, SubsecRound, Utc};
use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// Longest text in an indexed column, in characters: Postgres refuses index rows over 2.7 kB.
const KEY_MAX: usize = 255;

/// The `pattern` of a text that both databases can hold.
pub const NO_NUL: &str = r"^[^\u0000]*$";

/// Text that names a row: neither empty nor longer than an index takes.
///
/// # Errors
/// When the value is none of those.
pub fn key<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = text(deserializer)?;
    match text.chars().count() {
        0 => Err(D::Error::custom("ensure this value has at least 1 character")),
        1..=KEY_MAX => Ok(text),
        _ => Err(D::Error::custom(format!("ensure this value has at most {KEY_MAX} characters"))),
    }
}

/// Text that both databases can hold.
///
/// # Errors
/// When the value is none of those.
pub fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    clean(String::deserialize(deserializer)?)
}

/// As [`text`], or null.
///
/// # Errors
/// When the value is none of those.
pub fn nullable_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Option::<String>::deserialize(deserializer)?.map(clean).transpose()
}

/// A field that is there may not be null: absent is `None`, present is `Some`.
///
/// # Errors
/// When the value is none of those.
pub fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// As [`present`], for [`text`].
///
/// # Errors
/// When the value is none of those.
pub fn present_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    text(deserializer).map(Some)
}

/// As [`present`], for [`key`].
///
/// # Errors
/// When the value is none of those.
pub fn present_key<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    key(deserializer).map(Some)
}

/// As [`present`], for [`time`].
///
/// # Errors
/// When the value is none of those.
pub fn present_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    time(deserializer).map(Some)
}

/// A whole number, also where it is written with a fraction of zero: JSON Schema makes no difference.
///
/// # Errors
/// When the value is none of those.
pub fn integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    // Beyond this a double does not tell neighbours apart.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let number = serde_json::Number::deserialize(deserializer)?;
    #[allow(clippy::cast_possible_truncation, reason = "a whole number within the bounds")]
    let whole = |float: f64| (float.fract() == 0.0 && float.abs() <= EXACT).then_some(float as i64);
    let found = number.as_i64().or_else(|| number.as_f64().filter(|_| !number.is_u64()).and_then(whole));
    found.ok_or_else(|| D::Error::custom("value is not a valid integer"))
}

/// As [`present`], for [`integer`].
///
/// # Errors
/// When the value is none of those.
pub fn present_integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    integer(deserializer).map(Some)
}

/// Absent is `None`, null is `Some(None)`: the two must be told apart to empty a column.
///
/// # Errors
/// When the value is none of those.
pub fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// As [`given`], for [`text`].
///
/// # Errors
/// When the value is none of those.
pub fn given_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    nullable_text(deserializer).map(Some)
}

/// As [`given`], for [`time`].
///
/// # Errors
/// When the value is none of those.
pub fn given_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<DateTime<Utc>>>, D::Error> {
    nullable_time(deserializer).map(Some)
}

/// ISO 8601, with a zone or, as the original service wrote it, without one: then it is UTC.
/// Kept to microseconds, as Postgres does.
///
/// # Errors
/// When the value is none of those.
pub fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
    read_time(&String::deserialize(deserializer)?)
}

/// As [`time`], or null.
///
/// # Errors
/// When the value is none of those.
pub fn nullable_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    Option::<String>::deserialize(deserializer)?.map(|text| read_time(&text)).transpose()
}

fn read_time<E: Error>(text: &str) -> Result<DateTime<Utc>, E> {
    let zoned = DateTime::parse_from_rfc3339(text).map(|time| time.to_utc());
    let naive = || NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").map(|time| time.and_utc());
    zoned.or_else(|_| naive()).map(|time| time.trunc_subsecs(6)).map_err(|_| E::custom("invalid datetime format"))
}

fn clean<E: Error>(text: String) -> Result<String, E> {
    // Postgres cannot store it, and nothing that people write holds it.
    if text.contains('\0') { Err(E::custom("NUL characters are not allowed")) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_whole() {
        for (json, expected) in [
            ("7", Some(7)),
            ("-7.0", Some(-7)),
            ("3e2", Some(300)),
            ("9223372036854775807", Some(i64::MAX)),
            ("9223372036854775808", None),
            ("7.5", None),
            ("1e300", None),
            ("\"7\"", None),
            ("null", None),
        ] {
            assert_eq!(integer(&mut serde_json::Deserializer::from_str(json)).ok(), expected, "{json}");
        }
    }

    #[test]
    fn times_are_utc_to_the_microsecond() {
        for (text, expected) in [
            ("2022-09-19T16:31:43", "2022-09-19T16:31:43Z"),
            ("2022-09-19T16:31:43Z", "2022-09-19T16:31:43Z"),
            ("2022-09-19T18:31:43+02:00", "2022-09-19T16:31:43Z"),
            ("2022-09-19T16:31:43.1234567", "2022-09-19T16:31:43.123456Z"),
        ] {
            let time = read_time::<serde_json::Error>(text).expect(text);
            assert_eq!(serde_json::to_value(time).expect("json"), expected);
        }
        for text in ["", "yesterday", "2022-09-19", "1663605103"] {
            assert!(read_time::<serde_json::Error>(text).is_err(), "{text}");
        }
    }
}
