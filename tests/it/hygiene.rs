//! Rules about the repository that a person would otherwise have to remember.

use std::fs;
use std::path::Path;
use std::process::Command;

use regex::Regex;

use crate::layering::rust_files;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

#[test]
fn the_dependency_tree_stays_small() {
    let packages = read("Cargo.lock").lines().filter(|line| line.starts_with("name = ")).count();
    assert!(packages <= 450, "{packages} packages in Cargo.lock, at most 450");
}

#[test]
fn no_file_is_too_long_to_read() {
    let mut long = Vec::new();
    for folder in ["src", "tests"] {
        for path in rust_files(&Path::new(ROOT).join(folder)) {
            let lines = fs::read_to_string(&path).unwrap().lines().count();
            if lines > 600 {
                long.push(format!("{} has {lines} lines", path.strip_prefix(ROOT).unwrap().display()));
            }
        }
    }
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn no_module_of_this_binary_is_forgotten() {
    let main = read("tests/it/main.rs");
    for entry in fs::read_dir(Path::new(ROOT).join("tests/it")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path.extension().is_some_and(|e| e == "rs") && name != "main" {
            assert!(main.contains(&format!("mod {name};")), "tests/it/{name}.rs is not in tests/it/main.rs");
        }
    }
}

#[test]
fn every_dependency_has_its_reason() {
    let manifest = read("Cargo.toml");
    let architecture = read("ARCHITECTURE.md");
    let mut missing = Vec::new();
    let mut inside = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line == "[dependencies]" || line == "[dev-dependencies]";
        } else if inside
            && let Some((name, _)) = line.split_once(" = ")
            && !architecture.contains(&format!("| `{name}` |"))
        {
            missing.push(name.to_owned());
        }
    }
    assert!(missing.is_empty(), "ARCHITECTURE.md gives no reason for: {}", missing.join(", "));
}

/// What pforge makes from templates is SQL: each migration exists for both databases, up and down.
#[test]
fn every_migration_exists_four_times() {
    let folder = Path::new(ROOT).join("src/store/migrations");
    let names = |dialect: &str| {
        let mut names: Vec<String> = fs::read_dir(folder.join(dialect))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    let sqlite = names("sqlite");
    assert_eq!(sqlite, names("postgres"));
    for name in sqlite.iter().filter(|n| n.ends_with(".up.sql")) {
        assert!(sqlite.contains(&name.replace(".up.", ".down.")), "{name} has no down migration");
    }
}

/// The pages of the repository, and the files and folders that their links name.
#[test]
fn every_link_of_a_page_goes_somewhere() {
    let tracked = Command::new("git").args(["ls-files", "*.md"]).current_dir(ROOT).output().expect("git starts");
    let link = Regex::new(r"\]\(([^)\s]+)\)").unwrap();
    let (mut dead, mut count) = (Vec::new(), 0);
    for page in String::from_utf8(tracked.stdout).unwrap().lines().filter(|page| Path::new(ROOT).join(page).exists()) {
        let text = read(page);
        for found in link.captures_iter(&text) {
            let (file, anchor) = found[1].split_once('#').unwrap_or((&found[1], ""));
            if file.contains("://") || file.starts_with("mailto:") {
                continue;
            }
            count += 1;
            let target = Path::new(ROOT).join(page).parent().unwrap().join(file);
            let target = if file.is_empty() { Path::new(ROOT).join(page) } else { target };
            let there = target.exists() && (anchor.is_empty() || anchors(&target).iter().any(|name| name == anchor));
            if !there {
                dead.push(format!("{page}: {}", &found[1]));
            }
        }
    }
    assert!(dead.is_empty(), "links that go nowhere:\n{}", dead.join("\n"));
    assert!(count > 20, "the pages are not read: {count} links");
}

/// What can stand behind the `#` of a link to this page, as GitHub names headings.
fn anchors(page: &Path) -> Vec<String> {
    let text = fs::read_to_string(page).unwrap();
    let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| {
        let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
        line.trim_start_matches('#').trim().to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")
    });
    let named = text.split("<a id=\"").skip(1).filter_map(|rest| rest.split('"').next().map(str::to_owned));
    headings.chain(named).collect()
}
