//! What a scalar means, as go-yaml resolves it: a mixture of YAML 1.1 and 1.2.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, FixedOffset, NaiveDate};

use crate::secrets::text::Text;
use crate::secrets::tree::Scalar;

/// The prefix of the tags of YAML itself.
pub(super) const CORE: &str = "tag:yaml.org,2002:";

/// The tag of a scalar, as far as it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    /// None, or `!`.
    None,
    Str,
    Int,
    Float,
    Bool,
    Null,
    Timestamp,
    Binary,
    /// One that go-yaml does not know: the text stays a text.
    Other,
}

impl Tag {
    /// The tag that is `prefix` and `suffix` together.
    pub(super) fn of(prefix: &str, suffix: &str) -> Self {
        if prefix.len() + suffix.len() == 1 {
            return Self::None;
        }
        let whole = format!("{prefix}{suffix}");
        match whole.strip_prefix(CORE).or_else(|| whole.strip_prefix("!!")) {
            Some("str") => Self::Str,
            Some("int") => Self::Int,
            Some("float") => Self::Float,
            Some("bool") => Self::Bool,
            Some("null") => Self::Null,
            Some("timestamp") => Self::Timestamp,
            Some("binary") => Self::Binary,
            _ => Self::Other,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::None | Self::Other => "",
            Self::Str => "!!str",
            Self::Int => "!!int",
            Self::Float => "!!float",
            Self::Bool => "!!bool",
            Self::Null => "!!null",
            Self::Timestamp => "!!timestamp",
            Self::Binary => "!!binary",
        }
    }
}

/// The value of a scalar that is written as `text`, plain or quoted, under a tag.
///
/// # Errors
/// When the tag does not fit the text. (SOPS takes such a value for null.)
pub(super) fn resolve(text: Cow<'_, str>, plain: bool, tag: Tag) -> Result<Scalar, String> {
    let unfit = || format!("what is tagged {} is not one", tag.name());
    match tag {
        Tag::None if plain => Ok(implicit(&text, true).unwrap_or_else(|| owned(text))),
        Tag::None | Tag::Str | Tag::Other => Ok(owned(text)),
        Tag::Binary => {
            let digits: Vec<u8> = text.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r')).collect();
            STANDARD.decode(digits).map(|bytes| Scalar::Text(Text::from(bytes))).map_err(|_| unfit())
        }
        Tag::Int | Tag::Float | Tag::Bool | Tag::Null | Tag::Timestamp => {
            match (implicit(&text, tag == Tag::Timestamp), tag) {
                (Some(scalar @ (Scalar::Int(_) | Scalar::Uint(_))), Tag::Int)
                | (Some(scalar @ Scalar::Float(_)), Tag::Float)
                | (Some(scalar @ Scalar::Bool(_)), Tag::Bool)
                | (Some(scalar @ Scalar::Null), Tag::Null)
                | (Some(scalar @ Scalar::Time(_)), Tag::Timestamp) => Ok(scalar),
                #[expect(clippy::cast_precision_loss, reason = "that is what a float tag asks for")]
                (Some(Scalar::Int(int)), Tag::Float) => Ok(Scalar::Float(int as f64)),
                _ => Err(unfit()),
            }
        }
    }
}

fn owned(text: Cow<'_, str>) -> Scalar {
    Scalar::Text(match text {
        Cow::Borrowed(text) => Text::from(text),
        Cow::Owned(text) => Text::from(text),
    })
}

/// Whether a plain scalar of this text would be read as that very text.
pub(super) fn is_text(text: &str) -> bool {
    implicit(text, true).is_none()
}

/// What a plain scalar means when it is no text.
fn implicit(text: &str, times: bool) -> Option<Scalar> {
    match text.as_bytes().first() {
        None => Some(Scalar::Null),
        Some(b't' | b'T' | b'f' | b'F' | b'n' | b'N' | b'~') => match text {
            "true" | "True" | "TRUE" => Some(Scalar::Bool(true)),
            "false" | "False" | "FALSE" => Some(Scalar::Bool(false)),
            "null" | "Null" | "NULL" | "~" => Some(Scalar::Null),
            _ => None,
        },
        Some(b'.') => match text {
            ".inf" | ".Inf" | ".INF" => Some(Scalar::Float(f64::INFINITY)),
            ".nan" | ".NaN" | ".NAN" => Some(Scalar::Float(f64::NAN)),
            _ => decimal(text).map(Scalar::Float),
        },
        Some(b'0'..=b'9' | b'+' | b'-') => match text {
            "+.inf" | "+.Inf" | "+.INF" => Some(Scalar::Float(f64::INFINITY)),
            "-.inf" | "-.Inf" | "-.INF" => Some(Scalar::Float(f64::NEG_INFINITY)),
            _ => {
                if times && let Some(time) = timestamp(text) {
                    return Some(Scalar::Time(time));
                }
                number(text)
            }
        },
        Some(_) => None,
    }
}

fn number(text: &str) -> Option<Scalar> {
    let plain: Cow<'_, str> = if text.contains('_') { Cow::Owned(text.replace('_', "")) } else { Cow::Borrowed(text) };
    let (sign, digits) = match plain.as_bytes().first()? {
        b'-' => (-1, &plain[1..]),
        b'+' => (1, &plain[1..]),
        _ => (1, plain.as_ref()),
    };
    if let Some(magnitude) = integer(digits) {
        let signed = i128::from(magnitude) * sign;
        if let Ok(int) = i64::try_from(signed) {
            return Some(Scalar::Int(int));
        }
        // An explicit plus is none of an unsigned integer's.
        if digits.len() == plain.len() {
            return Some(Scalar::Uint(magnitude));
        }
    }
    decimal(&plain).map(Scalar::Float)
}

/// The magnitude of an integer with a base prefix, when it fits.
fn integer(digits: &str) -> Option<u64> {
    let (radix, rest) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    // `from_str_radix` would take a sign of its own.
    if !rest.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    u64::from_str_radix(rest, radix).ok()
}

/// A decimal number, `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, when it is finite.
fn decimal(text: &str) -> Option<f64> {
    let body = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match body.find(['e', 'E']) {
        Some(at) => (&body[..at], Some(&body[at + 1..])),
        None => (body, None),
    };
    let all_digits = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if mantissa.is_empty() || mantissa == "." || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    if let Some(exponent) = exponent {
        let digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        if digits.is_empty() || !all_digits(digits) {
            return None;
        }
    }
    text.parse().ok().filter(|float: &f64| float.is_finite())
}

/// A date, or a date and a time, as go-yaml reads them.
fn timestamp(text: &str) -> Option<DateTime<FixedOffset>> {
    let bytes = text.as_bytes();
    if bytes.len() < 8 || bytes[4] != b'-' || !bytes[..4].iter().all(u8::is_ascii_digit) {
        return None;
    }
    let year: i32 = text[..4].parse().ok()?;
    let mut rest = &text[5..];
    let month = digits(&mut rest, 1, 2)?;
    rest = rest.strip_prefix('-')?;
    let day = digits(&mut rest, 1, 2)?;
    let date = NaiveDate::from_ymd_opt(year, month, day)?;
    let utc = FixedOffset::east_opt(0)?;
    if rest.is_empty() {
        return date.and_hms_opt(0, 0, 0)?.and_local_timezone(utc).single();
    }
    let zoned = !rest.starts_with(' ');
    rest = rest.strip_prefix(['T', 't', ' '])?;
    let hour = digits(&mut rest, 1, 2)?;
    rest = rest.strip_prefix(':')?;
    let minute = digits(&mut rest, 1, 2)?;
    rest = rest.strip_prefix(':')?;
    let second = digits(&mut rest, 1, 2)?;
    let mut nanos = 0;
    if let Some(fraction) = rest.strip_prefix(['.', ',']) {
        let length = fraction.bytes().take_while(u8::is_ascii_digit).count();
        if length == 0 {
            return None;
        }
        let kept = &fraction[..length.min(9)];
        nanos = kept.parse::<u32>().ok()? * 10_u32.pow(9 - u32::try_from(kept.len()).ok()?);
        rest = &fraction[length..];
    }
    let offset = match rest {
        "" if !zoned => utc,
        "Z" if zoned => utc,
        _ if zoned => zone(rest)?,
        _ => return None,
    };
    date.and_hms_nano_opt(hour, minute, second, nanos)?.and_local_timezone(offset).single()
}

/// `+hh:mm`
fn zone(text: &str) -> Option<FixedOffset> {
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let mut rest = &text[1..];
    let hours = digits(&mut rest, 2, 2)?;
    rest = rest.strip_prefix(':')?;
    let minutes = digits(&mut rest, 2, 2)?;
    if !rest.is_empty() || hours > 24 || minutes > 60 {
        return None;
    }
    FixedOffset::east_opt(sign * i32::try_from(hours * 3600 + minutes * 60).ok()?)
}

/// A number of `least` to `most` digits at the front of `text`.
fn digits(text: &mut &str, least: usize, most: usize) -> Option<u32> {
    let length = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    if length < least {
        return None;
    }
    let (number, rest) = text.split_at(length);
    *text = rest;
    number.parse().ok()
}
