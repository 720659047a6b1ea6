//! The page `secrets/README.md`: what it shows is what happens.
//!
//! Its console blocks are one session, run in order in an empty home and an empty folder, with
//! pforge, git and the real sops. The blocks that begin with `# FILE` are files, written when
//! the session comes to them.

use std::fmt::Write;
use std::fs;
use std::ops::Range;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

use regex::Regex;
use tempfile::TempDir;

use crate::support::env::PFORGE;
use crate::support::sops::sops;

/// A piece of the page that the session uses.
#[derive(Debug)]
enum Piece {
    File {
        name: String,
        text: String,
    },
    /// A command, and where the page shows what it prints.
    Run {
        command: String,
        shown: Range<usize>,
    },
}

fn pieces(page: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut block = Block::None;
    let mut at = 0;
    for line in page.split_inclusive('\n') {
        let begins = at;
        at += line.len();
        let text = line.trim_end_matches('\n');
        block = match (block, text.strip_prefix("```")) {
            (Block::None, Some("console")) => Block::Console { continues: false },
            (Block::None, Some(_)) => Block::Other { first: true },
            (_, Some(_)) => Block::None,
            (Block::Console { continues }, None) => {
                let continues = console(&mut pieces, line, begins..at, continues);
                Block::Console { continues }
            }
            (Block::Other { first: true }, None) => match text.strip_prefix("# ").filter(|name| name.contains('.')) {
                Some(name) => {
                    pieces.push(Piece::File { name: name.to_owned(), text: String::new() });
                    Block::File
                }
                None => Block::Other { first: false },
            },
            (Block::File, None) => {
                let Some(Piece::File { text, .. }) = pieces.last_mut() else { unreachable!() };
                text.push_str(line);
                Block::File
            }
            (other, None) => other,
        };
    }
    pieces
}

/// Where in the page a line is.
enum Block {
    None,
    Console { continues: bool },
    File,
    Other { first: bool },
}

/// A line of a session; whether the next one belongs to the same command.
fn console(pieces: &mut Vec<Piece>, line: &str, at: Range<usize>, continues: bool) -> bool {
    if let Some(command) = line.strip_prefix("$ ") {
        // What stands behind two blanks and a # is said to the reader.
        let command = command.split("  #").next().unwrap_or(command).trim_end().to_owned();
        let continues = command.ends_with('\\');
        pieces.push(Piece::Run { command, shown: at.end..at.end });
        return continues;
    }
    let Some(Piece::Run { command, shown }) = pieces.last_mut() else {
        panic!("a block of the page begins without a command: {line}")
    };
    shown.end = at.end;
    if continues {
        command.push('\n');
        command.push_str(line.trim_end());
        *shown = at.end..at.end;
    }
    continues && line.trim_end().ends_with('\\')
}

/// Waits for the next second: `lastmodified` counts seconds, and a change within the same one would
/// not show in a diff.
const NEXT_SECOND: &str = "now=$(date +%s); while [ $(date +%s) = $now ]; do sleep 0.05; done";

/// A script that does it all and marks where each command's output ends.
fn script(pieces: &[Piece]) -> String {
    let mut script = String::from("exec 2>&1\n");
    let commits = |command: &str| command.contains("git commit") || command.contains("encrypt -i");
    for (number, piece) in pieces.iter().enumerate() {
        let _ = match piece {
            Piece::Run { command, .. } if commits(command) => {
                writeln!(script, "{command}\necho; echo '=== {number}'; {NEXT_SECOND}")
            }
            Piece::Run { command, .. } => writeln!(script, "{command}\necho; echo '=== {number}'"),
            Piece::File { name, text } => {
                writeln!(script, "mkdir -p $(dirname {name}); cat > {name} <<'THE-END'\n{text}THE-END")
            }
        };
    }
    script
}

fn run(script: &str) -> String {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    for name in ["alice", "alice/feedstock", "bin"] {
        fs::create_dir(at(name)).unwrap();
    }
    symlink(PFORGE, at("bin/pforge")).unwrap();
    symlink(sops().get_program(), at("bin/sops")).unwrap();
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", at("bin").display());
    let output = Command::new("sh")
        .args(["-c", script])
        .current_dir(at("alice/feedstock"))
        .env_clear()
        .env("HOME", at("alice"))
        .env("PATH", path)
        .env("LANG", "C.UTF-8")
        .env("SOPS_DISABLE_VERSION_CHECK", "1")
        .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_NAME"), "Alice")))
        .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_EMAIL"), "alice@example.org")))
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .stdin(Stdio::null())
        .output()
        .expect("sh starts");
    String::from_utf8(output.stdout).unwrap().replace(&at("alice").display().to_string(), "/home/alice")
}

/// Without what differs from run to run.
fn steady(text: &str) -> String {
    let rules = [
        (r"age1[0-9a-z]{58}", "age1KEY"),
        (r"age1[0-9a-z]*…", "age1KEY"),
        (r"AGE-SECRET-KEY-1[0-9A-Z]+", "AGE-SECRET-KEY"),
        (r"ENC\[AES256_GCM,[^\n]*", "ENC[…"),
        (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)?", "NOW"),
        (r"\d{4}-\d\d-\d\d( \d\d:\d\d)?", "NOW"),
        (r"\b[0-9a-f]{7,40}\b", "HASH"),
        (r"sha256:[0-9a-fHAS]+", "sha256:HASH"),
        // Two edits in one second have the same `lastmodified`; the count itself is tested with the edits.
        (r"\| +\d+ [+-]+", "| LINES"),
        (r"\d+ insertions\(\+\), \d+ deletions\(-\)", "LINES"),
        (r"(?m)[ \t]+$", ""),
    ];
    rules.iter().fold(text.to_owned(), |text, (pattern, with)| {
        Regex::new(pattern).unwrap().replace_all(&text, *with).into_owned()
    })
}

#[test]
fn shows_what_happens() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("secrets/README.md");
    let mut page = fs::read_to_string(&path).unwrap();
    let pieces = pieces(&page);
    let printed = run(&script(&pieces));
    let mut rest = printed.as_str();
    let mut outputs = Vec::new();
    for (number, piece) in pieces.iter().enumerate() {
        let Piece::Run { command, shown } = piece else { continue };
        let Some((output, after)) = rest.split_once(&format!("\n=== {number}\n")) else {
            panic!("the session ended before {command:?}:\n{rest}");
        };
        rest = after;
        outputs.push((command, shown.clone(), output));
    }
    assert!(outputs.len() > 20, "the page is not read: {} commands", outputs.len());
    let mut wrong = String::new();
    for (command, shown, output) in outputs.iter().rev() {
        if steady(&page[shown.clone()]).trim() != steady(output).trim() {
            let _ =
                writeln!(wrong, "$ {command}\n{}\n--- but the page shows\n{}", output.trim_end(), &page[shown.clone()]);
            let end = if output.is_empty() || output.ends_with('\n') { "" } else { "\n" };
            page.replace_range(shown.clone(), &format!("{output}{end}"));
        }
    }
    if std::env::var_os("PFORGE_BLESS").is_some() {
        fs::write(path, page).unwrap();
    } else {
        assert!(wrong.is_empty(), "{wrong}\nPFORGE_BLESS=1 rewrites the page");
    }
}
