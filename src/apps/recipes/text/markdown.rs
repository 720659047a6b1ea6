//! Text of strangers inside our Markdown: it cannot end its own quotation, mention people, or be
//! longer than there is room.

/// `text` as code within a line.
pub fn code(text: &str) -> String {
    let text = clean(text).replace(['\n', '\t'], " ");
    let fence = "`".repeat(longest_run(&text) + 1);
    // A blank keeps backticks at the ends apart from the fence; Markdown takes it away again.
    let blank = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{blank}{text}{blank}{fence}")
}

/// `text` as a block of code in `language`.
pub fn block(language: &str, text: &str) -> String {
    let text = clean(text);
    let fence = "`".repeat(longest_run(&text).max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}", text.trim_end_matches('\n'))
}

/// The last `max` characters of `text`, from the beginning of a line, which is where a trace says
/// what happened; what was cut is said.
pub fn tail(text: &str, max: usize) -> String {
    let length = text.chars().count();
    if length <= max {
        return text.to_owned();
    }
    let note = "… the beginning is left out\n";
    let keep = max.saturating_sub(note.chars().count());
    let cut: String = text.chars().skip(length - keep).collect();
    let whole = cut.split_once('\n').map_or(cut.as_str(), |(_, lines)| if lines.is_empty() { &cut } else { lines });
    format!("{note}{whole}")
}

/// Without what a terminal would act on.
fn clean(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

/// Of backticks.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_cannot_end_itself() {
        for (text, expected) in [("a", "`a`"), ("a`b", "``a`b``"), ("`a", "`` `a ``"), ("a\nb\u{1b}", "`a b`")] {
            assert_eq!(code(text), expected);
        }
        assert_eq!(block("text", "a\n"), "```text\na\n```");
        assert_eq!(block("text", "```\nx\n````"), "`````text\n```\nx\n````\n`````");
    }

    #[test]
    fn the_end_is_kept() {
        assert_eq!(tail("short", 5), "short");
        let cut = tail(&"0123456789\n".repeat(20), 60);
        assert_eq!(cut, "… the beginning is left out\n0123456789\n0123456789\n");
        assert_eq!(tail(&"x".repeat(100), 30).chars().count(), 30);
    }
}
