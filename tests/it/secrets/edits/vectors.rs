//! Edits of the files that sops' own vectors hold.

use std::fs;
use std::path::{Path, PathBuf};

use pforge::secrets::tree::{Item, Map, Node, Scalar, Value};
use pforge::secrets::{Format, Identities, MacPolicy, Sealed, Style, Tree};

use super::{changed, later};
use crate::support::sops::sops;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sops")
}

/// All identities, as one that opens any vector.
fn keys() -> Vec<PathBuf> {
    let mut keys: Vec<_> = fs::read_dir(fixtures().join("keys")).unwrap().map(|entry| entry.unwrap().path()).collect();
    keys.retain(|path| path.extension().is_none_or(|end| end != "pub"));
    keys.sort();
    keys
}

fn identities() -> Identities {
    let mut identities = Identities::default();
    for path in keys() {
        identities.add("key", &fs::read(&path).unwrap());
    }
    identities
}

/// The encrypted files of a format.
fn files(format: Format) -> Vec<PathBuf> {
    let name = format.name();
    let mut files: Vec<_> = fs::read_dir(fixtures().join(name))
        .unwrap()
        .flat_map(|entry| fs::read_dir(entry.unwrap().path()).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_stem().is_some_and(|stem| stem == "enc"))
        .collect();
    files.sort();
    assert!(files.len() >= 5, "{name}");
    files
}

fn decrypted(path: &Path, bytes: &[u8]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(path.file_name().unwrap());
    fs::write(&file, bytes).unwrap();
    let mut command = sops();
    let mut age = String::new();
    for key in keys() {
        let text = fs::read_to_string(&key).unwrap();
        match text.starts_with("-----") {
            true if text.contains("RSA") || key.to_string_lossy().contains("rsa") => {}
            true => {
                command.env("SOPS_AGE_SSH_PRIVATE_KEY_FILE", &key);
            }
            false => age += &text,
        }
    }
    if path.to_string_lossy().contains("rsa") {
        let rsa = keys().into_iter().find(|key| key.to_string_lossy().contains("rsa")).unwrap();
        command.env("SOPS_AGE_SSH_PRIVATE_KEY_FILE", rsa);
    }
    let output = command.env("SOPS_AGE_KEY", age).arg("-d").arg(&file).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {told}\n{}", path.display(), String::from_utf8_lossy(bytes));
    output.stdout
}

/// Changes the `index`th encrypted text of one line.
fn change(map: &mut Map, index: &mut usize) -> bool {
    map.items.iter_mut().any(|item| match item {
        Item::Value(entry) => change_node(&mut entry.value, index),
        Item::Comment(_) => false,
    })
}

fn change_node(node: &mut Node, index: &mut usize) -> bool {
    match &mut node.value {
        Value::Scalar(Scalar::Text(text)) if node.sealed.is_some() && !text.is_empty() => {
            let is_it = *index == 0;
            *index = index.wrapping_sub(1);
            if is_it {
                *node = Node::text([text.expose(), b"!"].concat());
            }
            is_it
        }
        Value::Scalar(_) => false,
        Value::Map(map) => change(map, index),
        Value::Seq(seq) => seq.items.iter_mut().any(|item| match item {
            Item::Value(node) => change_node(node, index),
            Item::Comment(_) => false,
        }),
    }
}

#[test]
fn every_single_value_changes_three_lines() {
    let identities = identities();
    let mut count = 0;
    for format in [Format::Yaml, Format::Json, Format::Dotenv, Format::Ini, Format::Binary] {
        for path in files(format) {
            let bytes = fs::read(&path).unwrap();
            let sealed = Sealed::read(format, bytes.clone()).unwrap();
            let opened = sealed.open(&identities, MacPolicy::Verify).unwrap();
            for at in 0.. {
                let mut new = opened.tree.clone();
                let mut index = at;
                if !new.documents.iter_mut().any(|map| change(map, &mut index)) {
                    break;
                }
                let edited = sealed.reseal(&opened, &new, later(1)).unwrap().unwrap();
                // Each document has a copy of the section.
                let lines = 1 + 2 * new.documents.len();
                let shown = || String::from_utf8_lossy(&edited).into_owned();
                assert_eq!(lines_changed(&bytes, &edited), lines, "{} value {at}:\n{}", path.display(), shown());
                let again = Sealed::read(format, edited.clone()).unwrap().open(&identities, MacPolicy::Verify).unwrap();
                assert_eq!(plain(format, &again.tree), plain(format, &new), "{} value {at}", path.display());
                if at % 16 == 0 {
                    decrypted(&path, &edited);
                }
                count += 1;
            }
        }
    }
    assert!(count > 200, "{count}");
}

#[test]
fn a_new_entry_and_its_removal_leave_the_rest_alone() {
    let identities = identities();
    for format in [Format::Yaml, Format::Json, Format::Dotenv, Format::Ini] {
        for path in files(format) {
            let bytes = fs::read(&path).unwrap();
            let open = |bytes: &[u8]| {
                let sealed = Sealed::read(format, bytes.to_vec()).unwrap();
                let opened = sealed.open(&identities, MacPolicy::Verify).unwrap();
                (sealed, opened)
            };
            let (sealed, opened) = open(&bytes);
            let place = if format == Format::Ini { "fresh.key" } else { "fresh" };
            let selector: pforge::secrets::Selector = place.parse().unwrap();
            let mut new = opened.tree.clone();
            selector.set(&mut new, Node::text("a value")).unwrap();
            let added = sealed.reseal(&opened, &new, later(1)).unwrap().unwrap();
            decrypted(&path, &added);
            let documents = new.documents.len();
            let (removed_lines, added_lines) = changed(&bytes, &added);
            let header = if format == Format::Ini { 2 } else { 0 };
            assert!(removed_lines <= 2 * documents + 1, "{}: {removed_lines}", path.display());
            assert!(added_lines <= 2 * documents + 2 + header, "{}: {added_lines}", path.display());

            let (sealed, opened) = open(&added);
            assert_eq!(plain(format, &opened.tree), plain(format, &new));
            let mut new = opened.tree.clone();
            selector.unset(&mut new).unwrap();
            if format == Format::Ini {
                new.documents[0].remove("fresh");
            }
            let back = sealed.reseal(&opened, &new, later(1)).unwrap().unwrap();
            assert!(lines_changed(&bytes, &back) <= 2 * documents, "{}", path.display());
            assert_eq!(decrypted(&path, &back), decrypted(&path, &bytes), "{}", path.display());
        }
    }
}

fn plain(format: Format, tree: &Tree) -> Vec<u8> {
    format.write_plain(tree, Style::default()).unwrap().expose().to_vec()
}

/// How many lines differ between texts with as many lines.
fn lines_changed(old: &[u8], new: &[u8]) -> usize {
    let lines = |text: &[u8]| text.split(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>();
    let (old, new) = (lines(old), lines(new));
    assert_eq!(old.len(), new.len());
    old.iter().zip(&new).filter(|(old, new)| old != new).count()
}
