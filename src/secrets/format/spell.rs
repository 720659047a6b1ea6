//! How Go's formatting spells values that are not text.

use std::borrow::Cow;

use crate::secrets::decimal;
use crate::secrets::leaf::rfc3339_seconds;
use crate::secrets::tree::Scalar;

/// A value in a format that knows nothing but text (dotenv, ini): an integer stays apart from a
/// float, null is `<nil>`, times lose their fraction.
pub(super) fn flat(scalar: &Scalar) -> Cow<'_, [u8]> {
    let text = match scalar {
        Scalar::Text(text) => return Cow::Borrowed(text.expose()),
        Scalar::Null => "<nil>".to_owned(),
        Scalar::Bool(value) => value.to_string(),
        Scalar::Int(value) => value.to_string(),
        Scalar::Uint(value) => value.to_string(),
        Scalar::Float(value) => float(*value),
        Scalar::Time(time) => rfc3339_seconds(time),
    };
    Cow::Owned(text.into_bytes())
}

/// `strconv`'s `G` with the fewest digits, and `.0` where an integer could be read.
fn float(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let scientific = decimal::scientific(value);
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if !(-4..6).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}E{sign}{:02}", exponent.unsigned_abs());
    }
    let plain = decimal::plain(value);
    if plain.contains('.') { plain } else { plain + ".0" }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    #[test]
    fn floats_as_go_spells_them() {
        for (value, expected) in [
            (20.0, "20.0"),
            (-0.0, "-0.0"),
            (123456.5, "123456.5"),
            (999999.0, "999999.0"),
            (1e6, "1E+06"),
            (-1234567.25, "-1.23456725E+06"),
            (0.0001, "0.0001"),
            (0.00001, "1E-05"),
            (1e21, "1E+21"),
            (5e-324, "5E-324"),
            (f64::MAX, "1.7976931348623157E+308"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(float(value), expected);
        }
    }

    #[test]
    fn times_keep_their_zone_and_lose_their_fraction() {
        for (text, expected) in [
            ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"),
            ("2001-12-14T21:59:43.100-05:00", "2001-12-14T21:59:43-05:00"),
            ("2001-12-14T21:59:43.000000001+00:00", "2001-12-14T21:59:43Z"),
        ] {
            let time = Scalar::Time(DateTime::parse_from_rfc3339(text).unwrap());
            assert_eq!(flat(&time), expected.as_bytes());
        }
    }
}
