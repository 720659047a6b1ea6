//! The built binary in an environment of its own: nothing of the machine shows through.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use regex::Regex;
use serde_json::Value;
use tempfile::TempDir;

/// The binary under test.
pub const PFORGE: &str = env!("CARGO_BIN_EXE_pforge");

/// No command of a test may take longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A home, a working directory, and an environment.
pub struct Env {
    folder: TempDir,
    vars: BTreeMap<String, String>,
}

/// What a command did.
#[derive(Clone, Debug)]
pub struct Output {
    /// Standard output, as it came.
    pub stdout: String,
    /// Standard error, as it came.
    pub stderr: String,
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    shown: String,
}

impl Env {
    /// An empty home and working directory.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::create_dir(folder.path().join("home")).expect("home");
        std::fs::create_dir(folder.path().join("work")).expect("work");
        let mut env = Self { folder, vars: BTreeMap::new() };
        let home = env.path("home").display().to_string();
        for (name, value) in [
            ("HOME", home.as_str()),
            ("PATH", "/usr/bin:/bin"),
            ("LANG", "C.UTF-8"),
            ("COLUMNS", "100"),
            ("PFORGE_RECONCILE", "off"),
        ] {
            env.set(name, value);
        }
        env
    }

    /// An environment with a complete config for `pforge-local-alice` and a SQLite database.
    pub fn configured() -> Self {
        let mut env = Self::new();
        env.write("secrets/config.pforge-local-alice.yaml", include_str!("../../fixtures/config/plain.yaml"));
        env.set("DATABASE_URL", &env.sqlite("database.sqlite"));
        env
    }

    /// Sets a variable for the commands that follow.
    pub fn set(&mut self, name: &str, value: &str) -> &mut Self {
        self.vars.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Removes a variable.
    pub fn unset(&mut self, name: &str) -> &mut Self {
        self.vars.remove(name);
        self
    }

    /// The working directory.
    pub fn root(&self) -> PathBuf {
        self.path("work")
    }

    /// The URL of a SQLite file in the working directory.
    pub fn sqlite(&self, name: &str) -> String {
        format!("sqlite://{}", self.root().join(name).display())
    }

    /// Writes a file below the working directory.
    pub fn write(&self, path: &str, text: &str) -> PathBuf {
        let path = self.root().join(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("mkdir");
        std::fs::write(&path, text).expect("write");
        path
    }

    /// A command, ready to be changed and started.
    pub fn command(&self, args: &[&str]) -> Command {
        self.command_under(&[], args)
    }

    /// As [`Self::command`], started by `wrapper`, a program and its first arguments.
    pub fn command_under(&self, wrapper: &[&str], args: &[&str]) -> Command {
        let line: Vec<&str> = wrapper.iter().chain(&[PFORGE]).chain(args).copied().collect();
        let mut command = Command::new(line[0]);
        command.args(&line[1..]).env_clear().envs(&self.vars).current_dir(self.root());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs `pforge` with these arguments to its end.
    pub fn pforge(&self, args: &[&str]) -> Output {
        self.run(self.command(args), args)
    }

    /// As [`Self::pforge`], with the words of `line`.
    pub fn line(&self, line: &str) -> Output {
        self.pforge(&line.split_whitespace().collect::<Vec<_>>())
    }

    /// Runs a command of [`Self::command`] to its end.
    pub fn run(&self, mut command: Command, args: &[&str]) -> Output {
        let mut child = command.spawn().expect("pforge starts");
        let stdout = read(child.stdout.take().expect("piped"));
        let stderr = read(child.stderr.take().expect("piped"));
        let status = wait(&mut child);
        self.output(args, status, stdout.join().expect("stdout"), stderr.join().expect("stderr"))
    }

    /// Starts a command that runs until it is stopped. `--json` is added, and the first line that
    /// it prints is read.
    pub fn start(&self, args: &[&str]) -> Running {
        let args: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
        let mut child = self.command(&args).spawn().expect("pforge starts");
        let stderr = read(child.stderr.take().expect("piped"));
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let mut first = String::new();
        stdout.read_line(&mut first).expect("the first line");
        let Ok(ready) = serde_json::from_str(&first) else {
            let _ = child.kill();
            panic!("the first line is not JSON: {first:?}; {}", stderr.join().expect("stderr"))
        };
        Running { child, ready, stdout: Some(stdout), stderr: Some(stderr) }
    }

    fn output(&self, args: &[&str], status: ExitStatus, stdout: String, stderr: String) -> Output {
        let code = status.code();
        let ended = code.map_or_else(|| "signal".to_owned(), |code| code.to_string());
        let mut shown = format!("$ pforge {}\nexit {ended}\n", args.join(" "));
        for (name, text) in [("stdout", &stdout), ("stderr", &stderr)] {
            if !text.is_empty() {
                shown += &format!("--- {name}\n{text}");
                if !text.ends_with('\n') {
                    shown += "(no newline)\n";
                }
            }
        }
        Output { stdout, stderr, code, shown: self.filter(&shown) }
    }

    /// Replaces what differs from run to run.
    pub fn filter(&self, text: &str) -> String {
        let text = text
            .replace(&self.root().display().to_string(), "[ROOT]")
            .replace(&self.folder.path().display().to_string(), "[TEMP]");
        filters().iter().fold(text, |text, (pattern, by)| pattern.replace_all(&text, *by).into_owned())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// The whole output, filtered: what snapshots hold.
impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl Output {
    /// What `command` does, run to its end; for commands that no [`Env`] made.
    pub fn of(mut command: Command, args: &[&str]) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("pforge starts");
        let stdout = read(child.stdout.take().expect("piped"));
        let stderr = read(child.stderr.take().expect("piped"));
        let code = wait(&mut child).code();
        let (stdout, stderr) = (stdout.join().expect("stdout"), stderr.join().expect("stderr"));
        let shown = format!("$ pforge {}\nexit {code:?}\n--- stdout\n{stdout}--- stderr\n{stderr}", args.join(" "));
        Self { stdout, stderr, code, shown }
    }

    /// The output, if it is the one of a success.
    pub fn success(self) -> Self {
        assert_eq!(self.code, Some(0), "{self}");
        self
    }

    /// Standard output as one JSON document.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("stdout is not JSON ({error})\n{self}"))
    }
}

/// A command that runs until it is stopped; killed when dropped.
pub struct Running {
    child: Child,
    /// The first line that it printed.
    pub ready: Value,
    stdout: Option<BufReader<ChildStdout>>,
    stderr: Option<JoinHandle<String>>,
}

impl Running {
    /// Where it listens.
    pub fn url(&self) -> &str {
        self.ready["url"].as_str().expect("url")
    }

    /// The next line that it prints, as JSON.
    pub fn line(&mut self) -> Value {
        let mut line = String::new();
        self.stdout.as_mut().expect("running").read_line(&mut line).expect("a line");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("not JSON ({error}): {line:?}"))
    }

    /// Waits until it ends by itself; what it printed after the lines that were read, and its exit
    /// code.
    pub fn end(mut self) -> (String, String, Option<i32>) {
        let mut rest = String::new();
        self.stdout.take().expect("once").read_to_string(&mut rest).expect("stdout");
        let code = wait(&mut self.child).code();
        (rest, self.stderr.take().expect("once").join().expect("stderr"), code)
    }

    /// Sends SIGTERM and waits; what it printed after the first line, and its exit code.
    pub fn stop(mut self) -> (String, String, Option<i32>) {
        let killed = Command::new("kill").arg(self.child.id().to_string()).status().expect("kill");
        assert!(killed.success());
        let mut rest = String::new();
        let mut stdout = self.stdout.take().expect("once");
        stdout.read_to_string(&mut rest).expect("stdout");
        let code = wait(&mut self.child).code();
        (rest, self.stderr.take().expect("once").join().expect("stderr"), code)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn filters() -> &'static [(Regex, &'static str)] {
    static FILTERS: OnceLock<Vec<(Regex, &'static str)>> = OnceLock::new();
    FILTERS.get_or_init(|| {
        [
            (r"127\.0\.0\.1:[1-9][0-9]{4}\b", "127.0.0.1:[PORT]"),
            (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?", "[AT]"),
            (r"\b\d+(\.\d)? (ms|s|min)\b", "[TIME]"),
            (r#""(pid|waited_ms)": ?\d+"#, r#""$1": [N]"#),
            (concat!("pforge ", env!("CARGO_PKG_VERSION")), "pforge [VERSION]"),
        ]
        .map(|(pattern, by)| (Regex::new(pattern).expect("pattern"), by))
        .into()
    })
}

fn read(mut from: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).expect("read");
        String::from_utf8(bytes).expect("UTF-8")
    })
}

fn wait(child: &mut Child) -> ExitStatus {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("wait") {
            return status;
        }
        if begun.elapsed() > PATIENCE {
            let _ = child.kill();
            panic!("pforge did not end within {PATIENCE:?}");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
