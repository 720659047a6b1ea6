//! The command line as a whole, and what is written about it.

use std::fs;
use std::path::Path;

use clap::Parser;
use clap::error::ErrorKind;

use super::{Cli, When, printing};

#[test]
fn the_grammar_holds_together() {
    super::command().debug_assert();
}

#[test]
fn printing_is_seen_in_a_broken_command_line() {
    let seen = |line: &str| {
        let args: Vec<_> = line.split(' ').map(Into::into).collect();
        let options = printing(&args);
        (options.json, options.color)
    };
    assert_eq!(seen("pforge nonsense --json"), (true, When::Auto));
    assert_eq!(seen("pforge --color never nonsense"), (false, When::Never));
    assert_eq!(seen("pforge --color=always -- --json"), (false, When::Always));
    assert_eq!(seen("pforge --color"), (false, When::Auto));
}

/// The simple commands of a shell line, without redirections, assignments and comments. What stands
/// in `$( … )` is a command of its own.
fn commands(line: &str) -> Vec<Vec<String>> {
    let mut line = line.split("  #").next().unwrap_or(line).to_owned();
    let mut found = Vec::new();
    while let Some(start) = line.rfind("$(") {
        let Some(length) = line[start..].find(')') else { break };
        found.extend(commands(&line[start + 2..start + length]));
        line.replace_range(start..=start + length, "https://word.example");
    }
    let mut quote = None;
    let mut last = ' ';
    let mut parts = vec![String::new()];
    for c in line.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            None if c == '\'' || c == '"' => quote = Some(c),
            _ => {}
        }
        if quote.is_none() && (matches!(c, '|' | ';') || c == '&' && last != '>') {
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(c);
        }
        last = c;
    }
    found.extend(parts.iter().map(|part| {
        let words = shlex::split(part).unwrap_or_else(|| panic!("an open quote: {part}"));
        let mut kept = Vec::new();
        let mut words = words.into_iter().skip_while(|word| {
            word.split_once('=').is_some_and(|(name, _)| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
        });
        while let Some(word) = words.next() {
            match word.trim_start_matches(|c: char| c.is_ascii_digit()) {
                ">" | ">>" | "<" => drop(words.next()),
                redirection if redirection.starts_with(['>', '<']) && !redirection.contains(' ') => {}
                _ => kept.push(word),
            }
        }
        kept
    }));
    found
}

/// The calls of pforge in a shell line that the grammar refuses, and how many calls there are.
fn refused(line: &str) -> (Vec<String>, usize) {
    let calls: Vec<Vec<String>> = commands(line)
        .into_iter()
        .filter_map(|words| match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["pforge", ..] => Some(words),
            ["cargo", "run", "--release", "--", ..] => Some(words[3..].to_vec()),
            _ => None,
        })
        .collect();
    let wrong = calls.iter().filter_map(|words| match Cli::try_parse_from(words) {
        Err(error) if !matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            Some(format!("{line}\n  {error}"))
        }
        _ => None,
    });
    (wrong.collect(), calls.len())
}

/// The command lines of the sessions of a page, run by a test or not, each with the lines that it goes on in.
fn console(page: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        if line.starts_with("```") {
            inside = !inside && matches!(line, "```console" | "```text");
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| inside) {
            lines.push(command.to_owned());
        } else if let Some(command) = lines.last_mut().filter(|command| inside && command.ends_with('\\')) {
            *command = format!("{}\n{line}", command.trim_end_matches('\\'));
        }
    }
    lines
}

#[test]
fn the_pages_call_what_there_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pages = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let pages = pages.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let (mut wrong, mut count) = (Vec::new(), 0);
    for path in pages.chain(["README.md", "secrets/README.md"].map(|name| root.join(name))) {
        for line in console(&fs::read_to_string(&path).unwrap()) {
            let (refused, calls) = refused(&line);
            wrong.extend(refused.into_iter().map(|line| format!("{}: {line}", path.display())));
            count += calls;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 80, "the pages are not read: {count} calls");
}

#[test]
fn the_examples_of_every_command_are_right() {
    let (mut wrong, mut count) = (Vec::new(), 0);
    let mut waiting = vec![super::command()];
    while let Some(command) = waiting.pop() {
        waiting.extend(command.get_subcommands().cloned());
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        for line in help.lines().map(str::trim).filter(|line| line.starts_with("pforge ")) {
            let (refused, calls) = refused(line);
            wrong.extend(refused);
            count += calls;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 80, "the examples are not read: {count} calls");
}

#[test]
fn commands_are_found_in_shell_lines() {
    let found = |line: &str| commands(line).into_iter().map(|words| words.join(" ")).collect::<Vec<_>>();
    assert_eq!(found("A=1 pforge serve > log 2>&1 &  # said")[0], "pforge serve");
    assert_eq!(found("mkdir x && pforge a -o ~/k >> x/y")[2], "pforge a -o ~/k");
    assert_eq!(found("G=$(pforge list --jq '.a | .b' | head -1)")[0], "pforge list --jq .a | .b");
    assert_eq!(found("printf %s x | pforge set --stdin")[1], "pforge set --stdin");
    assert_eq!(refused("pforge jobs lost").0.len(), 1);
}
