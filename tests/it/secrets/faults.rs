//! Whatever goes wrong while a file is replaced: afterwards it is the old one or the new one,
//! whole, and nothing else is there.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use pforge::secrets::{Format, Identities, MacPolicy, Sealed, Style};

use crate::support::env::{Env, Output};

const IDENTITY: &str = include_str!("../../fixtures/sops/keys/age-A.txt");
const RECIPIENT: &str = "age199jqq85txcpsrwt62dhscc26eytacuf4jr46a2pkqts2nxur5qesslpru5";
/// Other than what a new file gets, so that it shows whether it was kept.
const MODE: u32 = 0o640;

/// A folder with one file, plain and encrypted.
struct Stage {
    env: Env,
    plain: Vec<u8>,
    sealed: Vec<u8>,
}

/// A command that replaces `secrets/file.yaml`.
#[derive(Clone, Copy, Debug)]
struct Act {
    args: &'static [&'static str],
    /// Whether it begins with the encrypted file.
    sealed: bool,
    /// What the file holds afterwards, given what it held.
    after: fn(&str) -> String,
    /// Whether it is encrypted afterwards.
    seals: bool,
}

const ENCRYPT: Act =
    Act { args: &["secrets", "encrypt", "-i", FILE], sealed: false, after: str::to_owned, seals: true };
const DECRYPT: Act =
    Act { args: &["secrets", "decrypt", "-i", FILE], sealed: true, after: str::to_owned, seals: false };
const SET: Act = Act {
    args: &["secrets", "set", "-f", FILE, "key0.name", "another"],
    sealed: true,
    after: |text| text.replacen("name: value-0-", "name: another #", 1),
    seals: true,
};
const ROTATE: Act = Act { args: &["secrets", "rotate", FILE], sealed: true, after: str::to_owned, seals: true };
const FILE: &str = "secrets/file.yaml";

impl Stage {
    /// With `values` values of about 100 bytes.
    fn new(values: usize) -> Self {
        let mut env = Env::new();
        env.set("SOPS_AGE_KEY", IDENTITY).set("SOPS_AGE_RECIPIENTS", RECIPIENT);
        let mut plain = String::new();
        for number in 0..values {
            let _ = writeln!(plain, "key{number}:\n    name: value-{number}-{}", "x".repeat(80));
        }
        let path = env.write(FILE, &plain);
        env.pforge(ENCRYPT.args).success();
        let sealed = fs::read(&path).unwrap();
        Self { env, plain: plain.into_bytes(), sealed }
    }

    fn file(&self) -> PathBuf {
        self.env.root().join(FILE)
    }

    /// Puts the file there that `act` begins with, and nothing else.
    fn reset(&self, act: Act) {
        let folder = self.file().parent().unwrap().to_path_buf();
        fs::remove_dir_all(&folder).unwrap();
        fs::create_dir(&folder).unwrap();
        fs::write(self.file(), self.before(act)).unwrap();
        fs::set_permissions(self.file(), fs::Permissions::from_mode(MODE)).unwrap();
    }

    fn before(&self, act: Act) -> &[u8] {
        if act.sealed { &self.sealed } else { &self.plain }
    }

    /// Whether the file is the new one; fails when it is neither.
    fn is_new(&self, act: Act, when: &str) -> bool {
        let bytes = fs::read(self.file()).unwrap_or_else(|e| panic!("{act:?}, {when}: the file is gone: {e}"));
        assert_eq!(fs::metadata(self.file()).unwrap().mode() & 0o7777, MODE, "{act:?}, {when}: its mode changed");
        if bytes == self.before(act) {
            return false;
        }
        let text = if act.seals { open(&bytes) } else { bytes };
        let expected = (act.after)(std::str::from_utf8(&self.plain).unwrap());
        let values = |text: &str| {
            Format::Yaml
                .read_plain(text.as_bytes())
                .map(|tree| Format::Yaml.write_plain(&tree, Style::default()).unwrap().expose().to_vec())
        };
        let got = String::from_utf8(text).unwrap();
        assert!(
            values(&got).unwrap() == values(&without_comments(&expected)).unwrap(),
            "{act:?}, {when}: the file is neither the old nor the new one; it has {} bytes",
            got.len()
        );
        true
    }

    /// Names and modes of what else is in the folder.
    fn leftovers(&self) -> BTreeMap<PathBuf, u32> {
        let entries = fs::read_dir(self.file().parent().unwrap()).unwrap().map(|entry| entry.unwrap().path());
        entries
            .filter(|path| *path != self.file())
            .filter_map(|path| fs::symlink_metadata(&path).ok().map(|data| (path, data.mode() & 0o7777)))
            .collect()
    }

    fn under(&self, wrapper: &[&str], args: &[&str]) -> Output {
        self.env.run(self.env.command_under(wrapper, args), args)
    }
}

fn without_comments(text: &str) -> String {
    text.lines().map(|line| line.split(" #").next().unwrap()).fold(String::new(), |text, line| text + line + "\n")
}

fn open(bytes: &[u8]) -> Vec<u8> {
    let mut identities = Identities::new(Box::new(|_| None));
    identities.add("the key", IDENTITY.as_bytes());
    let sealed = Sealed::read(Format::Yaml, bytes.to_vec()).expect("a whole encrypted file");
    let opened = sealed.open(&identities, MacPolicy::Verify).expect("it opens");
    Format::Yaml.write_plain(&opened.tree, Style::default()).unwrap().expose().to_vec()
}

/// A wrapper under which files cannot grow beyond `blocks` of 512 bytes: as on a full disk, a
/// write fails.
fn full_disk(blocks: &str) -> [&str; 5] {
    ["sh", "-c", r#"trap '' XFSZ; ulimit -f "$0"; exec "$@""#, blocks, "env"]
}

#[test]
fn a_full_disk_changes_nothing() {
    let stage = Stage::new(300);
    for act in [ENCRYPT, DECRYPT, SET, ROTATE] {
        for blocks in ["0", "8", "40"] {
            stage.reset(act);
            let output = stage.under(&full_disk(blocks), act.args);
            let when = format!("{blocks} blocks left");
            assert_eq!(output.code, Some(1), "{act:?}, {when}: {output}");
            assert!(output.stderr.contains("file.yaml") && output.stderr.contains("File too large"), "{output}");
            assert!(!stage.is_new(act, &when), "{act:?}, {when}: it was replaced");
            assert_eq!(stage.leftovers(), BTreeMap::new(), "{act:?}, {when}");
        }
    }
}

#[test]
fn a_full_disk_makes_no_partial_file() {
    let stage = Stage::new(300);
    for act in [ENCRYPT, DECRYPT] {
        stage.reset(act);
        let args: Vec<&str> =
            act.args.iter().map(|arg| if *arg == "-i" { "--output=secrets/new.yaml" } else { arg }).collect();
        let output = stage.under(&full_disk("8"), &args);
        assert_eq!(output.code, Some(1), "{output}");
        assert_eq!(stage.leftovers(), BTreeMap::new(), "{act:?}");
    }
    let output = stage.under(&full_disk("0"), &["secrets", "keygen", "-o", "secrets/key.txt"]);
    assert_eq!(output.code, Some(1), "{output}");
    assert_eq!(stage.leftovers(), BTreeMap::new(), "half a key is worse than none");
}

/// The limit as the system enforces it for who does not know it: the process dies in the middle of
/// the write.
#[test]
fn who_dies_writing_leaves_the_old_file() {
    let stage = Stage::new(300);
    for act in [ENCRYPT, DECRYPT, SET, ROTATE] {
        stage.reset(act);
        let output = stage.under(&["sh", "-c", r#"ulimit -c 0; ulimit -f 8; exec "$@""#, "sh"], act.args);
        assert_eq!(output.code, None, "it must be killed by SIGXFSZ: {output}");
        assert!(!stage.is_new(act, "after SIGXFSZ"));
        for (path, mode) in stage.leftovers() {
            assert_eq!(mode, 0o600, "{act:?} leaves {}", path.display());
        }
    }
}

#[test]
fn what_standard_output_does_not_take_is_a_failure() {
    let stage = Stage::new(300);
    for act in [ENCRYPT, DECRYPT] {
        stage.reset(act);
        let args: Vec<&str> = act.args.iter().copied().filter(|arg| *arg != "-i").collect();
        let mut command = stage.env.command(&args);
        command.stdout(fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
        let output = command.stderr(Stdio::piped()).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{act:?}: {stderr}");
        assert!(stderr.contains("No space left on device"), "{stderr}");
    }
}

/// Permissions do not bind root, so it gives up the right to overrule them.
fn bound_by_permissions() -> &'static [&'static str] {
    let root = fs::metadata("/proc/self").unwrap().uid() == 0;
    if root { &["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--"] } else { &[] }
}

#[test]
fn a_read_only_folder_changes_nothing() {
    let stage = Stage::new(20);
    let folder = stage.file().parent().unwrap().to_path_buf();
    let allow = |mode| fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).unwrap();
    for act in [ENCRYPT, DECRYPT, SET, ROTATE] {
        stage.reset(act);
        allow(0o555);
        let probe = stage.env.command_under(bound_by_permissions(), &["--version"]).output().expect("setpriv");
        assert!(probe.status.success(), "util-linux is required: {}", String::from_utf8_lossy(&probe.stderr));
        let output = stage.under(bound_by_permissions(), act.args);
        let read = stage.under(bound_by_permissions(), &["secrets", "status", FILE]);
        allow(0o755);
        assert_eq!(output.code, Some(1), "{act:?}: {output}");
        assert!(output.stderr.contains("file.yaml") && output.stderr.contains("Permission denied"), "{output}");
        assert!(!stage.is_new(act, "in a read-only folder"));
        assert_eq!(stage.leftovers(), BTreeMap::new(), "{act:?}");
        assert_eq!(read.code, Some(0), "reading needs no right to write: {read}");
    }
}

/// Kills it at random moments, and at the first sign that it writes.
fn killed(act: Act, rounds: u32) {
    let stage = Stage::new(1500);
    stage.reset(act);
    let begun = Instant::now();
    stage.env.pforge(act.args).success();
    let whole = begun.elapsed();
    assert!(stage.is_new(act, "undisturbed"), "{act:?} must change the file");
    let (mut old, mut new) = (0, 0);
    for round in 0..rounds {
        stage.reset(act);
        let before = fs::metadata(stage.file()).unwrap().ino();
        let mut child = stage.env.command(act.args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let begun = Instant::now();
        let until = match round % 3 {
            0 => whole.mul_f64(fastrand::f64()),
            1 => whole.mul_f64(0.8 + 0.3 * fastrand::f64()),
            _ => Duration::MAX,
        };
        while begun.elapsed() < until && child.try_wait().unwrap().is_none() {
            if until == Duration::MAX {
                let replaced = fs::metadata(stage.file()).is_ok_and(|data| data.ino() != before);
                if replaced || !stage.leftovers().is_empty() {
                    break;
                }
            }
            std::thread::yield_now();
        }
        let _ = child.kill();
        child.wait().unwrap();
        *(if stage.is_new(act, "after kill -9") { &mut new } else { &mut old }) += 1;
        for (path, mode) in stage.leftovers() {
            assert!(mode == 0o600 || mode == MODE, "{act:?} leaves {} with mode {mode:o}", path.display());
        }
        // What is left disturbs nobody.
        if round % 5 == 0 && !stage.is_new(act, "after kill -9") {
            stage.env.pforge(act.args).success();
            assert!(stage.is_new(act, "after the next run"));
        }
    }
    assert!(old > 0 && new > 0, "{act:?}: {old} old and {new} new files: the moments were badly chosen");
}

#[test]
fn killed_encrypting_it_is_the_old_or_the_new_file() {
    killed(ENCRYPT, 36);
}

#[test]
fn killed_decrypting_it_is_the_old_or_the_new_file() {
    killed(DECRYPT, 36);
}

#[test]
fn killed_setting_a_value_it_is_the_old_or_the_new_file() {
    killed(SET, 36);
}

#[test]
fn links_are_followed_and_stay() {
    let stage = Stage::new(5);
    for act in [ENCRYPT, DECRYPT, SET, ROTATE] {
        stage.reset(act);
        let folder = stage.file().parent().unwrap().to_path_buf();
        let real = stage.env.root().join("elsewhere.yaml");
        fs::rename(stage.file(), &real).unwrap();
        // Relative, and by way of another link.
        symlink("../elsewhere.yaml", folder.join("link.yaml")).unwrap();
        symlink("link.yaml", stage.file()).unwrap();
        stage.env.pforge(act.args).success();
        assert!(fs::symlink_metadata(stage.file()).unwrap().is_symlink(), "{act:?} replaced the link");
        assert!(stage.is_new(act, "through links"));
        assert_eq!(fs::read(&real).unwrap(), fs::read(stage.file()).unwrap());
        assert_eq!(stage.leftovers().len(), 1, "only the other link: {act:?}");
    }
}

/// Root edits the file of somebody else: it stays theirs.
#[test]
fn the_owner_is_kept() {
    let stage = Stage::new(5);
    let theirs = |path: &Path| fs::metadata(path).map(|data| (data.uid(), data.gid())).unwrap();
    for act in [ENCRYPT, SET] {
        stage.reset(act);
        if theirs(&stage.file()).0 == 0 {
            std::os::unix::fs::chown(stage.file(), Some(1234), Some(1234)).unwrap();
        }
        let owner = theirs(&stage.file());
        stage.env.pforge(act.args).success();
        assert!(stage.is_new(act, "of another owner"));
        assert_eq!(theirs(&stage.file()), owner, "{act:?}");
    }
}

#[test]
fn a_new_file_can_be_read_by_its_owner_only() {
    let stage = Stage::new(5);
    stage.reset(DECRYPT);
    for file in ["secrets/out.yaml", "out.yaml"] {
        stage.env.pforge(&["secrets", "decrypt", FILE, "-o", file]).success();
        assert_eq!(fs::metadata(stage.env.root().join(file)).unwrap().mode() & 0o7777, 0o600);
    }
    stage.env.pforge(&["secrets", "keygen", "-o", "key.txt"]).success();
    assert_eq!(fs::metadata(stage.env.root().join("key.txt")).unwrap().mode() & 0o7777, 0o600);
}
