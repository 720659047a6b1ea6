//! Commands that look at files and keep them whole: check, status, diff, textconv, api-key.

mod api_key;
mod causes;
mod check;
mod shown;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::env::Env;
use crate::support::sops::sops;

/// A value that stands in every document here, and must never be told.
pub const SECRET: &str = "hunter2-do-not-tell";

/// The config file that these tests are about.
pub const CONFIG: &str = "secrets/config.pforge-local-alice.yaml";

/// A config in clear.
pub const PLAIN: &str = "\
# The App of alice
github_app:
    id: 231585
    app_name: hunter2-do-not-tell

    webhook_secret: 'hunter2-do-not-tell-a'   # from GitHub
hosts:
    - hunter2-do-not-tell-1
    - hunter2-do-not-tell-2
    - hunter2-do-not-tell-3
server_unencrypted:
    listen: 127.0.0.1:8000
    workers: 2
fastapi:
    PANGEO_FORGE_API_KEY: hunter2-do-not-tell-k
";

pub fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sops")
}

/// An identity of the fixtures: the content of its file, and its public key.
pub fn identity(name: &str) -> (String, String) {
    let text = std::fs::read_to_string(fixtures().join(format!("keys/age-{name}.txt"))).expect("a fixture");
    let public = text.lines().find_map(|line| line.strip_prefix("# public key: ")).expect("a public key").to_owned();
    (text, public)
}

/// A git repository of alice, whose identity is A.
pub struct Desk {
    pub env: Env,
}

impl Desk {
    /// With a list of recipients, and nothing else.
    pub fn new() -> Self {
        let mut env = Env::new();
        env.set("SOPS_AGE_KEY", &identity("A").0);
        for role in ["AUTHOR", "COMMITTER"] {
            env.set(&format!("GIT_{role}_NAME"), "alice").set(&format!("GIT_{role}_EMAIL"), "alice@example.org");
        }
        env.write("secrets/age-recipients.txt", &format!("# alice\n{}\n", identity("A").1));
        let desk = Self { env };
        desk.git(&["init", "-q", "-b", "main"]);
        desk
    }

    /// With the encrypted config, committed.
    pub fn with_config() -> Self {
        let desk = Self::new();
        desk.env.write(CONFIG, PLAIN);
        desk.env.pforge(&["secrets", "encrypt", "-i", CONFIG]).success();
        desk.commit("the config");
        desk
    }

    /// Runs git to a success, and gives all that it prints.
    pub fn git(&self, args: &[&str]) -> String {
        let (code, text) = self.try_git(args);
        assert_eq!(code, Some(0), "git {args:?}: {text}");
        text
    }

    /// Runs git.
    pub fn try_git(&self, args: &[&str]) -> (Option<i32>, String) {
        // The environment of `pforge`, without its arguments: hooks and drivers run in it.
        let like = self.env.command(&[]);
        let mut command = Command::new("git");
        command.env_clear().envs(like.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let output = command.args(args).current_dir(self.env.root()).stdin(Stdio::null()).output().expect("git");
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("UTF-8")).concat();
        (output.status.code(), text)
    }

    /// Commits everything, past the hooks.
    pub fn commit(&self, message: &str) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--no-verify", "-m", message]);
    }

    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.env.root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Changes the text of the config.
    pub fn edit(&self, change: impl FnOnce(&str) -> String) {
        let before = self.read(CONFIG);
        let after = change(&before);
        assert_ne!(before, after, "nothing was changed");
        self.env.write(CONFIG, &after);
    }

    /// What the real sops makes of a file.
    pub fn sops_decrypts(&self, path: &str) -> String {
        let mut command = sops();
        command.args(["decrypt", path]).current_dir(self.env.root()).env("SOPS_AGE_KEY", identity("A").0);
        let output = command.output().expect("sops");
        assert!(output.status.success(), "{path}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    }
}
