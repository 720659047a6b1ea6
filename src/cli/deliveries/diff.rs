//! What differs between two documents, path by path.

use std::fmt::Write;

use serde::Serialize;
use serde_json::Value;

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Where: `pull_request.labels[0].name`.
    pub path: String,
    /// What was there; absent when nothing was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<Value>,
    /// What is there; absent when nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<Value>,
}

/// The differences, in the order of the paths in `old` and then of what only `new` has. The order
/// of keys does not matter; items of arrays are compared by their index.
pub fn diff(old: &Value, new: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    compare("", Some(old), Some(new), &mut changes);
    changes
}

fn compare(path: &str, old: Option<&Value>, new: Option<&Value>, changes: &mut Vec<Change>) {
    match (old, new) {
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            for (name, value) in old {
                compare(&key(path, name), Some(value), new.get(name), changes);
            }
            for (name, value) in new.iter().filter(|(name, _)| !old.contains_key(*name)) {
                compare(&key(path, name), None, Some(value), changes);
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) => {
            for at in 0..old.len().max(new.len()) {
                compare(&format!("{path}[{at}]"), old.get(at), new.get(at), changes);
            }
        }
        (old, new) if old == new => {}
        (old, new) => {
            changes.push(Change { path: path.to_owned(), old: old.cloned(), new: new.cloned() });
        }
    }
}

/// `path.name`, quoted where the name could be read as a path itself.
fn key(path: &str, name: &str) -> String {
    let plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
    let mut text = path.to_owned();
    // Writing to a String cannot fail.
    let _ = match (plain, path.is_empty()) {
        (true, true) => write!(text, "{name}"),
        (true, false) => write!(text, ".{name}"),
        (false, _) => write!(text, "[{}]", Value::from(name)),
    };
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Just, Strategy, any, prop_assert_eq, prop_oneof, proptest};
    use serde_json::{Map, Value, json};

    use super::diff;

    #[test]
    fn differences_have_paths() {
        let told = |old: Value, new: Value| -> Vec<String> {
            let shown = |value: Option<Value>| value.map_or("∅".to_owned(), |value| value.to_string());
            diff(&old, &new).into_iter().map(|c| format!("{} {} {}", c.path, shown(c.old), shown(c.new))).collect()
        };
        for (old, new, expected) in [
            (json!({"a": 1, "b": 2}), json!({"b": 2, "a": 1}), &[][..]),
            (json!(1), json!(2), &[" 1 2"]),
            (json!({"a": {"b": [1, 2]}}), json!({"a": {"b": [1, 3, 4]}}), &["a.b[1] 2 3", "a.b[2] ∅ 4"]),
            (json!({"a": null}), json!({}), &["a null ∅"]),
            (json!({"a": {"x": 1}}), json!({"a": [1]}), &["a {\"x\":1} [1]"]),
            (json!({"a.b": 1, "": 1}), json!({"a.b": 2, "": 1}), &["[\"a.b\"] 1 2"]),
            (json!({"a": 1}), json!({"b": 1}), &["a 1 ∅", "b ∅ 1"]),
            (json!([]), json!([{}]), &["[0] ∅ {}"]),
        ] {
            assert_eq!(told(old.clone(), new.clone()), expected, "{old} {new}");
        }
    }

    fn documents() -> impl Strategy<Value = Value> {
        let leaf =
            prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::from), any::<i64>().prop_map(Value::from)];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::vec(("[a-c.]{0,2}", inner), 0..4)
                    .prop_map(|pairs| Value::Object(pairs.into_iter().collect::<Map<_, _>>())),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_same_has_no_differences_and_others_have_mirrored_ones(a in documents(), b in documents()) {
            prop_assert_eq!(diff(&a, &a).len(), 0);
            let (there, back) = (diff(&a, &b), diff(&b, &a));
            prop_assert_eq!(there.is_empty(), a == b);
            let mut mirrored: Vec<_> = back.into_iter().map(|c| (c.path, c.new, c.old)).collect();
            let mut there: Vec<_> = there.into_iter().map(|c| (c.path, c.old, c.new)).collect();
            mirrored.sort_by(|a, b| a.0.cmp(&b.0));
            there.sort_by(|a, b| a.0.cmp(&b.0));
            prop_assert_eq!(there, mirrored);
        }
    }
}
