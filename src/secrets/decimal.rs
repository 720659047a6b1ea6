//! The shortest decimal of a float, as Go's `strconv` picks it.
//!
//! Of the decimals with the fewest digits that read back to the same float, both Go and Rust take
//! the closest one. When two are equally close, Go takes the one with an even last digit, Rust
//! the larger one: 2157324159691336.25 is `…36.2` here and `…36.3` there. A MAC is made of these
//! digits, so it has to be Go's.

/// Without an exponent. `value` is finite.
pub(super) fn plain(value: f64) -> String {
    match even(value, &format!("{value:e}")) {
        Some(scientific) => expand(&scientific),
        None => value.to_string(),
    }
}

/// With one digit before the point, an `e`, and an exponent without a plus sign or leading
/// zeros. `value` is finite.
pub(super) fn scientific(value: f64) -> String {
    let shortest = format!("{value:e}");
    even(value, &shortest).unwrap_or(shortest)
}

/// The decimal that is as short and as close as `shortest`, where there is one and it is the even one.
fn even(value: f64, shortest: &str) -> Option<String> {
    let (mantissa, exponent) = shortest.split_once('e')?;
    let digits = mantissa.bytes().filter(u8::is_ascii_digit).count();
    // Exactly between two decimals: one more digit, a five, is the whole of it. Shorter decimals
    // are never that close to each other.
    if digits < 15 || !format!("{value:.digits$e}").split('e').next()?.ends_with('5') {
        return None;
    }
    // No float has more digits than that.
    let exact = format!("{value:.767e}");
    let tie = exact.split('e').next()?.trim_end_matches('0').strip_suffix('5')?;
    if tie.bytes().filter(u8::is_ascii_digit).count() != digits {
        return None;
    }
    // The last digit is no nine: the next decimal would have been a shorter one.
    let last = tie.bytes().last()?;
    let even = format!("{}{}e{exponent}", &tie[..tie.len() - 1], char::from(last + (last & 1)));
    (even != shortest && even.parse() == Ok(value)).then_some(even)
}

/// A decimal with an exponent, without it.
fn expand(scientific: &str) -> String {
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let digits = mantissa.replace('.', "");
    let point = exponent.parse::<isize>().unwrap_or_default() + 1;
    match usize::try_from(point) {
        Err(_) | Ok(0) => format!("{sign}0.{}{digits}", "0".repeat(point.unsigned_abs())),
        Ok(point) if point < digits.len() => format!("{sign}{}.{}", &digits[..point], &digits[point..]),
        Ok(point) => format!("{sign}{digits}{}", "0".repeat(point - digits.len())),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::*;

    #[test]
    fn of_two_decimals_the_even_one_is_taken() {
        for (value, expected) in [
            (-8629296638765345.0 / 4.0, "-2157324159691336.2"),
            (8629296638765347.0 / 4.0, "2157324159691336.8"),
            (4503599627370497.0 / 4.0, "1125899906842624.2"),
            (4503599627370503.0 / 4.0, "1125899906842625.8"),
            (2_f64.powi(-44), "0.00000000000005684341886080802"),
            (0.1, "0.1"),
            (-0.0, "-0"),
            (1e21, "1000000000000000000000"),
            (123456.5, "123456.5"),
        ] {
            assert_eq!(plain(value), expected);
        }
        assert_eq!(scientific(-8629296638765345.0 / 4.0), "-2.1573241596913362e15");
        assert_eq!(scientific(1.5e-7), "1.5e-7");
    }

    #[test]
    fn an_exponent_is_expanded() {
        for (scientific, expected) in
            [("-1.25e-1", "-0.125"), ("1.25e-3", "0.00125"), ("1.25e0", "1.25"), ("1.25e2", "125"), ("1.25e4", "12500")]
        {
            assert_eq!(expand(scientific), expected);
        }
    }

    proptest! {
        #[test]
        fn it_reads_back_and_is_as_short_as_can_be(value in any::<f64>(), quarters in (1_u64 << 52)..(1 << 53)) {
            #[expect(clippy::cast_precision_loss, reason = "it has 53 bits")]
            let tie = quarters as f64 / 4.0;
            for value in [value, tie].into_iter().filter(|value| value.is_finite()) {
                prop_assert_eq!(plain(value).parse::<f64>().unwrap().to_bits(), value.to_bits());
                prop_assert_eq!(scientific(value).parse::<f64>().unwrap().to_bits(), value.to_bits());
                let length = format!("{value:e}").len();
                prop_assert_eq!(scientific(value).len(), length);
            }
        }
    }
}
