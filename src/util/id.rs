//! Random identifiers from the operating system's generator.

/// A random UUID (version 4), in the form that GitHub uses for `X-GitHub-Delivery`.
pub fn guid() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// `bytes` random bytes as lowercase hex (twice as many characters).
///
/// # Errors
/// When the operating system has no randomness to give.
pub fn random_hex(bytes: usize) -> std::io::Result<String> {
    // It may become a key.
    let mut buffer = zeroize::Zeroizing::new(vec![0; bytes]);
    aws_lc_rs::rand::fill(&mut buffer).map_err(|_| std::io::Error::other("the system's random generator failed"))?;
    Ok(hex::encode(buffer.as_slice()))
}

#[cfg(test)]
mod tests {
    #[test]
    fn random_hex_has_two_digits_a_byte_and_differs() {
        let one = super::random_hex(16).expect("random");
        assert_eq!(one.len(), 32);
        assert!(one.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase()));
        assert_ne!(one, super::random_hex(16).expect("random"));
    }
}
