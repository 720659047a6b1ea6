//! The text of one encrypted value: `ENC[…]`, and what somebody made of it.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use pforge_fuzz::secrets::{Format, Identities, MacPolicy, Sealed, seal};
use serde_json::Value;

static IDENTITIES: LazyLock<Identities> = LazyLock::new(pforge_fuzz::identities);

/// An encrypted document with one value.
static SEALED: LazyLock<Value> = LazyLock::new(|| {
    let tree = Format::Json.read_plain(br#"{"a": "text"}"#).expect("a document");
    let now = chrono::DateTime::UNIX_EPOCH;
    let bytes = seal(Format::Json, &tree, &pforge_fuzz::sealing(), now).expect("it can be encrypted");
    serde_json::from_slice(&bytes).expect("JSON")
});

fuzz_target!(|text: &str| {
    let mut document = SEALED.clone();
    // The fuzzer cannot guess a ciphertext: a star stands for the good one.
    let good = SEALED["a"].as_str().expect("a ciphertext");
    document["a"] = text.replacen('*', good, 1).into();
    let sealed = Sealed::read(Format::Json, document.to_string().into_bytes()).expect("it is still a document");
    let _ = sealed.open(&IDENTITIES, MacPolicy::Report);
    // And as the MAC.
    let mut document = SEALED.clone();
    document["sops"]["mac"] = text.into();
    if let Ok(sealed) = Sealed::read(Format::Json, document.to_string().into_bytes()) {
        let _ = sealed.open(&IDENTITIES, MacPolicy::Report);
    }
});
