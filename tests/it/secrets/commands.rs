//! The commands for people, through the built binary, beside the real sops.

mod edit;
mod exec;
mod keygen;
mod people;
mod seal;
mod values;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::env::{Env, Output};
use crate::support::sops::sops;

/// A text that stands in every document here, and must never be told.
const SECRET: &str = "hunter2-do-not-tell";

/// An identity of the fixtures: the content of its file, and its public key.
fn identity(name: &str) -> (String, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/sops/keys/age-{name}.txt"));
    let text = fs::read_to_string(path).expect("a fixture");
    let public = text.lines().find_map(|line| line.strip_prefix("# public key: ")).expect("a public key").to_owned();
    (text, public)
}

/// A repository of alice, who has the identity A; the list names alice (A) and bob (B).
struct Desk {
    env: Env,
}

impl Desk {
    fn new() -> Self {
        let mut env = Env::new();
        env.set("SOPS_AGE_KEY", &identity("A").0);
        let desk = Self { env };
        desk.write("secrets/age-recipients.txt", &format!("# alice\n{}\n{} # bob\n", identity("A").1, identity("B").1));
        desk
    }

    /// A desk with one encrypted config, committed.
    fn with_config() -> Self {
        let desk = Self::new();
        desk.write(CONFIG, PLAIN);
        desk.run(&["encrypt", "-i", CONFIG]).success();
        desk.commit();
        desk
    }

    fn commit(&self) {
        for args in
            [&["init", "-q"][..], &["add", "-A"], &["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x"]]
        {
            let mut git = Command::new("git");
            git.args(args).current_dir(self.env.root()).env_clear().env("PATH", "/usr/bin:/bin").stdin(Stdio::null());
            assert!(git.status().expect("git").success(), "{args:?}");
        }
    }

    /// `pforge secrets …`; whatever it does, the secret is not told on standard error.
    fn run(&self, args: &[&str]) -> Output {
        let args: Vec<&str> = ["secrets"].iter().chain(args).copied().collect();
        self.checked(self.env.pforge(&args))
    }

    /// As [`Self::run`], with standard input.
    fn fed(&self, args: &[&str], input: &str) -> Output {
        let args: Vec<&str> = ["secrets"].iter().chain(args).copied().collect();
        let mut command = self.env.command(&args);
        let path = self.write(".input", input);
        command.stdin(fs::File::open(path).expect("the input"));
        self.checked(self.env.run(command, &args))
    }

    fn checked(&self, output: Output) -> Output {
        assert!(!output.stderr.contains(SECRET), "{output}");
        assert!(!output.stderr.contains("AGE-SECRET-KEY-"), "{output}");
        output
    }

    fn path(&self, path: &str) -> PathBuf {
        self.env.root().join(path)
    }

    fn write(&self, path: &str, text: &str) -> PathBuf {
        self.env.write(path, text)
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    fn mode(&self, path: &str) -> u32 {
        fs::metadata(self.path(path)).expect("metadata").permissions().mode() & 0o777
    }

    /// Writes a program.
    fn program(&self, path: &str, script: &str) -> PathBuf {
        let path = self.write(path, &format!("#!/bin/sh\n{script}\n"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("chmod");
        path
    }

    /// What the real sops says: standard output and whether it succeeded.
    fn sops(&self, args: &[&str], identities: &[&str]) -> (Vec<u8>, bool) {
        let keys: String = identities.iter().map(|name| identity(name).0).collect();
        let mut command = sops();
        let output = command.args(args).current_dir(self.env.root()).env("SOPS_AGE_KEY", keys).output().expect("sops");
        (output.stdout, output.status.success())
    }

    /// What the real sops decrypts.
    fn sops_decrypts(&self, path: &str, identities: &[&str]) -> Option<String> {
        let (stdout, ok) = self.sops(&["decrypt", path], identities);
        ok.then(|| String::from_utf8(stdout).expect("UTF-8"))
    }

    /// Lines that differ from the last commit: added and removed.
    fn changed_lines(&self, path: &str) -> (usize, usize) {
        let output = Command::new("git").args(["diff", "--numstat", path]).current_dir(self.env.root()).output();
        let text = String::from_utf8(output.expect("git").stdout).expect("UTF-8");
        let mut numbers = text.split_whitespace().map(|word| word.parse().unwrap_or_default());
        (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default())
    }
}

const CONFIG: &str = "secrets/config.pforge-local-alice.yaml";

const PLAIN: &str = "\
# the App
github_app:
    id: 7
    app_name: pforge-local-alice
    webhook_secret: hunter2-do-not-tell

    private_key: |
        first line
        second line
fastapi:
    PANGEO_FORGE_API_KEY: 0123abcd
hosts:
    - one
    - name: two
      ports:
        - 80
        - 81
ratio: 1.5
on: true
nothing: null
";

/// Waits until the next second has begun, so that `lastmodified` differs.
fn next_second() {
    let now = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a time").as_secs();
    let begun = now();
    while now() == begun {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}
