//! A JSON value as an outline that a person can read: a line for each field, indented by its depth.

use serde_json::Value;

/// Longer lists of plain values are cut, in entries.
const ENTRIES: usize = 20;

/// At least so wide are the names of the outermost fields.
const WIDTH: usize = 12;

/// One line.
#[derive(Debug, PartialEq, Eq)]
pub struct Line {
    /// Indentation, bullet and name, as wide as those of its neighbours when a value follows.
    pub label: String,
    /// Its value; empty when lines below hold it.
    pub text: String,
}

/// The lines of an object's fields, those of `null` left out.
pub fn lines(value: &Value) -> Vec<Line> {
    let mut lines = Vec::new();
    fields(value, "", "", WIDTH, &mut lines);
    lines
}

/// Fields below each other, the first of them behind `first`, all others behind `indent`.
fn fields(value: &Value, first: &str, indent: &str, least: usize, lines: &mut Vec<Line>) {
    let fields = || value.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    let plain_names = fields().filter(|(_, value)| !is_nested(value)).map(|(name, _)| name.chars().count());
    let width = plain_names.max().unwrap_or(0).max(least);
    for (index, (name, value)) in fields().enumerate() {
        let before = if index == 0 { first } else { indent };
        if is_nested(value) {
            lines.push(Line { label: format!("{before}{name}"), text: String::new() });
            below(value, &format!("{indent}  "), lines);
        } else {
            lines.push(Line { label: format!("{before}{name:<width$}"), text: plain(value) });
        }
    }
}

/// What stands below the name of a nested value.
fn below(value: &Value, indent: &str, lines: &mut Vec<Line>) {
    let Value::Array(entries) = value else { return fields(value, indent, indent, 0, lines) };
    for entry in entries {
        match entry {
            Value::Object(map) if !map.is_empty() => {
                fields(entry, &format!("{indent}- "), &format!("{indent}  "), 0, lines);
            }
            _ => lines.push(Line { label: format!("{indent}-"), text: plain(entry) }),
        }
    }
}

/// Whether a value needs lines of its own.
fn is_nested(value: &Value) -> bool {
    match value {
        Value::Object(map) => !map.is_empty(),
        Value::Array(entries) => entries.iter().any(|entry| entry.is_object() || entry.is_array()),
        _ => false,
    }
}

fn plain(value: &Value) -> String {
    match value {
        // A terminal does what such characters say.
        Value::String(text) => text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect(),
        Value::Array(entries) if !entries.is_empty() => {
            let shown: Vec<String> = entries.iter().take(ENTRIES).map(plain).collect();
            let more = entries.len().saturating_sub(ENTRIES);
            if more == 0 { shown.join(", ") } else { format!("{}, and {more} more", shown.join(", ")) }
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::lines;

    fn shown(value: &serde_json::Value) -> Vec<String> {
        lines(value).iter().map(|line| format!("{}|{}", line.label, line.text)).collect()
    }

    #[test]
    fn nested_values_are_indented_and_nothing_is_lost() {
        let value = json!({
            "id": 1, "gone": null, "empty": {}, "none": [],
            "progress": { "comment": 5, "feedstocks": [
                { "spec": "o/a", "invited": ["x", "y"], "cleanup": { "round": 1 } },
                { "spec": "o/b" },
                "text",
            ] },
        });
        assert_eq!(
            shown(&value),
            [
                "id          |1",
                "empty       |{}",
                "none        |[]",
                "progress|",
                "  comment|5",
                "  feedstocks|",
                "    - spec   |o/a",
                "      invited|x, y",
                "      cleanup|",
                "        round|1",
                "    - spec|o/b",
                "    -|text",
            ]
        );
    }

    #[test]
    fn long_lists_are_cut() {
        let many: Vec<u8> = (0..25).collect();
        assert!(shown(&json!({ "n": many }))[0].ends_with("18, 19, and 5 more"));
    }
}
