//! A page of documentation whose console blocks are one session: what it shows is what happens.
//!
//! The blocks are run in order. The blocks that begin with `# FILE` are files, written when the
//! session comes to them. `PFORGE_BLESS=1` rewrites what the page shows.

use std::fmt::Write;
use std::fs;
use std::ops::Range;
use std::path::Path;

use regex::Regex;

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

/// What may follow a command of the script, such as waiting for something.
pub type After<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A script that does it all and marks where each command's output ends.
fn script(pieces: &[Piece], after: After<'_>) -> String {
    let mut script = String::from("exec 2>&1\n");
    for (number, piece) in pieces.iter().enumerate() {
        let _ = match piece {
            Piece::Run { command, .. } => {
                writeln!(script, "{command}\necho; echo '=== {number}'; {}", after(command).unwrap_or_default())
            }
            Piece::File { name, text } => {
                writeln!(script, "mkdir -p $(dirname {name}); cat > {name} <<'THE-END'\n{text}THE-END")
            }
        };
    }
    script
}

/// `text` after each pattern of `rules` was replaced.
pub fn replaced(text: &str, rules: &[(&str, &str)]) -> String {
    rules.iter().fold(text.to_owned(), |text, (pattern, with)| {
        Regex::new(pattern).unwrap().replace_all(&text, *with).into_owned()
    })
}

/// Runs the session of `page`, a path below the repository, by `shell`, and compares. `steady` takes
/// out what differs from run to run; at least `least` commands must be there. A page after whose
/// name stands `#` and the text of a heading is that section of it, up to the next such heading.
pub fn check(
    page: &str,
    least: usize,
    shell: impl FnOnce(&str) -> String,
    steady: impl Fn(&str) -> String,
    after: After<'_>,
) {
    let (name, section) = page.split_once('#').map_or((page, None), |(name, heading)| (name, Some(heading)));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    let whole = fs::read_to_string(&path).unwrap();
    let part = section.map_or(0..whole.len(), |heading| {
        let heading = format!("\n## {heading}\n");
        let begin = whole.find(&heading).unwrap_or_else(|| panic!("{name} has no {heading:?}"));
        let after = begin + heading.len();
        begin..whole[after..].find("\n## ").map_or(whole.len(), |end| after + end)
    });
    let mut page = whole[part.clone()].to_owned();
    let pieces = pieces(&page);
    let printed = shell(&script(&pieces, after));
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
    assert!(outputs.len() >= least, "the page is not read: {} commands", outputs.len());
    let mut wrong = String::new();
    let old = page.clone();
    for (command, shown, output) in outputs.iter().rev() {
        let shows = &old[shown.clone()];
        if steady(shows).trim() != steady(output).trim() {
            let _ = writeln!(wrong, "$ {command}\n{}\n--- but the page shows\n{shows}", output.trim_end());
        }
        let end = if output.is_empty() || output.ends_with('\n') { "" } else { "\n" };
        page.replace_range(shown.clone(), &format!("{output}{end}"));
    }
    // All of a session or nothing: what it shows belongs together.
    if std::env::var_os("PFORGE_BLESS").is_some() && !wrong.is_empty() {
        fs::write(path, [&whole[..part.start], &page, &whole[part.end..]].concat()).unwrap();
    } else {
        assert!(wrong.is_empty(), "{wrong}\nPFORGE_BLESS=1 rewrites the page");
    }
}
