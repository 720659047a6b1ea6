//! Fields of a request: `key=value`, with brackets for what is nested.
//!
//! The meaning is that of `gh api`: `a[b]=c` is an object in an object, `a[]=1` an item of a list,
//! `a[]` an empty list, and `a[][b]=1` an object in a list, whose next key goes into the same
//! object until one of its keys comes again.

use serde_json::{Map, Value};

/// One `key=value` that was taken apart.
#[derive(Debug, PartialEq, Eq)]
struct Field<'a> {
    name: &'a str,
    /// What stands in the brackets; nothing means a list.
    path: Vec<&'a str>,
    value: Option<&'a str>,
}

/// Puts the field `text` into `into`. Its value is made by `value` from the text after the `=`.
///
/// # Errors
/// When it is no field, does not fit those before, or `value` refuses.
pub fn add<E: From<String>>(
    into: &mut Map<String, Value>,
    text: &str,
    value: impl FnOnce(&str) -> Result<Value, E>,
) -> Result<(), E> {
    let field = parse(text)?;
    let value = field.value.map(value).transpose()?;
    Ok(put(into, field.name, &field.path, value)?)
}

/// A value as `-F` reads it: `true`, `false`, `null`, a whole number, or text.
pub fn typed(text: &str) -> Option<Value> {
    match text {
        "true" => Some(Value::Bool(true)),
        "false" => Some(Value::Bool(false)),
        "null" => Some(Value::Null),
        number => number.parse::<i64>().ok().map(Value::from),
    }
}

/// The fields as a query, sorted by name. A list is repeated under `name[]`; of what is nested
/// only the innermost name counts.
pub fn query(fields: &Map<String, Value>) -> Vec<(String, String)> {
    fn flatten(out: &mut Vec<(String, String)>, name: &str, value: &Value) {
        match value {
            Value::Object(map) => map.iter().for_each(|(name, value)| flatten(out, name, value)),
            Value::Array(items) => items.iter().for_each(|item| flatten(out, &format!("{name}[]"), item)),
            Value::Null => out.push((name.to_owned(), String::new())),
            Value::String(text) => out.push((name.to_owned(), text.clone())),
            other => out.push((name.to_owned(), other.to_string())),
        }
    }
    let mut out = Vec::new();
    fields.iter().for_each(|(name, value)| flatten(&mut out, name, value));
    out.sort_by(|(a, _), (b, _)| a.cmp(b));
    out
}

fn parse(text: &str) -> Result<Field<'_>, String> {
    let (key, value) = match text.split_once('=') {
        Some((key, value)) => (key, Some(value)),
        None => (text, None),
    };
    let unreadable = || format!("{key:?} is not the name of a field");
    let (name, mut rest) = key.split_at(key.find(['[', ']']).unwrap_or(key.len()));
    if name.is_empty() {
        return Err(unreadable());
    }
    let mut path = Vec::new();
    while !rest.is_empty() {
        let (inner, after) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')).ok_or_else(unreadable)?;
        if inner.contains('[') {
            return Err(unreadable());
        }
        path.push(inner);
        rest = after;
    }
    if value.is_none() && path.last() != Some(&"") {
        return Err(format!("the field {key:?} has no value: write {key}=VALUE"));
    }
    Ok(Field { name, path, value })
}

fn put(into: &mut Map<String, Value>, name: &str, path: &[&str], value: Option<Value>) -> Result<(), String> {
    // Several empty brackets in a row are one list.
    let lists = path.iter().take_while(|key| key.is_empty()).count();
    match (lists, &path[lists..]) {
        (0, []) => {
            if into.contains_key(name) {
                return Err(format!("the field {name:?} is given twice"));
            }
            into.insert(name.to_owned(), value.unwrap_or_default());
            Ok(())
        }
        (0, [key, rest @ ..]) => {
            let inner = into.entry(name).or_insert_with(|| Value::Object(Map::new()));
            let inner = inner.as_object_mut().ok_or_else(|| format!("the field {name:?} is no object"))?;
            put(inner, key, rest, value)
        }
        (_, rest) => {
            let list = into.entry(name).or_insert_with(|| Value::Array(Vec::new()));
            let list = list.as_array_mut().ok_or_else(|| format!("the field {name:?} is no list"))?;
            match (rest, value) {
                ([], None) => list.clear(),
                ([], Some(value)) => list.push(value),
                ([key, rest @ ..], value) => {
                    let open = |map: &Map<String, Value>| map.get(*key).is_none_or(Value::is_array);
                    if !list.last().and_then(Value::as_object).is_some_and(open) {
                        list.push(Value::Object(Map::new()));
                    }
                    let last = list.last_mut().and_then(Value::as_object_mut);
                    put(last.ok_or_else(|| format!("the field {name:?} is no list of objects"))?, key, rest, value)?;
                }
            }
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::{add, query, typed};

    fn object(fields: &[&str]) -> Result<Value, String> {
        let mut map = Map::new();
        for field in fields {
            add(&mut map, field, |text| Ok::<_, String>(typed(text).unwrap_or_else(|| text.into())))?;
        }
        Ok(Value::Object(map))
    }

    #[test]
    fn brackets_nest() {
        let table: [(&[&str], Value); 13] = [
            (&["a=1", "b=x=y", "c="], json!({"a": 1, "b": "x=y", "c": ""})),
            (&["a=true", "b=null", "c=-3", "d=1.5", "e=TRUE"], json!({"a":true,"b":null,"c":-3,"d":"1.5","e":"TRUE"})),
            (&["a[b]=1", "a[c]=2"], json!({"a": {"b": 1, "c": 2}})),
            (&["a[b][c][d]=1"], json!({"a": {"b": {"c": {"d": 1}}}})),
            (&["a[]=1", "a[]=2"], json!({"a": [1, 2]})),
            (&["a[]"], json!({"a": []})),
            (&["a[b][]=x", "a[b][]=y"], json!({"a": {"b": ["x", "y"]}})),
            (&["a[][b]=1", "a[][c]=2", "a[][b]=3"], json!({"a": [{"b": 1, "c": 2}, {"b": 3}]})),
            (&["a[][b][]=1", "a[][b][]=2", "a[][c]=3"], json!({"a": [{"b": [1, 2], "c": 3}]})),
            (&["a[][b][c]=1", "a[][b][c]=2"], json!({"a": [{"b": {"c": 1}}, {"b": {"c": 2}}]})),
            (&["a[]=1", "a[][b]=2"], json!({"a": [1, {"b": 2}]})),
            (&["a[][]=1"], json!({"a": [1]})),
            (&["a[b]="], json!({"a": {"b": ""}})),
        ];
        for (fields, expected) in table {
            assert_eq!(object(fields), Ok(expected), "{fields:?}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for (fields, expected) in [
            (&["a"][..], "has no value"),
            (&["a[b]"], "has no value"),
            (&["=1"], "not the name"),
            (&["[a]=1"], "not the name"),
            (&["a[b=1"], "not the name"),
            (&["a]=1"], "not the name"),
            (&["a[b]c=1"], "not the name"),
            (&["a=1", "a=2"], "twice"),
            (&["a=1", "a[b]=2"], "no object"),
            (&["a[b]=1", "a[]=2"], "no list"),
        ] {
            let error = object(fields).expect_err("refused");
            assert!(error.contains(expected), "{fields:?}: {error}");
        }
    }

    #[test]
    fn a_query_is_flat_and_sorted() {
        let fields = object(&["state=all", "labels[]=b", "labels[]=a", "n=1", "x=null", "deep[inner]=v"]);
        let Ok(Value::Object(fields)) = fields else { panic!("fields") };
        let pairs: Vec<String> = query(&fields).into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(pairs, ["inner=v", "labels[]=b", "labels[]=a", "n=1", "state=all", "x="]);
    }
}
