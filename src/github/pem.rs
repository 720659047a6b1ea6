//! The private key as people paste it: mended where its meaning is certain, else the mistake is
//! named, without a character of the key.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::error::Error;
use crate::util::Secret;

/// The private key in `text`, however it is disguised, as a PEM document of lines. Whether it is a
/// whole key shows when it signs.
///
/// # Errors
/// [`Error::Credentials`] with what the text is instead.
pub fn private_key(text: &str) -> Result<Secret, Error> {
    normalise(text).map(|pem| Secret::new(pem.as_str())).map_err(|reason| Error::Credentials(reason.to_owned()))
}

/// `text` as a PEM document: escaped line breaks, CRLF, indentation and a base64 wrapping are
/// undone.
///
/// # Errors
/// What the text is instead of an RSA private key.
pub(super) fn normalise(text: &str) -> Result<Zeroizing<String>, &'static str> {
    let text = text.trim().trim_matches(['"', '\'']);
    if text.is_empty() {
        return Err("the private key is empty");
    }
    if let Some(begin) = text.find("-----BEGIN ") {
        return framed(&text[begin..]);
    }
    if text.len() == 40 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err("this looks like a client secret, not a private key");
    }
    if text.len() < 512 && text.starts_with('/') || text.ends_with(".pem") {
        return Err("this is a path, not the text of the private key");
    }
    let packed: Zeroizing<String> = Zeroizing::new(text.split_whitespace().collect());
    let decoded = STANDARD.decode(packed.as_bytes()).map(Zeroizing::new).map_err(|_| NO_PEM)?;
    match std::str::from_utf8(&decoded) {
        Ok(inner) if inner.contains("-----BEGIN ") => framed(inner.trim()),
        _ => Err(NO_PEM),
    }
}

const NO_PEM: &str = "the private key is not PEM text (-----BEGIN RSA PRIVATE KEY-----)";

fn framed(text: &str) -> Result<Zeroizing<String>, &'static str> {
    let label = text.trim_start_matches("-----BEGIN ").split("-----").next().unwrap_or_default();
    match label {
        "RSA PRIVATE KEY" | "PRIVATE KEY" => {}
        "ENCRYPTED PRIVATE KEY" => return Err("the private key is protected by a passphrase"),
        "PUBLIC KEY" | "RSA PUBLIC KEY" => return Err("this is a public key; the private key is needed"),
        "OPENSSH PRIVATE KEY" => return Err("this is an SSH key, not the App's private key"),
        "EC PRIVATE KEY" => return Err("this is an EC key; GitHub signs Apps with RSA"),
        "CERTIFICATE" => return Err("this is a certificate, not a private key"),
        _ => return Err(NO_PEM),
    }
    if text.contains("Proc-Type:") {
        return Err("the private key is protected by a passphrase");
    }
    let begin = format!("-----BEGIN {label}-----");
    let end = format!("-----END {label}-----");
    let rest = text.strip_prefix(begin.as_str()).ok_or(NO_PEM)?;
    let (body, _) = rest.split_once(end.as_str()).ok_or("the private key is cut off: its END line is missing")?;
    // A literal \n comes from keys that were put into one line of an env file.
    let unescaped = Zeroizing::new(body.replace("\\r", "").replace("\\n", " "));
    let packed: Zeroizing<String> = Zeroizing::new(unescaped.split_whitespace().collect());
    let mut pem = Zeroizing::new(String::with_capacity(packed.len() + packed.len() / 64 + 80));
    pem.push_str(&begin);
    for (index, character) in packed.chars().enumerate() {
        if index % 64 == 0 {
            pem.push('\n');
        }
        pem.push(character);
    }
    pem.push('\n');
    pem.push_str(&end);
    pem.push('\n');
    Ok(pem)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "-----BEGIN RSA PRIVATE KEY-----\nQUJD\n-----END RSA PRIVATE KEY-----\n";

    #[test]
    fn what_people_paste_becomes_pem() {
        let pasted = [
            GOOD.to_owned(),
            GOOD.replace('\n', "\r\n"),
            GOOD.replace('\n', "\\n"),
            GOOD.replace('\n', "\\r\\n"),
            GOOD.replace('\n', "\n    "),
            GOOD.replace('\n', " "),
            format!("\"{}\"", GOOD.replace('\n', "\\n")),
            format!("\u{feff}# my key\n{GOOD}\n"),
            STANDARD.encode(GOOD),
            GOOD.replace("QUJD", "QU\nJD"),
        ];
        for text in pasted {
            assert_eq!(normalise(&text).map(|pem| pem.to_string()), Ok(GOOD.to_owned()), "{text:?}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        let table = [
            ("", "empty"),
            ("0123456789abcdef0123456789abcdef01234567", "client secret"),
            ("/home/me/app.pem", "path"),
            ("hello", "not PEM"),
            ("aGVsbG8=", "not PEM"),
            ("-----BEGIN RSA PRIVATE KEY-----\nQUJD", "cut off"),
            ("-----BEGIN PUBLIC KEY-----\nQUJD\n-----END PUBLIC KEY-----", "public key"),
            ("-----BEGIN EC PRIVATE KEY-----\nQUJD\n-----END EC PRIVATE KEY-----", "RSA"),
            ("-----BEGIN OPENSSH PRIVATE KEY-----\nQUJD\n-----END OPENSSH PRIVATE KEY-----", "SSH"),
            ("-----BEGIN ENCRYPTED PRIVATE KEY-----\nQUJD\n-----END ENCRYPTED PRIVATE KEY-----", "passphrase"),
            (
                "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nQUJD\n-----END RSA PRIVATE KEY-----",
                "passphrase",
            ),
        ];
        for (text, expected) in table {
            let error = normalise(text).expect_err(text);
            assert!(error.contains(expected), "{text:?}: {error}");
            assert!(!error.contains("QUJD"));
        }
    }
}
