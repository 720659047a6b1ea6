//! Text and JSON without NUL: PostgreSQL stores it in neither. U+FFFD takes its place, on SQLite as
//! well, so that both keep the same.

use std::borrow::Cow;

use serde_json::Value;

/// `text` as both databases take it.
pub(super) fn text(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { Cow::Borrowed(text) }
}

/// `value` as both databases take it, names included.
pub(super) fn json(value: &Value) -> Cow<'_, Value> {
    if holds_nul(value) { Cow::Owned(replaced(value)) } else { Cow::Borrowed(value) }
}

fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(map) => map.iter().any(|(name, value)| name.contains('\0') || holds_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn replaced(value: &Value) -> Value {
    match value {
        Value::String(string) => Value::String(text(string).into_owned()),
        Value::Array(items) => Value::Array(items.iter().map(replaced).collect()),
        Value::Object(map) => {
            Value::Object(map.iter().map(|(name, value)| (text(name).into_owned(), replaced(value))).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_holds_nul_is_copied() {
        let plain = json!({ "a": ["\u{1}", { "b": "\\u0000" }], "n": 1.5, "t": true, "x": null });
        assert!(matches!(json(&plain), Cow::Borrowed(_)));
        assert!(matches!(text("a\u{1}"), Cow::Borrowed("a\u{1}")));
        assert_eq!(text("\0a\0"), "\u{fffd}a\u{fffd}");
        let odd = json!({ "a\0": ["\0", { "b": "x\0" }], "n": 1.5, "t": true, "x": null });
        let expected = json!({ "a\u{fffd}": ["\u{fffd}", { "b": "x\u{fffd}" }], "n": 1.5, "t": true, "x": null });
        assert_eq!(*json(&odd), expected);
    }
}
