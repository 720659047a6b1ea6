//! SOPS documents made by SOPS 3.11, whole and tampered with.

use std::path::{Path, PathBuf};

use pforge::secrets::{Error, Format, Identities, MacFault, MacPolicy, Opened, Sealed, Style, is_encrypted};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sops")
}

fn identities(names: &[&str]) -> Identities {
    let mut identities = Identities::default();
    for name in names {
        let text = std::fs::read(fixtures().join(format!("keys/age-{name}.txt"))).expect("key");
        identities.add(name, &text);
    }
    identities
}

fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn open(path: &Path, identities: &Identities) -> Result<Opened, Error> {
    Sealed::read(Format::Yaml, bytes(path))?.open(identities, MacPolicy::Verify)
}

fn printed(opened: &Opened) -> String {
    let text = opened.write(Format::Yaml, Style::default()).expect("YAML");
    text.expose_str().expect("UTF-8").to_owned()
}

#[test]
fn whole_documents_open_to_what_sops_prints() {
    let folders = [
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
    ];
    for name in folders {
        let folder = fixtures().join("yaml").join(name);
        assert!(is_encrypted(Format::Yaml, &bytes(&folder.join("enc.yaml"))));
        let opened = open(&folder.join("enc.yaml"), &identities(&["A"])).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(printed(&opened).as_bytes(), bytes(&folder.join("dec.yaml")), "{name}");
    }
}

#[test]
fn any_recipient_opens_it_and_nobody_else() {
    let path = fixtures().join("yaml/03-ghapp-two-recipients/enc.yaml");
    let named = Sealed::read(Format::Yaml, bytes(&path)).expect("sealed").metadata().recipients();
    assert_eq!(named.len(), 2);
    for names in [&["A"][..], &["B"], &["X", "B"]] {
        assert!(open(&path, &identities(names)).is_ok(), "{names:?}");
    }
    for names in [&["X"][..], &[]] {
        let error = open(&path, &identities(names)).expect_err("nobody's");
        assert_eq!(error, Error::NoIdentity { recipients: named.clone(), problems: Vec::new() }, "{names:?}");
    }
}

#[test]
fn a_place_that_cannot_be_read_is_reported_only_when_nothing_opens_it() {
    let path = fixtures().join("yaml/01-ghapp-basic/enc.yaml");
    let mut broken = identities(&["X"]);
    broken.add("$SOPS_AGE_KEY", b"# a comment\n\nhunter2\n");
    let Err(Error::NoIdentity { problems, .. }) = open(&path, &broken) else { panic!("must not open") };
    assert_eq!(problems.len(), 1);
    assert!(problems[0].starts_with("$SOPS_AGE_KEY, line 3: ") && !problems[0].contains("hunter2"), "{problems:?}");
    let mut good = identities(&["A"]);
    good.add("$SOPS_AGE_KEY", b"hunter2");
    assert!(open(&path, &good).is_ok());
}

#[test]
fn tampered_documents_are_refused_for_the_right_reason() {
    let value = |path: &str, reason| Error::Value { path: path.to_owned(), reason };
    let moved = "does not decrypt: it was changed or moved";
    let damaged = |what: &str| Error::Metadata(what.to_owned());
    let recipient = "age199jqq85txcpsrwt62dhscc26eytacuf4jr46a2pkqts2nxur5qesslpru5";
    let wrapped = || damaged(&format!("the copy of the data key for {recipient} cannot be read"));
    for (name, expected) in [
        ("02-value-ciphertext-flipped", value("alpha", moved)),
        ("03-value-tag-flipped", value("beta", moved)),
        ("04-value-iv-flipped", value("alpha", moved)),
        ("05-swap-values-between-keys", value("alpha", moved)),
        ("06-swap-list-items", Error::Mac(MacFault::Differs)),
        ("07-delete-key", Error::Mac(MacFault::Differs)),
        ("08-reorder-keys", Error::Mac(MacFault::Differs)),
        ("09-rename-key", value("renamed", moved)),
        ("10-add-plaintext-key", value("injected", "is not an encrypted value")),
        ("11-add-plaintext-int", value("injected", "is not encrypted")),
        ("13-mac-flipped", Error::Mac(MacFault::Unreadable)),
        ("14-mac-empty", Error::Mac(MacFault::Missing)),
        ("15-mac-removed", Error::Mac(MacFault::Missing)),
        ("16-lastmodified-changed", Error::Mac(MacFault::Unreadable)),
        ("17-armor-truncated", wrapped()),
        ("22-cleartext-value-changed", Error::Mac(MacFault::Differs)),
        ("29-version-removed", damaged("it has no version")),
        ("38-type-unknown", value("alpha", "has an unknown type")),
        ("41-mac-lowercase", Error::Mac(MacFault::Differs)),
        ("45-lastmodified-removed", damaged("it has no lastmodified")),
        ("49-age-removed", damaged("no keys found in it")),
        ("52-two-rules", damaged("it has more than one rule for what is encrypted")),
        ("66-moe-flag-removed", Error::Mac(MacFault::Differs)),
    ] {
        let error = open(&fixtures().join(format!("tampered/{name}.yaml")), &identities(&["A", "B"]));
        assert_eq!(error.expect_err(name), expected, "{name}");
    }
}

#[test]
fn a_twelve_byte_iv_opens() {
    let opened = open(&fixtures().join("tampered/40-iv-12-bytes.yaml"), &identities(&["A"])).expect("opens");
    assert_eq!(printed(&opened).as_bytes(), bytes(&fixtures().join("tampered/40-iv-12-bytes.yaml.stdout")));
}

#[test]
fn what_is_not_encrypted_is_said_to_be_so() {
    assert!(!is_encrypted(Format::Yaml, b"a: 1"));
    assert_eq!(Sealed::read(Format::Yaml, b"a: 1".to_vec()).expect_err("plain"), Error::NotEncrypted);
}
