//! Files that real sops wrote, or refused to write: every one must be opened, rejected or refused
//! as sops does. What pforge seals must be opened by real sops.

use std::fs;
use std::path::{Path, PathBuf};

use chrono::Utc;
use pforge::secrets::{Error, Format, Identities, MacPolicy, Opened, Sealed, Sealing, Style, seal};
use serde_json::Value;

use crate::support::sops::sops;

/// What sops prints for these is not YAML, or means something else to other readers.
const PRINTED_BETTER: [&str; 2] = ["yaml-08-unicode", "yaml-37-list-leading-space-block"];

/// One entry of the manifest.
struct Vector {
    id: String,
    format: Format,
    root: PathBuf,
    entry: Value,
}

impl Vector {
    fn all(kind: &str) -> Vec<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sops");
        let manifest: Value = serde_json::from_slice(&fs::read(root.join("manifest.json")).unwrap()).unwrap();
        let entries = manifest["vectors"].as_array().unwrap().iter().filter(|entry| entry["kind"] == kind);
        entries
            .map(|entry| Self {
                id: entry["id"].as_str().unwrap().to_owned(),
                format: match entry["format"].as_str().unwrap() {
                    "yaml" => Format::Yaml,
                    "json" => Format::Json,
                    "dotenv" => Format::Dotenv,
                    "ini" => Format::Ini,
                    "binary" => Format::Binary,
                    other => panic!("format {other}"),
                },
                root: root.clone(),
                entry: entry.clone(),
            })
            .collect()
    }

    fn text(&self, field: &str) -> Option<&str> {
        self.entry[field].as_str()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.join(self.text("dir").unwrap()).join(name)
    }

    /// The file that `field` names.
    fn file(&self, field: &str) -> Option<Vec<u8>> {
        self.text(field).map(|name| fs::read(self.path(name)).unwrap())
    }

    fn keys(&self) -> impl Iterator<Item = PathBuf> {
        let names = self.entry["identities"].as_array().into_iter().flatten();
        names.map(|name| self.root.join(name.as_str().unwrap()))
    }

    fn identities(&self) -> Identities {
        let mut identities = Identities::default();
        for path in self.keys() {
            identities.add(path.to_str().unwrap(), &fs::read(&path).unwrap());
        }
        identities
    }

    fn open(&self, policy: MacPolicy) -> Result<Opened, Error> {
        Sealed::read(self.format, self.file("enc").unwrap())?.open(&self.identities(), policy)
    }

    /// What sops prints for `sealed` with the identities of the vector.
    fn printed_by_sops(&self, sealed: &[u8], extra: &[&str]) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(self.text("enc").unwrap());
        fs::write(&file, sealed).unwrap();
        let mut command = sops();
        let mut age = String::new();
        for path in self.keys() {
            if path.file_name().unwrap().to_str().unwrap().starts_with("ssh") {
                command.env("SOPS_AGE_SSH_PRIVATE_KEY_FILE", path);
            } else {
                age += &fs::read_to_string(path).unwrap();
            }
        }
        let output = command.env("SOPS_AGE_KEY", age).arg("-d").args(extra).arg(&file).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {told}\n{}", self.id, String::from_utf8_lossy(sealed));
        output.stdout
    }
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs `check` over all vectors of `kind` and reports all failures at once.
fn each(kind: &str, at_least: usize, check: impl Fn(&Vector) -> Result<(), String>) {
    let vectors = Vector::all(kind);
    assert!(vectors.len() >= at_least, "only {} vectors of kind {kind}", vectors.len());
    let failures: Vec<_> =
        vectors.iter().filter_map(|vector| check(vector).err().map(|why| format!("{}: {why}", vector.id))).collect();
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), vectors.len(), failures.join("\n"));
}

fn same(what: &str, actual: &[u8], expected: &[u8]) -> Result<(), String> {
    if actual == expected {
        return Ok(());
    }
    let (actual, expected) = (shown(actual), shown(expected));
    let line = actual.lines().zip(expected.lines()).position(|(one, other)| one != other);
    let line = line.unwrap_or_else(|| actual.lines().count().min(expected.lines().count()));
    let at = |text: &str| text.lines().nth(line).map(|line| line.chars().take(200).collect::<String>());
    Err(format!("{what}, line {}: {:?} instead of {:?}", line + 1, at(&actual), at(&expected)))
}

#[test]
fn what_sops_wrote_is_printed_as_sops_prints_it() {
    each("roundtrip", 60, |vector| {
        let sealed = Sealed::read(vector.format, vector.file("enc").unwrap()).map_err(|error| error.to_string())?;
        if let Some(recipients) = vector.entry["recipients"].as_array() {
            let expected: Vec<_> = recipients.iter().map(|name| name.as_str().unwrap()).collect();
            assert_eq!(sealed.metadata().recipients(), expected, "{}", vector.id);
        }
        let opened = vector.open(MacPolicy::Verify).map_err(|error| error.to_string())?;
        let clear_comments = vector.id.contains("comments-looking-encrypted");
        if !opened.warnings.is_empty() && !clear_comments {
            return Err(format!("warnings: {:?}", opened.warnings));
        }
        if let Some(view) = vector.file("json_view") {
            let text = opened.write(Format::Json, Style::default()).map_err(|error| error.to_string())?;
            same("as JSON", text.expose(), &view)?;
        }
        if vector.entry["json_view_error"].is_object() && opened.write(Format::Json, Style::default()).is_ok() {
            return Err("is written as JSON, which sops refuses".to_owned());
        }
        let text = opened.write(vector.format, Style::default()).map_err(|error| error.to_string())?;
        if PRINTED_BETTER.contains(&vector.id.as_str()) {
            // What it means decides, not how it is spelled.
            let read = vector.format.read_plain(text.expose()).map_err(|error| error.to_string())?;
            let mut again = opened;
            again.tree = read;
            let view = again.write(Format::Json, Style::default()).map_err(|error| error.to_string())?;
            return same("read again", view.expose(), &vector.file("json_view").unwrap());
        }
        same("plaintext", text.expose(), &vector.file("dec").unwrap())
    });
}

#[test]
fn what_is_sealed_again_is_opened_by_pforge_and_by_sops() {
    each("roundtrip", 60, |vector| {
        let told = |error: Error| error.to_string();
        let theirs = Sealed::read(vector.format, vector.file("enc").unwrap()).map_err(told)?;
        let metadata = theirs.metadata();
        let groups = metadata
            .groups
            .iter()
            .map(|group| group.iter().map(|wrapped| wrapped.recipient.parse()).collect::<Result<Vec<_>, Error>>());
        let sealing = Sealing {
            groups: groups.collect::<Result<_, _>>().map_err(told)?,
            threshold: (metadata.groups.len() > 1).then_some(metadata.threshold),
            rule: metadata.rule.clone(),
            mac_only_encrypted: metadata.mac_only_encrypted,
            style: Style::default(),
        };
        let plain = vector.format.read_plain(&vector.file("plain").unwrap()).map_err(told)?;
        let bytes = seal(vector.format, &plain, &sealing, Utc::now()).map_err(told)?;
        same("as sops prints it", &vector.printed_by_sops(&bytes, &[]), &vector.file("dec").unwrap())?;

        let ours = Sealed::read(vector.format, bytes).map_err(told)?;
        let opened = ours.open(&vector.identities(), MacPolicy::Verify).map_err(told)?;
        let text = opened.write(vector.format, Style::default()).map_err(told)?;
        let expected =
            vector.open(MacPolicy::Verify).map_err(told)?.write(vector.format, Style::default()).map_err(told)?;
        same("as pforge prints it", text.expose(), expected.expose())?;
        if ours.reseal(&opened, &opened.tree, Utc::now()).map_err(told)?.is_some() {
            return Err("is written again though nothing changed".to_owned());
        }
        Ok(())
    });
}

#[test]
fn rotated_files_and_new_recipients_are_opened_by_sops() {
    each("roundtrip", 60, |vector| {
        let told = |error: Error| error.to_string();
        let sealed = Sealed::read(vector.format, vector.file("enc").unwrap()).map_err(told)?;
        let opened = sealed.open(&vector.identities(), MacPolicy::Verify).map_err(told)?;
        let groups = sealed
            .metadata()
            .groups
            .iter()
            .map(|group| group.iter().map(|wrapped| wrapped.recipient.parse()).collect::<Result<Vec<_>, Error>>());
        let groups = groups.collect::<Result<Vec<_>, _>>().map_err(told)?;
        let rotated = sealed.rotate(&opened, &groups, Utc::now()).map_err(told)?;
        same("rotated", &vector.printed_by_sops(&rotated, &[]), &vector.file("dec").unwrap())?;
        if groups.len() == 1 {
            let (_, recipient) = pforge::secrets::generate();
            let added = sealed.add_recipients(&opened, &[recipient.parse().map_err(told)?]).map_err(told)?;
            same("with another recipient", &vector.printed_by_sops(&added, &[]), &vector.file("dec").unwrap())?;
        }
        Ok(())
    });
}

#[test]
fn tampering_gets_the_verdict_of_sops() {
    each("tampered", 70, |vector| {
        let expect = &vector.entry["expect"];
        let flags = vector.entry["decrypt_flags"].as_array().unwrap();
        let policy =
            if flags.iter().any(|flag| flag == "--ignore-mac") { MacPolicy::Report } else { MacPolicy::Verify };
        match (expect["verdict"].as_str().unwrap(), vector.open(policy)) {
            ("accept", Ok(opened)) => {
                let expected = fs::read(vector.path(expect["stdout_file"].as_str().unwrap())).unwrap();
                let text = opened.write(vector.format, Style::default()).map_err(|error| error.to_string())?;
                same("plaintext", text.expose(), &expected)
            }
            ("accept", Err(error)) => Err(format!("rejected: {error}")),
            // Where sops crashes, too.
            ("reject" | "crash", Ok(_)) => Err("accepted".to_owned()),
            ("reject" | "crash", Err(_)) => Ok(()),
            (other, _) => panic!("verdict {other}"),
        }
    });
}

#[test]
fn what_sops_does_not_encrypt_is_refused_with_a_reason() {
    let recipient = pforge::secrets::generate().1.parse().unwrap();
    let sealing = Sealing { groups: vec![vec![recipient]], ..Sealing::default() };
    each("refuse-encrypt", 14, |vector| {
        let plain = vector.file("plain").unwrap();
        let sealed = vector.format.read_plain(&plain).and_then(|tree| seal(vector.format, &tree, &sealing, Utc::now()));
        match sealed {
            Ok(_) => Err("encrypted".to_owned()),
            Err(error) if error.to_string().is_empty() => Err("no reason".to_owned()),
            Err(_) => Ok(()),
        }
    });
}
