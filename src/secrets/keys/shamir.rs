//! Shamir's secret sharing over GF(2^8), byte by byte.
//!
//! A share is as long as the secret and one byte, its x coordinate, which comes last.

use zeroize::Zeroizing;

use crate::secrets::cipher::random;
use crate::secrets::error::Error;

/// A secret or a share of one.
pub(super) type Bytes = Zeroizing<Vec<u8>>;

/// Splits `secret` into `parts` shares, of which `threshold` are needed.
///
/// # Errors
/// [`Error::Refused`] unless 2 ≤ `threshold` ≤ `parts` ≤ 255.
pub(super) fn split(secret: &[u8], parts: usize, threshold: usize) -> Result<Vec<Bytes>, Error> {
    let count =
        u8::try_from(parts).ok().filter(|_| (2..=parts).contains(&threshold)).ok_or_else(|| Error::Refused {
            place: String::new(),
            what: format!("cannot be shared among {parts} key groups with a threshold of {threshold}"),
        })?;
    // One polynomial for each byte: its constant is the byte, the rest is random.
    let mut coefficients = Zeroizing::new(vec![0; secret.len() * (threshold - 1)]);
    random(&mut coefficients)?;
    let share = |x: u8| {
        let mut share = Zeroizing::new(Vec::with_capacity(secret.len() + 1));
        for (byte, coefficients) in secret.iter().zip(coefficients.chunks(threshold - 1)) {
            let above = coefficients.iter().rev().fold(0, |sum, coefficient| multiply(sum, x) ^ coefficient);
            share.push(multiply(above, x) ^ byte);
        }
        share.push(x);
        share
    };
    Ok((1..=count).map(share).collect())
}

/// The secret that `shares` were split from; `None` when they cannot be of one secret. Fewer than
/// needed give a wrong secret.
pub(super) fn combine(shares: &[Bytes]) -> Option<Bytes> {
    let length = shares.first()?.len().checked_sub(1)?;
    let mut xs = Vec::with_capacity(shares.len());
    for share in shares {
        let x = *share.last()?;
        if share.len() != length + 1 || x == 0 || xs.contains(&x) {
            return None;
        }
        xs.push(x);
    }
    let mut secret = Zeroizing::new(vec![0; length]);
    for (share, x) in shares.iter().zip(&xs) {
        // Lagrange's basis polynomial of this share at 0.
        let others = xs.iter().filter(|other| *other != x);
        let weight = others.fold(1, |weight, other| multiply(weight, multiply(*other, inverse(other ^ x))));
        for (byte, y) in secret.iter_mut().zip(share.iter()) {
            *byte ^= multiply(*y, weight);
        }
    }
    Some(secret)
}

/// The product in the field of AES, in time that does not depend on the factors.
fn multiply(mut one: u8, mut other: u8) -> u8 {
    let mut product = 0;
    for _ in 0..8 {
        product ^= one & (other & 1).wrapping_neg();
        one = (one << 1) ^ (0x1b & (one >> 7).wrapping_neg());
        other >>= 1;
    }
    product
}

/// The inverse, as the 254th power; 0 for 0.
fn inverse(number: u8) -> u8 {
    let mut power = number;
    for _ in 0..6 {
        power = multiply(multiply(power, power), number);
    }
    multiply(power, power)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop, prop_assert_eq, proptest};

    use super::{combine, inverse, multiply, split};

    #[test]
    fn the_field_is_that_of_aes() {
        assert_eq!(multiply(0x57, 0x83), 0xc1);
        for number in 1..=255 {
            assert_eq!(multiply(number, inverse(number)), 1, "{number}");
        }
    }

    #[test]
    fn impossible_numbers_are_refused() {
        for (parts, threshold) in [(2, 1), (2, 3), (1, 1), (256, 2), (0, 0)] {
            assert!(split(&[7; 32], parts, threshold).is_err(), "{threshold} of {parts}");
        }
    }

    #[test]
    fn shares_that_do_not_fit_together_are_refused() {
        let shares = split(&[7; 32], 3, 2).unwrap();
        assert!(combine(&[shares[0].clone(), shares[0].clone()]).is_none());
        let mut short = shares[1].clone();
        short.remove(0);
        assert!(combine(&[shares[0].clone(), short]).is_none());
        assert!(combine(&[]).is_none());
    }

    proptest! {
        #[test]
        fn any_threshold_of_the_shares_gives_the_secret(
            secret in prop::collection::vec(any::<u8>(), 32),
            parts in 2..9_usize,
            below in 0..7_usize,
            start in 0..9_usize,
        ) {
            let threshold = parts - below.min(parts - 2);
            let mut shares = split(&secret, parts, threshold).unwrap();
            shares.rotate_left(start % parts);
            prop_assert_eq!(&*combine(&shares[..threshold]).unwrap(), &secret);
            prop_assert_eq!(&*combine(&shares).unwrap(), &secret);
        }
    }
}
