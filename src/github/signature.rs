//! Webhook signatures: `sha256=` and the hex HMAC-SHA256 over the exact bytes of the body.
//!
//! Source: <https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries>

use aws_lc_rs::hmac;

const PREFIX: &str = "sha256=";

/// A webhook secret, made ready once for many bodies.
#[derive(Clone)]
pub struct Key(hmac::Key);

impl Key {
    /// Prepares `secret`.
    pub fn new(secret: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// The value of `X-Hub-Signature-256` for `body`.
    pub fn sign(&self, body: &[u8]) -> String {
        format!("{PREFIX}{}", hex::encode(hmac::sign(&self.0, body)))
    }

    /// Whether `header` is this key's signature of `body`, compared in constant time.
    pub fn verify(&self, header: &[u8], body: &[u8]) -> bool {
        // Lowercase hex only, as GitHub sends it: one signature has one spelling.
        let Some(digits) = header.strip_prefix(PREFIX.as_bytes()) else { return false };
        let mut tag = [0; 32];
        !digits.iter().any(u8::is_ascii_uppercase)
            && hex::decode_to_slice(digits, &mut tag).is_ok()
            && hmac::verify(&self.0, body, &tag).is_ok()
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::Key;

    /// The first is from GitHub's own page, the others were computed with OpenSSL.
    const VECTORS: [(&str, &str, &str); 4] = [
        (
            "It's a Secret to Everybody",
            "Hello, World!",
            "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
        ),
        ("s3cr3t", "", "3c81cc9496e1c25250f6ccb85f697c1bb623e3480d6538ad8cb6a6648142777d"),
        (
            "test_webhook_secret",
            "{\"zen\":\"Design for failure.\"}",
            "0bfc66c7729b0549f26eba1f55752d56ca768eb8310b255412a22238e5dd905e",
        ),
        (
            "abcdefg",
            "action=completed&recipe_run_id=1&conclusion=success",
            "06745b2013b3a7f542208f4f35a991426fe5b4c1a04b5c28108023b5e17c937a",
        ),
    ];

    #[test]
    fn known_vectors() {
        for (secret, body, digest) in VECTORS {
            let key = Key::new(secret.as_bytes());
            let header = format!("sha256={digest}");
            assert_eq!(key.sign(body.as_bytes()), header);
            assert!(key.verify(header.as_bytes(), body.as_bytes()));
        }
    }

    #[test]
    fn anything_else_is_refused() {
        let key = Key::new(b"secret");
        let good = key.sign(b"body");
        let digest = good.trim_start_matches("sha256=");
        let wrong = [
            String::new(),
            "sha256=".into(),
            digest.to_owned(),
            format!("sha1={digest}"),
            format!("SHA256={digest}"),
            format!("sha256={}", digest.to_uppercase()),
            format!("sha256={}", &digest[..62]),
            format!("sha256={digest}00"),
            format!("sha256= {digest}"),
            format!("sha256={}", "z".repeat(64)),
            Key::new(b"other").sign(b"body"),
            key.sign(b""),
        ];
        for header in wrong {
            assert!(!key.verify(header.as_bytes(), b"body"), "{header}");
        }
        assert!(!key.verify(good.as_bytes(), b"bodY"));
    }
}
