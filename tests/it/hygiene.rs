//! Rules about the repository that a person would otherwise have to remember.

use std::fs;
use std::path::Path;

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
