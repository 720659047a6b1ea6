//! The bytes of a leaf: what is encrypted, and what the MAC is made of.

use std::ops::Deref;

use chrono::{DateTime, Datelike, FixedOffset, Timelike};

use super::decimal;
use super::text::Text;
use super::tree::Scalar;

/// The type that stands beside a ciphertext.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text, or bytes.
    Str,
    /// An integer.
    Int,
    /// A floating point number.
    Float,
    /// A boolean.
    Bool,
    /// A point in time.
    Time,
    /// A comment.
    Comment,
}

/// Why a value of the type `bytes` is rejected, on which SOPS crashes.
pub(super) const BYTES: &str = "has the type bytes, which sops never writes";

/// What a ciphertext holds.
#[derive(Debug, PartialEq)]
pub(super) enum Plain {
    /// A value.
    Scalar(Scalar),
    /// A comment.
    Comment(Text),
}

impl Kind {
    /// As it is written.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Str => "str",
            Self::Int => "int",
            Self::Float => "float",
            Self::Bool => "bool",
            Self::Time => "time",
            Self::Comment => "comment",
        }
    }
}

/// The bytes of a leaf; zeroised when they were made for the occasion.
pub(super) enum Bytes<'s> {
    /// Those of a text.
    Borrowed(&'s [u8]),
    /// How another value is spelled.
    Owned(Text),
}

impl Deref for Bytes<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Borrowed(bytes) => bytes,
            Self::Owned(text) => text.expose(),
        }
    }
}

/// Type and bytes of a leaf; `None` for null, which has none, and for an integer beyond `i64`,
/// which SOPS refuses.
pub(super) fn bytes(scalar: &Scalar) -> Option<(Kind, Bytes<'_>)> {
    let (kind, text) = match scalar {
        Scalar::Null | Scalar::Uint(_) => return None,
        Scalar::Text(text) => return Some((Kind::Str, Bytes::Borrowed(text.expose()))),
        Scalar::Bool(true) => (Kind::Bool, "True".to_owned()),
        Scalar::Bool(false) => (Kind::Bool, "False".to_owned()),
        Scalar::Int(number) => (Kind::Int, number.to_string()),
        Scalar::Float(number) => (Kind::Float, float(*number)),
        Scalar::Time(time) => (Kind::Time, rfc3339_nano(time)),
    };
    Some((kind, Bytes::Owned(text.into())))
}

impl Plain {
    /// Reads what was decrypted. A type that SOPS does not know, or crashes on, is an error.
    pub(super) fn read(kind: &str, text: Text) -> Result<Self, &'static str> {
        let scalar = match kind {
            "str" => Scalar::Text(text),
            "comment" => return Ok(Self::Comment(text)),
            "int" => Scalar::Int(utf8(&text)?.parse().map_err(|_| "is not an integer")?),
            "float" => Scalar::Float(number(utf8(&text)?).ok_or("is not a number")?),
            "bool" => match text.expose() {
                b"1" | b"t" | b"T" | b"TRUE" | b"true" | b"True" => Scalar::Bool(true),
                b"0" | b"f" | b"F" | b"FALSE" | b"false" | b"False" => Scalar::Bool(false),
                _ => return Err("is not a boolean"),
            },
            "time" => Scalar::Time(time(utf8(&text)?).ok_or("is not a time")?),
            "bytes" => return Err(BYTES),
            _ => return Err("has an unknown type"),
        };
        Ok(Self::Scalar(scalar))
    }
}

/// Whether two leaves are the same to the last bit: type, spelling of zero, offset of a time.
pub(super) fn same(one: &Scalar, other: &Scalar) -> bool {
    match (one, other) {
        (Scalar::Float(one), Scalar::Float(other)) => {
            one.to_bits() == other.to_bits() || (one.is_nan() && other.is_nan())
        }
        (Scalar::Time(one), Scalar::Time(other)) => one == other && one.offset() == other.offset(),
        _ => one == other,
    }
}

fn utf8(text: &Text) -> Result<&str, &'static str> {
    text.expose_str().ok_or("is not UTF-8")
}

/// A number as Go's ParseFloat takes it: one that does not fit is an error.
fn number(text: &str) -> Option<f64> {
    let number = text.parse::<f64>().ok()?;
    let spelled = text.trim_start_matches(['+', '-']).starts_with(['i', 'I']);
    (number.is_finite() || number.is_nan() || spelled).then_some(number)
}

/// Shortest digits that read back to the same number, never with an exponent, as Go's 'f'.
fn float(number: f64) -> String {
    if number.is_nan() {
        "NaN".to_owned()
    } else if number.is_infinite() {
        if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned()
    } else {
        decimal::plain(number)
    }
}

/// A point in time in RFC 3339 as strictly as Go takes it: capital letters, no blank.
pub(super) fn time(text: &str) -> Option<DateTime<FixedOffset>> {
    let strict = text.as_bytes().get(10) == Some(&b'T') && !text.contains('z');
    DateTime::parse_from_rfc3339(text).ok().filter(|_| strict)
}

/// RFC 3339 with as many digits of the second as it needs, as Go's RFC3339Nano.
pub(super) fn rfc3339_nano(time: &DateTime<FixedOffset>) -> String {
    let mut text = format!("{:04}{}", time.year(), time.format("-%m-%dT%H:%M:%S"));
    // chrono counts a leap second as nanoseconds beyond a second.
    let nanos = time.nanosecond() % 1_000_000_000;
    if nanos > 0 {
        let digits = format!(".{nanos:09}");
        text.push_str(digits.trim_end_matches('0'));
    }
    text.push_str(&offset(time));
    text
}

/// RFC 3339 in whole seconds, as the MAC is bound to it.
pub(super) fn rfc3339_seconds(time: &DateTime<FixedOffset>) -> String {
    format!("{:04}{}{}", time.year(), time.format("-%m-%dT%H:%M:%S"), offset(time))
}

fn offset(time: &DateTime<FixedOffset>) -> String {
    if time.offset().local_minus_utc() == 0 { "Z".to_owned() } else { time.format("%:z").to_string() }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Plain, bytes, rfc3339_seconds, same};
    use crate::secrets::tree::Scalar;

    fn time(text: &str) -> Scalar {
        Scalar::Time(text.parse().unwrap())
    }

    #[test]
    fn leaves_have_the_bytes_that_sops_gives_them() {
        for (scalar, kind, expected) in [
            (Scalar::Text("a\n".into()), Kind::Str, "a\n"),
            (Scalar::Int(-42), Kind::Int, "-42"),
            (Scalar::Bool(true), Kind::Bool, "True"),
            (Scalar::Bool(false), Kind::Bool, "False"),
            (Scalar::Float(1.0), Kind::Float, "1"),
            (Scalar::Float(0.1), Kind::Float, "0.1"),
            (Scalar::Float(-0.0), Kind::Float, "-0"),
            (Scalar::Float(1e21), Kind::Float, "1000000000000000000000"),
            (Scalar::Float(1.5e-7), Kind::Float, "0.00000015"),
            (Scalar::Float(5e-324), Kind::Float, &format!("0.{}5", "0".repeat(323))),
            (Scalar::Float(1_844_674_407_370_955_200_000.0), Kind::Float, "1844674407370955200000"),
            (Scalar::Float(f64::INFINITY), Kind::Float, "+Inf"),
            (Scalar::Float(f64::NEG_INFINITY), Kind::Float, "-Inf"),
            (Scalar::Float(f64::NAN), Kind::Float, "NaN"),
            (time("2024-02-29T00:00:00Z"), Kind::Time, "2024-02-29T00:00:00Z"),
            (time("2001-12-14T21:59:43.10-05:00"), Kind::Time, "2001-12-14T21:59:43.1-05:00"),
            (time("2001-12-14T21:59:43.000000001+00:00"), Kind::Time, "2001-12-14T21:59:43.000000001Z"),
            (time("0001-01-01T00:00:00Z"), Kind::Time, "0001-01-01T00:00:00Z"),
        ] {
            let (actual, text) = bytes(&scalar).unwrap();
            assert_eq!((actual, std::str::from_utf8(&text).unwrap()), (kind, expected));
            let Ok(Plain::Scalar(again)) = Plain::read(kind.name(), text.to_vec().into()) else { panic!() };
            assert!(same(&again, &scalar), "{expected}");
        }
        assert!(bytes(&Scalar::Null).is_none());
        assert!(bytes(&Scalar::Uint(u64::MAX)).is_none());
    }

    #[test]
    fn texts_are_read_as_go_reads_them() {
        for (kind, text, expected) in [
            ("int", "+5", Some(Scalar::Int(5))),
            ("int", "5.0", None),
            ("int", "1_000", None),
            ("int", "9223372036854775808", None),
            ("float", "1e3", Some(Scalar::Float(1000.0))),
            ("float", "-inf", Some(Scalar::Float(f64::NEG_INFINITY))),
            ("float", "1e400", None),
            ("float", "x", None),
            ("bool", "t", Some(Scalar::Bool(true))),
            ("bool", "FALSE", Some(Scalar::Bool(false))),
            ("bool", "yes", None),
            ("time", "2024-02-29", None),
            ("bytes", "x", None),
            ("Str", "x", None),
        ] {
            let read = Plain::read(kind, text.into()).ok();
            assert_eq!(read, expected.map(Plain::Scalar), "{kind} {text}");
        }
        assert_eq!(Plain::read("comment", " x".into()), Ok(Plain::Comment(" x".into())));
    }

    #[test]
    fn sameness_is_to_the_last_bit() {
        assert!(!same(&Scalar::Float(0.0), &Scalar::Float(-0.0)));
        assert!(!same(&Scalar::Float(1.0), &Scalar::Int(1)));
        assert!(!same(&time("2024-01-01T12:00:00Z"), &time("2024-01-01T13:00:00+01:00")));
        assert!(same(&Scalar::Float(f64::NAN), &Scalar::Float(f64::NAN)));
    }

    #[test]
    fn the_time_that_the_mac_is_bound_to_has_whole_seconds() {
        for (text, expected) in [
            ("2026-11-20T22:10:33Z", "2026-11-20T22:10:33Z"),
            ("2026-11-20T22:10:33.999+00:00", "2026-11-20T22:10:33Z"),
            ("2026-11-20T22:10:33+02:00", "2026-11-20T22:10:33+02:00"),
        ] {
            assert_eq!(rfc3339_seconds(&text.parse().unwrap()), expected);
        }
    }
}
