//! The rooms of the crate and who may enter whom: the table of `src/lib.rs`, enforced.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A room, and the rooms that it may import.
const ROOMS: [(&str, &[&str]); 10] = [
    ("util", &[]),
    ("secrets", &["util"]),
    ("github", &["util"]),
    ("store", &["util"]),
    ("proxy", &["util", "github"]),
    ("jobs", &["util", "store"]),
    ("apps", &["util", "github", "store", "jobs"]),
    ("server", &["util", "github", "store", "jobs", "apps"]),
    ("emulator", &["util", "github::signature", "github::headers"]),
    ("cli", &["util", "secrets", "github", "store", "proxy", "jobs", "apps", "server", "emulator"]),
];

/// A crate that only these rooms (or files) may use, by path prefix below `src/`.
const OWNERS: [(&str, &[&str]); 21] = [
    ("aes", &["secrets"]),
    ("aes_gcm", &["secrets"]),
    ("age", &["secrets", "proxy/envelope"]),
    ("axum", &["server", "emulator", "proxy/relay", "apps/http_api", "apps/recipes/api"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("granit_parser", &["secrets/format"]),
    ("indicatif", &["cli"]),
    ("jaq_core", &["cli/jq"]),
    ("jaq_json", &["cli/jq"]),
    ("jaq_std", &["cli/jq"]),
    ("jsonwebtoken", &["github"]),
    ("open", &["cli/browser.rs"]),
    ("rpassword", &["cli"]),
    ("reqwest", &["github", "proxy", "emulator/deliver", "emulator/person", "cli/api.rs"]),
    ("shlex", &["cli"]),
    ("similar", &["secrets"]),
    ("sqlx", &["store", "apps/recipes/rows"]),
    ("tiny_http", &["cli/new_app"]),
    ("tempfile", &["util", "cli", "apps/recipes/runner"]),
];

/// The root of the repository.
const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Every Rust file below `folder`, sorted.
pub fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// A file of `src/` as the rules see it: path below `src/`, and its code without comments.
fn sources() -> Vec<(String, String)> {
    let src = Path::new(ROOT).join("src");
    rust_files(&src)
        .into_iter()
        .filter(|path| !path.ends_with("tests.rs"))
        .map(|path| {
            let name = path.strip_prefix(&src).unwrap().to_str().unwrap().to_owned();
            let code = fs::read_to_string(&path)
                .unwrap()
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"))
                .collect::<Vec<_>>()
                .join("\n");
            (name, code)
        })
        .collect()
}

fn room_of(file: &str) -> &str {
    file.split('/').next().unwrap().trim_end_matches(".rs")
}

/// `a::b` of every `crate::a::b` in `code`, with groups (`crate::{a, b}`) taken apart one level.
fn crate_paths(code: &str) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        let path: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_' || *c == ':').collect();
        match rest[path.len()..].strip_prefix('{') {
            Some(group) => paths.extend(group_items(group).into_iter().map(|item| format!("{path}{item}"))),
            None => drop(paths.insert(path)),
        }
    }
    paths.remove("");
    paths
}

/// The items of a group, whose brace is already open; nested groups stay whole.
fn group_items(group: &str) -> Vec<String> {
    let (mut depth, mut items) = (0, vec![String::new()]);
    for c in group.chars() {
        match c {
            '}' if depth == 0 => break,
            ',' if depth == 0 => {
                items.push(String::new());
                continue;
            }
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        items.last_mut().unwrap().push(c);
    }
    items.iter().map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect()
}

/// Code that ships: without the unit tests at the end of a file.
fn shipped(code: &str) -> &str {
    code.split("\nmod tests {").next().unwrap()
}

#[test]
fn rooms_import_only_the_rooms_in_their_row() {
    let mut wrong = Vec::new();
    for (file, code) in sources() {
        let room = room_of(&file);
        let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) else {
            assert!(["lib", "main"].contains(&room), "src/{file} is in no room: add it to the table");
            continue;
        };
        for path in crate_paths(&code) {
            let inside = path.split("::").next().unwrap() == room;
            let permitted = allowed.iter().any(|a| path == *a || path.starts_with(&format!("{a}::")));
            if !inside && !permitted {
                wrong.push(format!("src/{file} imports crate::{path}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn heavy_crates_stay_in_the_rooms_that_own_them() {
    let mut wrong = Vec::new();
    for (file, code) in sources() {
        for (name, owners) in OWNERS {
            let owned = owners.iter().any(|o| file.starts_with(o));
            let used = code.match_indices(&format!("{name}::")).any(|(at, _)| {
                let before = code[..at].chars().next_back();
                !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
            });
            if used && !owned {
                wrong.push(format!("src/{file} uses {name}, which belongs to {owners:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_cli_reads_the_environment_prints_and_exits() {
    let forbidden = ["std::env", "env::var", "println!", "eprintln!", "print!(", "process::exit", "ExitCode"];
    let mut wrong = Vec::new();
    for (file, code) in sources() {
        if ["cli", "main"].contains(&room_of(&file)) {
            continue;
        }
        let code = shipped(&code);
        for word in forbidden {
            if code.contains(word) {
                wrong.push(format!("src/{file} contains {word}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn imports_are_named() {
    let mut wrong = Vec::new();
    for (file, code) in sources() {
        let code = shipped(&code);
        for line in code.lines().filter(|l| l.contains("use ") && l.trim_end().ends_with("::*;")) {
            wrong.push(format!("src/{file}: {}", line.trim()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The scanner itself: a rule that sees nothing would always pass.
#[test]
fn the_scanner_sees_paths() {
    let code = "use crate::store::Db;\nuse crate::{github::Client, util::{Clock, Secret}};\nuse crate::apps::{State, recipes};\nfn x() { my_crate::no(); crate::jobs::go() }";
    let expected = ["apps::State", "apps::recipes", "github::Client", "jobs::go", "store::Db", "util::{Clock, Secret}"];
    assert_eq!(crate_paths(code).iter().map(String::as_str).collect::<Vec<_>>(), expected);
}
