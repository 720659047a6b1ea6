//! Where identities are looked for: the places that SOPS looks at, all of them, and `key.txt`
//! beside the folder `secrets/`.

mod command;

use std::fs;
use std::path::{Path, PathBuf};

use command::PATIENCE;

use crate::cli::env::Env;
use crate::cli::ui::Ui;
use crate::secrets::{Ask, Identities, Text};

/// The identities that were found, and where they were looked for.
#[derive(Debug)]
pub struct Found {
    /// The identities.
    pub identities: Identities,
    /// What was looked at, a line each: first the places that were there, then one line for the
    /// variables that are not set and one for the files that are not there.
    pub places: Vec<String>,
}

/// Looks at every place; a passphrase is asked for only when nothing else opens a document, and
/// only at a terminal. `root` is the folder with `secrets/`; `recipients` are those of the
/// document that is to be opened, each of which a key command may be asked for.
pub fn collect(env: &Env, ui: &Ui, root: &Path, recipients: &[String]) -> Found {
    gather(env, ui.passphrases(), root, recipients)
}

/// As [`collect`], but never asks for a passphrase: for what runs on its own, as hooks do.
pub fn collect_unasked(env: &Env, root: &Path) -> Found {
    gather(env, Box::new(|_| None), root, &[])
}

fn gather(env: &Env, ask: Ask, root: &Path, recipients: &[String]) -> Found {
    let mut search = Search {
        env,
        recipients,
        identities: Identities::new(ask),
        read: Vec::new(),
        there: Vec::new(),
        unset: Vec::new(),
        absent: Vec::new(),
    };
    search.ssh();
    search.age(root);
    search.end()
}

/// What a file or a command holds.
#[derive(Clone, Copy)]
enum Kind {
    Age,
    Ssh,
}

struct Search<'a> {
    env: &'a Env,
    recipients: &'a [String],
    identities: Identities,
    /// Files that were read, so that none is read twice.
    read: Vec<PathBuf>,
    there: Vec<String>,
    unset: Vec<&'static str>,
    absent: Vec<String>,
}

impl<'a> Search<'a> {
    fn ssh(&mut self) {
        self.named_file("SOPS_AGE_SSH_PRIVATE_KEY_FILE", Kind::Ssh);
        self.command("SOPS_AGE_SSH_PRIVATE_KEY_CMD", Kind::Ssh);
        if let Some(home) = home(self.env) {
            for name in ["id_ed25519", "id_rsa"] {
                self.file(&home.join(".ssh").join(name), Kind::Ssh);
            }
        }
    }

    fn age(&mut self, root: &Path) {
        if let Some(text) = self.variable("SOPS_AGE_KEY") {
            self.there.push("$SOPS_AGE_KEY".to_owned());
            if is_a_path(text) {
                self.identities
                    .problem("$SOPS_AGE_KEY is the path of a file: the variable for that is SOPS_AGE_KEY_FILE".into());
            } else {
                self.identities.add("$SOPS_AGE_KEY", text.as_bytes());
            }
        }
        self.named_file("SOPS_AGE_KEY_FILE", Kind::Age);
        self.command("SOPS_AGE_KEY_CMD", Kind::Age);
        for folder in config_folders(self.env) {
            self.file(&folder.join("sops/age/keys.txt"), Kind::Age);
        }
        self.file(&root.join("key.txt"), Kind::Age);
    }

    fn end(mut self) -> Found {
        let dollar = |name: &&str| format!("${name}");
        if !self.unset.is_empty() {
            self.there.push(format!("not set: {}", self.unset.iter().map(dollar).collect::<Vec<_>>().join(", ")));
        }
        if !self.absent.is_empty() {
            self.there.push(format!("not there: {}", self.absent.join(", ")));
        }
        Found { identities: self.identities, places: self.there }
    }

    fn variable(&mut self, name: &'static str) -> Option<&'a str> {
        let value = self.env.get(name);
        if value.is_none() {
            self.unset.push(name);
        }
        value
    }

    /// A file that a variable names: that it is not there is a problem.
    fn named_file(&mut self, name: &'static str, kind: Kind) {
        let Some(path) = self.variable(name).map(PathBuf::from) else { return };
        self.there.push(format!("{} (${name})", path.display()));
        self.read(&path, kind);
    }

    /// A file in its usual place, which need not be there.
    fn file(&mut self, path: &Path, kind: Kind) {
        if path.exists() {
            self.there.push(path.display().to_string());
            self.read(path, kind);
        } else {
            self.absent.push(path.display().to_string());
        }
    }

    fn read(&mut self, path: &Path, kind: Kind) {
        let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
        if self.read.contains(&real) {
            return;
        }
        self.read.push(real);
        match fs::read(path) {
            Ok(bytes) => self.add(&path.display().to_string(), Text::from(bytes), kind),
            Err(error) => self.identities.problem(format!("{}: {error}", path.display())),
        }
    }

    fn command(&mut self, name: &'static str, kind: Kind) {
        let Some(line) = self.variable(name) else { return };
        let source = format!("${name}");
        self.there.push(format!("the output of {source}"));
        match command::outputs(line, self.recipients, PATIENCE) {
            Ok(outputs) => outputs.into_iter().for_each(|output| self.add(&source, output, kind)),
            Err(problem) => self.identities.problem(format!("{source} {problem}")),
        }
    }

    fn add(&mut self, source: &str, bytes: Text, kind: Kind) {
        match kind {
            Kind::Age => self.identities.add(source, bytes.expose()),
            Kind::Ssh => self.identities.add_ssh(source, bytes.expose()),
        }
    }
}

fn is_a_path(text: &str) -> bool {
    let text = text.trim();
    !text.contains('\n') && !text.starts_with("AGE-") && Path::new(text).is_file()
}

fn home(env: &Env) -> Option<PathBuf> {
    env.path("HOME").or_else(|| env.path("USERPROFILE"))
}

/// The user's config folders. On macOS SOPS looked at two places over time; both are looked at.
fn config_folders(env: &Env) -> Vec<PathBuf> {
    let named = env.path("XDG_CONFIG_HOME");
    if cfg!(windows) {
        return env.path("APPDATA").or(named).into_iter().collect();
    }
    let dotted = || home(env).map(|home| home.join(".config"));
    if cfg!(target_os = "macos") {
        let library = home(env).map(|home| home.join("Library/Application Support"));
        return [named.or_else(dotted), library].into_iter().flatten().collect();
    }
    named.or_else(dotted).into_iter().collect()
}
