//! Identities and recipients of every kind, against real `ssh-keygen`, `age` and `sops`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::Utc;
use pforge::secrets::{Error, Format, Identities, MacPolicy, Recipient, Sealed, Sealing, Style, generate, seal};
use pforge::util::Secret;
use tempfile::TempDir;

use crate::support::sops::{age, age_keygen, sops};

const PLAIN: &str = "a: 1\n";

/// An SSH key in `folder`; the path of its private half.
fn ssh_key(folder: &TempDir, name: &str, passphrase: &str, more: &[&str]) -> PathBuf {
    let path = folder.path().join(name);
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-C", "somebody@somewhere", "-N", passphrase, "-f"]).arg(&path).args(more);
    assert!(command.status().unwrap().success());
    path
}

fn recipient(private: &Path) -> Recipient {
    fs::read_to_string(private.with_extension("pub")).unwrap().parse().unwrap()
}

fn sealed_for(groups: Vec<Vec<Recipient>>) -> Sealed {
    let tree = Format::Yaml.read_plain(PLAIN.as_bytes()).unwrap();
    let bytes = seal(Format::Yaml, &tree, &Sealing { groups, ..Sealing::default() }, Utc::now()).unwrap();
    Sealed::read(Format::Yaml, bytes).unwrap()
}

fn opens(sealed: &Sealed, identities: &Identities) -> Result<(), Error> {
    let opened = sealed.open(identities, MacPolicy::Verify)?;
    assert_eq!(opened.write(Format::Yaml, Style::default())?.expose_str(), Some(PLAIN));
    Ok(())
}

/// Identities that are asked for passphrases: `answer` is given and the questions are counted.
fn asked(answer: Option<&'static str>) -> (Identities, Arc<AtomicUsize>) {
    let questions = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&questions);
    let identities = Identities::new(Box::new(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        answer.map(Secret::new)
    }));
    (identities, questions)
}

#[test]
fn ssh_keys_open_what_sops_and_pforge_encrypt_for_them() {
    let folder = tempfile::tempdir().unwrap();
    for (name, options) in [
        ("ed25519", &["-t", "ed25519"][..]),
        ("rsa", &["-t", "rsa", "-b", "2048"]),
        ("pem", &["-t", "rsa", "-b", "2048", "-m", "PEM"]),
    ] {
        let private = ssh_key(&folder, name, "", options);
        let public = recipient(&private);
        let sealed = sealed_for(vec![vec![public.clone()]]);
        assert_eq!(sealed.metadata().recipients(), [public.to_string()], "the comment stays");
        let mut identities = Identities::default();
        identities.add_ssh(name, &fs::read(&private).unwrap());
        opens(&sealed, &identities).unwrap();
        let known: Recipient = identities.public_keys()[0].0.parse().unwrap();
        assert!(known.is_same(&public));

        let file = folder.path().join("a.yaml");
        fs::write(&file, sealed.bytes()).unwrap();
        let output = sops().env("SOPS_AGE_SSH_PRIVATE_KEY_FILE", &private).arg("-d").arg(&file).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), PLAIN, "{}", String::from_utf8_lossy(&output.stderr));

        fs::write(&file, PLAIN).unwrap();
        let output = sops().args(["-e", "--age", &public.to_string()]).arg(&file).output().unwrap();
        opens(&Sealed::read(Format::Yaml, output.stdout).unwrap(), &identities).unwrap();
    }
}

#[test]
fn a_passphrase_is_asked_for_once_and_only_if_it_can_help() {
    let folder = tempfile::tempdir().unwrap();
    let private = ssh_key(&folder, "locked", "open sesame", &["-t", "ed25519"]);
    let key = fs::read(&private).unwrap();
    let sealed = sealed_for(vec![vec![recipient(&private)]]);

    let (mut identities, questions) = asked(Some("open sesame"));
    identities.add_ssh("~/.ssh/locked", &key);
    let public: Recipient = identities.public_keys()[0].0.parse().unwrap();
    assert!(public.is_same(&recipient(&private)), "the public key of a locked one is known");
    assert_eq!(questions.load(Ordering::Relaxed), 0);
    opens(&sealed, &identities).unwrap();
    opens(&sealed, &identities).unwrap();
    assert_eq!(questions.load(Ordering::Relaxed), 1);

    // Somebody else's document, and one that another identity opens.
    let (mine, public) = generate();
    let (mut identities, questions) = asked(Some("open sesame"));
    identities.add_ssh("~/.ssh/locked", &key);
    let theirs = sealed_for(vec![vec![generate().1.parse().unwrap()]]);
    assert!(matches!(opens(&theirs, &identities), Err(Error::NoIdentity { .. })));
    identities.add("keys.txt", mine.expose().as_bytes());
    opens(&sealed_for(vec![vec![recipient(&private), public.parse().unwrap()]]), &identities).unwrap();
    assert_eq!(questions.load(Ordering::Relaxed), 0);

    for (answer, expected) in [(Some("wrong"), "the passphrase is wrong"), (None, "nobody can be asked")] {
        let (mut identities, questions) = asked(answer);
        identities.add_ssh("~/.ssh/locked", &key);
        let Err(Error::NoIdentity { problems, .. }) = opens(&sealed, &identities) else { panic!("{answer:?}") };
        assert!(problems[0].starts_with("~/.ssh/locked: ") && problems[0].contains(expected), "{problems:?}");
        assert!(opens(&sealed, &identities).is_err());
        assert_eq!(questions.load(Ordering::Relaxed), 1, "not asked again");
    }
}

#[test]
fn the_groups_of_a_document_may_need_a_passphrase_each() {
    let folder = tempfile::tempdir().unwrap();
    let one = ssh_key(&folder, "one", "same", &["-t", "ed25519"]);
    let other = ssh_key(&folder, "other", "same", &["-t", "ed25519"]);
    let (mut identities, questions) = asked(Some("same"));
    for path in [&one, &other] {
        identities.add_ssh(path.to_str().unwrap(), &fs::read(path).unwrap());
    }
    opens(&sealed_for(vec![vec![recipient(&one)], vec![recipient(&other)]]), &identities).unwrap();
    assert_eq!(questions.load(Ordering::Relaxed), 2);
}

#[test]
fn sources_of_identities_are_read_as_leniently_as_by_sops() {
    let keys: Vec<_> = (0..4).map(|_| generate()).collect();
    let text = |at: usize| keys[at].0.expose();
    let file = format!(
        "# created\r\n\r\n{}\r\n  {} {}\nAGE-PLUGIN-YUBIKEY-1QQQ\nnonsense {}\n",
        text(0),
        text(1),
        text(2),
        text(3)
    );
    let mut identities = Identities::default();
    identities.add("keys.txt", file.as_bytes());
    for key in &keys[..3] {
        opens(&sealed_for(vec![vec![key.1.parse().unwrap()]]), &identities).unwrap();
    }
    assert_eq!(
        identities.problems(),
        [
            "keys.txt, line 5: identities of age plugins are not supported",
            "keys.txt, line 6: not an AGE-SECRET-KEY-1 identity"
        ]
    );
    identities.add("other", b"\xff\xfe");
    identities.add_ssh("third", b"-----BEGIN NOTHING-----\n");
    let told = format!("{identities:?} {:?}", identities.problems());
    assert!(keys.iter().all(|(secret, _)| !told.contains(secret.expose())));
    let Err(Error::NoIdentity { recipients, problems }) =
        opens(&sealed_for(vec![vec![keys[3].1.parse().unwrap()]]), &identities)
    else {
        panic!("opened")
    };
    assert_eq!((recipients, problems.len()), (vec![keys[3].1.clone()], 4));
}

#[test]
fn what_is_no_recipient_is_named_but_a_secret_is_not() {
    let (secret, public) = generate();
    let lower = secret.expose().to_lowercase();
    for (entry, reason) in [
        ("", "neither"),
        ("nobody", "neither"),
        ("age1pq1qqqq", "post-quantum"),
        ("age1yubikey1qqqq", "plugins"),
        (&public[..50], "damaged"),
        ("ssh-ed25519 AAAA", "damaged"),
        ("ssh-dss AAAAB3NzaC1kc3M=", "only ssh-ed25519 and ssh-rsa"),
        (secret.expose(), "neither"),
        (&lower, "neither"),
    ] {
        let error = entry.parse::<Recipient>().unwrap_err();
        let text = error.to_string();
        assert!(text.contains(reason), "{text}");
        assert!(!text.to_uppercase().contains(&secret.expose()[20..]), "{text}");
    }
    assert!(format!("  {public}\n").parse::<Recipient>().is_ok());
}

#[test]
fn age_makes_the_identities_and_opens_the_data_key() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key.txt");
    assert!(age_keygen().arg("-o").arg(&key).stderr(Stdio::null()).status().expect("age-keygen starts").success());
    let made = fs::read_to_string(&key).unwrap();
    let public = made.lines().find_map(|line| line.strip_prefix("# public key: ")).expect("a public key");
    let sealed = sealed_for(vec![vec![public.parse().unwrap()]]);
    let mut identities = Identities::default();
    identities.add("key.txt", made.as_bytes());
    opens(&sealed, &identities).unwrap();

    let wrapped = folder.path().join("data-key.age");
    fs::write(&wrapped, &sealed.metadata().groups[0][0].enc).unwrap();
    let output = age().args(["--decrypt", "--identity"]).args([&key, &wrapped]).output().expect("age starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.stdout.len(), 32);
}
