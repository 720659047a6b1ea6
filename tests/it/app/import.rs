//! `app import`: every disguise of a key, and every mistake.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pforge::emulator::keys::AppKey;

use super::{Desk, mode};
use crate::emulator::support::{APP_ID, Emulator, installed, permissions};

/// A desk whose GitHub has the App; its key.
async fn desk() -> (Desk, String) {
    let (seed, pem) = installed(permissions(&[]), &[], Some("https://example.com/hook"));
    let mut desk = Desk::new().await;
    std::mem::replace(&mut desk.github, Emulator::start(seed).await).stop().await;
    let base = desk.github.base.clone();
    desk.env.set("GITHUB_API_URL", &base);
    (desk, pem.expose().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_in_any_disguise_is_taken() {
    let (desk, pem) = desk().await;
    let pkcs8 = pkcs8(&pem);
    let wide: Vec<u8> = [0xff, 0xfe].into_iter().chain(pem.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let disguises: [(&str, Vec<u8>); 9] = [
        ("as it came", pem.clone().into()),
        ("PKCS#8", pkcs8.into()),
        ("CRLF", pem.replace('\n', "\r\n").into()),
        ("one line", pem.trim().replace('\n', "\\n").into()),
        ("quoted", format!("\"{}\"\n", pem.trim().replace('\n', "\\n")).into()),
        ("base64", STANDARD.encode(&pem).into()),
        ("indented, with blanks", format!("\n\n  {}  \n\n", pem.replace('\n', " \n   ")).into()),
        ("of an env file", format!("PRIVATE_KEY=\"{}\"", pem.replace('\n', "\\n")).into()),
        ("UTF-16", wide),
    ];
    desk.env.write("secret.txt", "the webhook secret\n");
    let mut fingerprints = Vec::new();
    for (disguise, bytes) in disguises {
        std::fs::write(desk.path("key.pem"), bytes).expect("write");
        let line = format!("app import {APP_ID} key.pem --webhook-secret-file secret.txt --json");
        let output = desk.env.line(&line);
        assert_eq!(output.code, Some(0), "{disguise}: {output}");
        fingerprints.push(output.json()["key_fingerprint"].clone());
        let config = desk.path("secrets/config.seeded.yaml");
        assert_eq!(mode(&config), 0o600);
        desk.env.line("app show").success();
        std::fs::remove_file(config).expect("remove");
    }
    fingerprints.dedup();
    assert_eq!(fingerprints.len(), 1, "{fingerprints:?}");
    assert!(fingerprints[0].as_str().expect("text").starts_with("SHA256:"));
    desk.github.stop().await;
}

/// `pem` as PKCS#8, as openssl writes it.
fn pkcs8(pem: &str) -> String {
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let inner = STANDARD.decode(body).expect("base64");
    let length = |len: usize| -> Vec<u8> {
        let bytes = u32::try_from(len).expect("short").to_be_bytes();
        vec![0x82, bytes[2], bytes[3]]
    };
    let algorithm = [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
    let octets = [vec![0x04], length(inner.len()), inner].concat();
    let whole = [vec![0x02, 0x01, 0x00], algorithm.to_vec(), octets].concat();
    let der = [vec![0x30], length(whole.len()), whole].concat();
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).expect("ASCII")).collect();
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_mistake_has_its_name() {
    let (desk, pem) = desk().await;
    let other = AppKey::generate().expect("a key").pem;
    let mistakes: [(&str, &str, &str, i32); 7] = [
        ("client secret", "0123456789abcdef0123456789abcdef01234567", "this looks like a client secret", 3),
        ("public key", "-----BEGIN PUBLIC KEY-----\nQUJD\n-----END PUBLIC KEY-----\n", "this is a public key", 3),
        ("cut off", &pem[..pem.len() / 2], "its END line is missing", 3),
        ("nothing", "", "the private key is empty", 3),
        ("another key", other.expose(), "the key's fingerprint is SHA256:", 4),
        ("words", "hunter2 and more", "is not PEM text", 3),
        ("damaged", &pem.replace("MII", "AAA"), "not a whole RSA key", 3),
    ];
    desk.env.write("secret.txt", "the webhook secret\n");
    for (mistake, text, expected, code) in mistakes {
        desk.env.write("key.pem", text);
        let output = desk.env.line(&format!("app import {APP_ID} key.pem --webhook-secret-file secret.txt"));
        assert_eq!(output.code, Some(code), "{mistake}: {output}");
        assert!(output.stderr.contains(expected), "{mistake}: {output}");
        assert!(!output.stderr.contains("hunter2") && !output.stderr.contains("0123456789abcdef0"), "{output}");
    }
    desk.env.write("key.pem", &pem);
    let wrong_id = desk.env.line("app import 999 key.pem --webhook-secret-file secret.txt");
    assert_eq!(wrong_id.code, Some(4), "{wrong_id}");
    let pasted = desk.env.line(&format!("app import {APP_ID} 0123456789abcdef0123456789abcdef01234567"));
    insta::assert_snapshot!("a secret in the place of the file", pasted);
    insta::assert_snapshot!("nobody to ask for the secret", desk.env.line(&format!("app import {APP_ID} key.pem")));
    assert!(!desk.path("secrets/config.seeded.yaml").exists());
    // An App is not overwritten.
    let line = format!("--deployment mine app import {APP_ID} key.pem --new-webhook-secret");
    desk.env.line(&line).success();
    let hook = desk.env.line("app show --json").success().json()["webhook"]["secret"].clone();
    assert_eq!(hook, "********");
    let again = desk.env.line(&line);
    assert_eq!((again.code, again.stderr.contains("has an App already")), (Some(3), true), "{again}");
    desk.github.stop().await;
}
