//! SOPS documents made by SOPS 3.11, whole and tampered with.

use std::path::{Path, PathBuf};

use pforge::secrets::{
    OldError as Error, OldIdentities as Identities, old_is_encrypted as is_encrypted, open, recipients,
};
use serde_yaml::Value;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sops")
}

fn identities(names: &[&str]) -> Identities {
    let mut identities = Identities::default();
    for name in names {
        let text = std::fs::read_to_string(fixtures().join(format!("keys/age-{name}.txt"))).expect("key");
        identities.add(name, &text);
    }
    identities
}

fn document(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn whole_documents_open_to_what_sops_prints() {
    for name in [
        "01-ghapp-basic",
        "03-ghapp-two-recipients",
        "06-timestamps",
        "07-empty-strings-and-nulls",
        "14-nested-lists-of-maps",
        "15-comments-everywhere",
        "19-default-unencrypted-suffix",
        "20-encrypted-suffix",
        "21-encrypted-regex",
        "22-encrypted-regex-mac-only",
        "23-unencrypted-regex",
        "24-encrypted-comment-regex",
        "35-big-numbers",
    ] {
        let folder = fixtures().join("yaml").join(name);
        let sealed = document(&folder.join("enc.yaml"));
        assert!(is_encrypted(&sealed));
        let opened = open(sealed, &identities(&["A"])).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        assert_eq!(opened, document(&folder.join("dec.yaml")), "{}", folder.display());
    }
}

#[test]
fn any_recipient_opens_it_and_nobody_else() {
    let sealed = || document(&fixtures().join("yaml/03-ghapp-two-recipients/enc.yaml"));
    let named = recipients(&sealed()).expect("recipients");
    assert_eq!(named.len(), 2);
    for names in [&["A"][..], &["B"], &["X", "B"]] {
        assert!(open(sealed(), &identities(names)).is_ok(), "{names:?}");
    }
    for names in [&["X"][..], &[]] {
        let error = open(sealed(), &identities(names)).expect_err("nobody's");
        assert_eq!(error, Error::NoIdentity { recipients: named.clone(), problems: Vec::new() }, "{names:?}");
    }
}

#[test]
fn a_place_that_cannot_be_read_is_reported_only_when_nothing_opens_it() {
    let sealed = || document(&fixtures().join("yaml/01-ghapp-basic/enc.yaml"));
    let mut broken = identities(&["X"]);
    broken.add("$SOPS_AGE_KEY", "# a comment\n\nhunter2\n");
    let Err(Error::NoIdentity { problems, .. }) = open(sealed(), &broken) else { panic!("must not open") };
    assert_eq!(problems, ["$SOPS_AGE_KEY, line 3: not an AGE-SECRET-KEY-1 identity"]);
    let mut good = identities(&["A"]);
    good.add("$SOPS_AGE_KEY", "hunter2");
    assert!(open(sealed(), &good).is_ok());
}

#[test]
fn tampered_documents_are_refused_for_the_right_reason() {
    let value = |path: &str, reason| Error::Value { path: path.to_owned(), reason };
    let moved = "does not decrypt: it was changed or moved";
    let damaged = |what: &str| Error::Metadata(what.to_owned());
    let recipient = "age199jqq85txcpsrwt62dhscc26eytacuf4jr46a2pkqts2nxur5qesslpru5";
    let wrapped = || damaged(&format!("the data key for {recipient} cannot be read"));
    for (name, expected) in [
        ("02-value-ciphertext-flipped", value("alpha", moved)),
        ("03-value-tag-flipped", value("beta", moved)),
        ("04-value-iv-flipped", value("alpha", moved)),
        ("05-swap-values-between-keys", value("alpha", moved)),
        ("06-swap-list-items", Error::Mac),
        ("07-delete-key", Error::Mac),
        ("08-reorder-keys", Error::Mac),
        ("09-rename-key", value("renamed", moved)),
        ("10-add-plaintext-key", value("injected", "is not an encrypted value")),
        ("11-add-plaintext-int", value("injected", "is not encrypted")),
        ("13-mac-flipped", Error::Mac),
        ("14-mac-empty", damaged("no mac")),
        ("15-mac-removed", damaged("no mac")),
        ("16-lastmodified-changed", Error::Mac),
        ("17-armor-truncated", wrapped()),
        ("22-cleartext-value-changed", Error::Mac),
        ("29-version-removed", damaged("no version")),
        ("38-type-unknown", value("alpha", "has an unknown type")),
        ("41-mac-lowercase", Error::Mac),
        ("45-lastmodified-removed", damaged("no lastmodified")),
        ("49-age-removed", Error::NoIdentity { recipients: Vec::new(), problems: Vec::new() }),
        ("52-two-rules", damaged("more than one rule says what is encrypted")),
        ("66-moe-flag-removed", Error::Mac),
    ] {
        let file = document(&fixtures().join(format!("tampered/{name}.yaml")));
        assert_eq!(open(file, &identities(&["A", "B"])).expect_err(name), expected, "{name}");
    }
}

#[test]
fn a_twelve_byte_iv_opens() {
    let opened = open(document(&fixtures().join("tampered/40-iv-12-bytes.yaml")), &identities(&["A"])).expect("opens");
    assert_eq!(opened, document(&fixtures().join("tampered/40-iv-12-bytes.yaml.stdout")));
}

#[test]
fn what_is_not_encrypted_is_said_to_be_so() {
    let plain: Value = serde_yaml::from_str("a: 1").expect("yaml");
    assert!(!is_encrypted(&plain));
    assert_eq!(open(plain, &identities(&["A"])).expect_err("plain"), Error::NotEncrypted);
}
