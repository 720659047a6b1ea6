use chrono::{DateTime, Utc};

use super::{MacPolicy, Sealed, Sealing, is_encrypted, seal};
use crate::secrets::cipher::DataKey;
use crate::secrets::error::{Error, MacFault};
use crate::secrets::format::{Format, Style};
use crate::secrets::keys::{Identities, generate};
use crate::secrets::leaf::Kind;
use crate::secrets::rules::Rule;
use crate::secrets::tree::{Scalar, Tree, Value};

const WORKED: &str = include_str!("../../../tests/fixtures/sops-worked.yaml");
const PLAIN: &str =
    "# note\nhello: world\na:\n    \"n\": 42\n    l:\n        - true\n        - \"\"\n        - null\n        - 1.5\n";
const MAC: &str = "7E73DEC3DE9DF1CA8576873C6BAF9FA07B38DBE94FA80D604B92BF840A18B6EEB762FE5FAE5E42B814B6984E934DA104F957D80E81F7871F16B29410C4073CED";

fn key() -> DataKey {
    let bytes: Vec<u8> = (0..32).collect();
    DataKey::new(&bytes).unwrap()
}

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn worked() -> Sealed {
    Sealed::read(Format::Yaml, WORKED.into()).unwrap()
}

/// A document that was sealed for the identities that open it.
fn sealed(format: Format, plain: &str, rule: Rule) -> (Sealed, Identities) {
    let (identity, recipient) = generate();
    let mut identities = Identities::default();
    identities.add("test", identity.expose().as_bytes());
    let groups = vec![vec![recipient.parse().unwrap()]];
    let sealing = Sealing { groups, rule, ..Sealing::default() };
    let tree = format.read_plain(plain.as_bytes()).unwrap();
    let bytes = seal(format, &tree, &sealing, time("2026-01-02T03:04:05Z")).unwrap();
    (Sealed::read(format, bytes).unwrap(), identities)
}

fn text(sealed: &Sealed, identities: &Identities) -> String {
    let opened = sealed.open(identities, MacPolicy::Verify).unwrap();
    let text = opened.write(sealed.format, Style::default()).unwrap();
    text.expose_str().unwrap().to_owned()
}

#[test]
fn the_worked_example_opens() {
    let opened = worked().open_with(key(), MacPolicy::Verify).unwrap();
    assert_eq!(opened.write(Format::Yaml, Style::default()).unwrap().expose_str().unwrap(), PLAIN);
    assert!(opened.warnings.is_empty());
    let hello = opened.tree.documents[0].get("hello").unwrap();
    assert!(hello.sealed.as_deref().unwrap().starts_with("ENC[AES256_GCM,data:YK6DJOk="));
    let span = hello.span.unwrap();
    assert_eq!(&WORKED[span.start..span.end], hello.sealed.as_deref().unwrap());
}

#[test]
fn the_worked_example_is_encrypted_to_the_same_bytes() {
    let iv: [u8; 32] = std::array::from_fn(|at| 32 + at as u8);
    let mac_iv: [u8; 32] = std::array::from_fn(|at| 64 + at as u8);
    for (plain, kind, aad, iv) in [
        ("world", Kind::Str, "hello:", iv),
        (" note", Kind::Comment, ":", iv),
        ("42", Kind::Int, "a:n:", iv),
        ("True", Kind::Bool, "a:l:", iv),
        ("1.5", Kind::Float, "a:l:", iv),
        (MAC, Kind::Str, "2026-01-02T03:04:05Z", mac_iv),
    ] {
        let text = key().encrypt_with(plain.as_bytes(), kind, aad, iv).unwrap();
        assert!(WORKED.contains(&text), "{plain}");
    }
}

#[test]
fn a_mac_that_covers_encrypted_leaves_only_begins_with_a_constant() {
    let mut mac = crate::secrets::mac::Mac::new(true);
    for bytes in ["world", "42", "True", "", "1.5"] {
        mac.add(bytes.as_bytes());
    }
    assert!(mac.finish().starts_with("8033B41E5136CBC4FD085A56A5166B3D11915DB6115FADBF"));
}

#[test]
fn an_unchanged_document_is_not_written() {
    let sealed = worked();
    let opened = sealed.open_with(key(), MacPolicy::Verify).unwrap();
    assert_eq!(sealed.reseal(&opened, &opened.tree, Utc::now()).unwrap(), None);
}

#[test]
fn an_edit_keeps_the_ciphertext_of_what_did_not_change() {
    let sealed = worked();
    let opened = sealed.open_with(key(), MacPolicy::Verify).unwrap();
    let mut new = opened.tree.clone();
    let Value::Map(a) = &mut new.documents[0].get_mut("a").unwrap().value else { panic!("a mapping") };
    // A ciphertext that was moved, or is of another value, is not right any more.
    a.get_mut("n").unwrap().value = Value::Scalar(Scalar::Int(43));
    let bytes = sealed.reseal(&opened, &new, time("2026-02-03T04:05:06Z")).unwrap().unwrap();
    let again = Sealed::read(Format::Yaml, bytes.clone()).unwrap();
    let opened = again.open_with(key(), MacPolicy::Verify).unwrap();
    let plain = opened.write(Format::Yaml, Style::default()).unwrap();
    assert_eq!(plain.expose_str().unwrap(), PLAIN.replace("42", "43"));
    let (before, after) = (WORKED.lines(), String::from_utf8(bytes).unwrap());
    let changed: Vec<_> = before.filter(|line| !after.lines().any(|other| other == *line)).collect();
    let keys: Vec<_> = changed.iter().filter_map(|line| line.split(':').next()).map(str::trim).collect();
    assert_eq!(keys, ["n", "lastmodified", "mac"], "{after}");
}

#[test]
fn a_moved_value_is_encrypted_for_its_new_place() {
    let (sealed, identities) = sealed(Format::Yaml, "a: same\nb: same\n", Rule::default());
    let opened = sealed.open(&identities, MacPolicy::Verify).unwrap();
    let mut new = opened.tree.clone();
    let a = opened.tree.documents[0].get("a").unwrap().clone();
    *new.documents[0].get_mut("b").unwrap() = a;
    // The plaintext is the same, so nothing is to be done at all.
    assert_eq!(sealed.reseal(&opened, &new, Utc::now()).unwrap(), None);
    new.documents[0].push("c", Scalar::Int(1));
    let bytes = sealed.reseal(&opened, &new, Utc::now()).unwrap().unwrap();
    let again = Sealed::read(Format::Yaml, bytes).unwrap();
    assert_eq!(text(&again, &identities), "a: same\nb: same\nc: 1\n");
}

#[test]
fn a_wrong_mac_is_an_error_or_told_and_can_be_mended() {
    let swapped = WORKED.replace("\nhello:", "\nb_unencrypted: 1\nhello:");
    let sealed = Sealed::read(Format::Yaml, swapped.into_bytes()).unwrap();
    let fault = sealed.open_with(key(), MacPolicy::Verify).unwrap_err();
    assert_eq!(fault, Error::Mac(MacFault::Differs));
    let opened = sealed.open_with(key(), MacPolicy::Report).unwrap();
    assert_eq!(opened.mac, Err(MacFault::Differs));
    let mended = sealed.reseal(&opened, &opened.tree, Utc::now()).unwrap().unwrap();
    assert!(Sealed::read(Format::Yaml, mended).unwrap().open_with(key(), MacPolicy::Verify).is_ok());
}

#[test]
fn macs_that_are_missing_or_not_ours() {
    let start = WORKED.find("    mac: ").unwrap();
    let end = start + WORKED[start..].find('\n').unwrap() + 1;
    let without = format!("{}{}", &WORKED[..start], &WORKED[end..]);
    let moved = WORKED.replace("03:04:05Z", "03:04:06Z");
    let zone = WORKED.replace("03:04:05Z", "03:04:05.25+00:00");
    for (text, expected) in [
        (without, Err(MacFault::Missing)),
        (format!("{}    mac: \"\"\n{}", &WORKED[..start], &WORKED[end..]), Err(MacFault::Missing)),
        (moved, Err(MacFault::Unreadable)),
        (zone, Ok(())),
    ] {
        let opened = Sealed::read(Format::Yaml, text.into()).unwrap().open_with(key(), MacPolicy::Report).unwrap();
        assert_eq!(opened.mac, expected);
    }
}

#[test]
fn every_format_goes_there_and_back() {
    for (format, plain) in [
        (Format::Yaml, "# c\na: 1\nb:\n    # d\n    - x\n    - k: 2024-02-29T00:00:00Z\n---\nz: -0.5\n"),
        (Format::Json, "{\n\t\"a\": 1.5,\n\t\"b\": [\n\t\t\"x\",\n\t\tnull\n\t]\n}\n"),
        (Format::Dotenv, "#c\nA=1\nB=\n"),
        (Format::Ini, "[a]\nb = 1\n"),
        (Format::Binary, "any\nthing"),
    ] {
        let (sealed, identities) = sealed(format, plain, Rule::default());
        assert!(is_encrypted(format, sealed.bytes()), "{format:?}");
        assert!(!is_encrypted(format, plain.as_bytes()), "{format:?}");
        assert_eq!(text(&sealed, &identities).trim_end(), plain.trim_end(), "{format:?}");
        let again = Sealed::read(format, sealed.bytes().to_vec()).unwrap();
        assert_eq!(again.metadata().version, "3.11.0");
    }
}

#[test]
fn new_recipients_open_it_and_nothing_else_changes() {
    for (format, plain) in [
        (Format::Yaml, "a: 1\n"),
        (Format::Json, "{\"a\": 1}"),
        (Format::Dotenv, "A=1\n"),
        (Format::Ini, "[a]\nb = 1\n"),
    ] {
        let (sealed, identities) = sealed(format, plain, Rule::default());
        let opened = sealed.open(&identities, MacPolicy::Verify).unwrap();
        let (identity, recipient) = generate();
        let recipient: crate::secrets::keys::Recipient = recipient.parse().unwrap();
        let bytes = sealed.add_recipients(&opened, &[recipient.clone(), recipient.clone()]).unwrap();
        let again = Sealed::read(format, bytes).unwrap();
        let mut theirs = Identities::default();
        theirs.add("theirs", identity.expose().as_bytes());
        assert_eq!(text(&again, &theirs), text(&sealed, &identities), "{format:?}");
        assert_eq!(again.metadata().mac, sealed.metadata().mac);
        assert_eq!(again.metadata().groups[0].len(), 2);
        assert_eq!(again.metadata().groups[0][0].enc, sealed.metadata().groups[0][0].enc);
        let unchanged = again.add_recipients(&again.open(&theirs, MacPolicy::Verify).unwrap(), &[recipient]).unwrap();
        assert_eq!(unchanged, again.bytes());
    }
}

#[test]
fn a_rotation_changes_key_and_values_and_who_may_open_it() {
    let (sealed, identities) = sealed(Format::Yaml, "# c\na: 1\nb_unencrypted: x\n", Rule::default());
    let opened = sealed.open(&identities, MacPolicy::Verify).unwrap();
    let (new, recipient) = generate();
    let bytes = sealed.rotate(&opened, &[vec![recipient.parse().unwrap()]], Utc::now()).unwrap();
    let again = Sealed::read(Format::Yaml, bytes).unwrap();
    assert!(matches!(again.open(&identities, MacPolicy::Verify), Err(Error::NoIdentity { .. })));
    let mut theirs = Identities::default();
    theirs.add("new", new.expose().as_bytes());
    assert_eq!(text(&again, &theirs), text(&sealed, &identities));
    let opened_again = again.open(&theirs, MacPolicy::Verify).unwrap();
    assert_ne!(opened_again.key.expose(), opened.key.expose());
    assert!(sealed.rotate(&opened, &[], Utc::now()).is_err());
    assert!(sealed.rotate(&opened, &[vec![]], Utc::now()).is_err());
}

#[test]
fn key_groups_share_the_key() {
    let keys: Vec<_> = (0..3).map(|_| generate()).collect();
    let groups: Vec<Vec<_>> = keys.iter().map(|(_, public)| vec![public.parse().unwrap()]).collect();
    let with = |which: &[usize]| {
        let mut identities = Identities::default();
        which.iter().for_each(|at| identities.add("test", keys[*at].0.expose().as_bytes()));
        identities
    };
    let tree = Format::Yaml.read_plain(b"a: 1\n").unwrap();
    for (threshold, enough, short) in [(Some(2), &[2, 0][..], &[1][..]), (None, &[0, 1, 2][..], &[0, 2][..])] {
        let sealing = Sealing { groups: groups.clone(), threshold, ..Sealing::default() };
        let bytes = seal(Format::Yaml, &tree, &sealing, Utc::now()).unwrap();
        let sealed = Sealed::read(Format::Yaml, bytes).unwrap();
        assert_eq!(text(&sealed, &with(enough)), "a: 1\n");
        assert!(matches!(sealed.open(&with(short), MacPolicy::Verify), Err(Error::NoIdentity { .. })));
        // Rotated for two of the groups, then for one.
        let opened = sealed.open(&with(enough), MacPolicy::Verify).unwrap();
        let two = sealed.rotate(&opened, &groups[..2], Utc::now()).unwrap();
        assert_eq!(text(&Sealed::read(Format::Yaml, two).unwrap(), &with(&[0, 1])), "a: 1\n");
        let one = sealed.rotate(&opened, &groups[..1], Utc::now()).unwrap();
        assert_eq!(text(&Sealed::read(Format::Yaml, one).unwrap(), &with(&[0])), "a: 1\n");
    }
}

#[test]
fn what_sops_refuses_is_refused() {
    let refused = |format: Format, plain: &str| {
        let tree = format.read_plain(plain.as_bytes()).unwrap();
        let groups = vec![vec![generate().1.parse().unwrap()]];
        seal(format, &tree, &Sealing { groups, ..Sealing::default() }, Utc::now()).unwrap_err()
    };
    assert_eq!(refused(Format::Yaml, "a: 1\n---\nsops: 2\n"), Error::AlreadyEncrypted("sops".into()));
    assert_eq!(refused(Format::Dotenv, "sops_x=1\n"), Error::AlreadyEncrypted("sops_x".into()));
    assert_eq!(refused(Format::Json, "{\"sops\": 1}"), Error::AlreadyEncrypted("sops".into()));
    let large = refused(Format::Yaml, "a:\n  - b_unencrypted: 9223372036854775808\n");
    assert!(matches!(large, Error::Refused { place, .. } if place == "a[0].b_unencrypted"));
    let nobody = seal(Format::Yaml, &Tree::default(), &Sealing::default(), Utc::now());
    assert!(matches!(nobody, Err(Error::Refused { .. })));
}

#[test]
fn comment_rules_that_sops_could_not_read_back_are_refused() {
    for (rule, plain, accepted) in [
        ("encrypted_comment_regex", "l:\n  # SECRET\n  - a\n", true),
        ("encrypted_comment_regex", "l:\n  # SECRET\n  # more\n  - a\n", false),
        ("encrypted_comment_regex", "# SECRET\nl:\n  # more\n  - a\n", true),
        ("encrypted_comment_regex", "l:\n  - a\n  # SECRET\n  # more\n", true),
        ("encrypted_comment_regex", "m:\n  # SECRET\n  # more\n  k: a\n", true),
        ("unencrypted_comment_regex", "l:\n  # note\n  # CLEAR SECRET\n  - a\n", true),
    ] {
        let tree = Format::Yaml.read_plain(plain.as_bytes()).unwrap();
        let groups = vec![vec![generate().1.parse().unwrap()]];
        let sealing = Sealing { groups, rule: Rule::new(rule, "SECRET").unwrap(), ..Sealing::default() };
        let sealed = seal(Format::Yaml, &tree, &sealing, Utc::now());
        assert_eq!(sealed.is_ok(), accepted, "{plain}: {sealed:?}");
    }
}

#[test]
fn empty_comments_never_become_items() {
    let (sealed, identities) =
        sealed(Format::Yaml, "l:\n    - a\n    #\n    - b\nm:\n    #\n    k: v\n", Rule::default());
    assert_eq!(text(&sealed, &identities), "l:\n    - a\n    - b\nm:\n    #\n    k: v\n");
}

#[test]
fn comments_that_do_not_decrypt_stay_and_are_told() {
    let with = WORKED.replace("\nhello:", "\n# by hand\nhello:").replace("data:N6+ePOg=", "data:N6+ePOk=");
    let sealed = Sealed::read(Format::Yaml, with.clone().into()).unwrap();
    let opened = sealed.open_with(key(), MacPolicy::Verify).unwrap();
    assert_eq!(
        opened.warnings,
        ["2 comments are not encrypted, or changed by hand, and left as is, the first in line 1"]
    );
    let mut new = opened.tree.clone();
    new.documents[0].get_mut("hello").unwrap().value = Value::Scalar(Scalar::Text("there".into()));
    let bytes = String::from_utf8(sealed.reseal(&opened, &new, Utc::now()).unwrap().unwrap()).unwrap();
    assert!(bytes.contains("\n# by hand\n") && bytes.contains("data:N6+ePOk="), "{bytes}");
}

#[test]
fn a_rule_by_comments_needs_comments_that_stay() {
    let rule = Rule::new("encrypted_comment_regex", " [a-m]").unwrap();
    let (_, recipient) = generate();
    let sealing = Sealing { groups: vec![vec![recipient.parse().unwrap()]], rule, ..Sealing::default() };
    for (plain, sealed) in [("a:\n- - a # a\n  - a b\n", false), ("# a\na: b\nc: d\n", true)] {
        let tree = Format::Yaml.read_plain(plain.as_bytes()).unwrap();
        let made = seal(Format::Yaml, &tree, &sealing, time("2026-01-02T03:04:05Z"));
        assert_eq!(made.is_ok(), sealed, "{plain}");
        assert!(matches!(made, Ok(_) | Err(Error::Refused { .. })), "{plain}");
    }
}

#[test]
fn what_was_encrypted_is_not_put_in_clear_by_a_comment_left_behind() {
    let rule = Rule::new("unencrypted_comment_regex", "PLAIN").unwrap();
    let (sealed, identities) = sealed(Format::Yaml, "# PLAIN\na: shown\nb: hidden\n", rule);
    let opened = sealed.open(&identities, MacPolicy::Verify).unwrap();
    let mut new = opened.tree.clone();
    "a".parse::<crate::secrets::Selector>().unwrap().unset(&mut new).unwrap();
    let refused = sealed.reseal(&opened, &new, time("2026-01-02T03:04:06Z"));
    let Err(Error::Refused { place, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!(place, "b");
}
