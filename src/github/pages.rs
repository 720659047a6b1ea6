//! Pages: found by the `Link` header only, merged into one value.
//!
//! Source: <https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api>

use serde_json::Value;

/// The target of `rel="next"` in the value of a `Link` header (RFC 8288).
pub fn next(link: &str) -> Option<String> {
    let mut rest = link;
    while let Some((_, after)) = rest.split_once('<') {
        let (target, parameters) = after.split_once('>')?;
        // A comma inside quotes is no separator, but GitHub's parameters have none; the next
        // link starts at the next '<'.
        let own = parameters.split('<').next().unwrap_or_default();
        let is_next = own.split([';', ',']).any(|parameter| {
            parameter.split_once('=').is_some_and(|(name, value)| {
                name.trim().eq_ignore_ascii_case("rel")
                    && value
                        .trim()
                        .trim_matches('"')
                        .split_ascii_whitespace()
                        .any(|rel| rel.eq_ignore_ascii_case("next"))
            })
        });
        if is_next {
            return Some(target.to_owned());
        }
        rest = parameters;
    }
    None
}

/// Appends `page` to `all`: two arrays, or two objects with one list each, such as
/// `{"total_count": 2, "check_runs": […]}`. The other fields stay as the first page had them.
///
/// # Errors
/// When the pages do not have the same shape.
pub fn merge(all: &mut Value, page: Value) -> Result<(), &'static str> {
    match (all, page) {
        (Value::Array(all), Value::Array(page)) => {
            all.extend(page);
            Ok(())
        }
        (Value::Object(all), Value::Object(mut page)) => {
            let name = list_name(all).ok_or("a page without a list, or with several")?;
            let Some(Value::Array(more)) = page.remove(&name) else { return Err("pages of different shapes") };
            if let Some(Value::Array(list)) = all.get_mut(&name) {
                list.extend(more);
            }
            Ok(())
        }
        _ => Err("pages of different shapes"),
    }
}

/// The list in a merged answer: the array itself, or the one in the object.
///
/// # Errors
/// When there is none, or more than one.
pub fn items(merged: Value) -> Result<Vec<Value>, &'static str> {
    match merged {
        Value::Array(items) => Ok(items),
        Value::Object(mut object) => match list_name(&object).and_then(|name| object.remove(&name)) {
            Some(Value::Array(items)) => Ok(items),
            _ => Err("an object without a list, or with several"),
        },
        _ => Err("neither a list nor an object"),
    }
}

fn list_name(object: &serde_json::Map<String, Value>) -> Option<String> {
    let mut lists = object.iter().filter(|(_, value)| value.is_array()).map(|(name, _)| name);
    let name = lists.next()?;
    lists.next().is_none().then(|| name.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn next_is_found_wherever_it_stands() {
        let table = [
            (r#"<https://h/x?page=2>; rel="next", <https://h/x?page=9>; rel="last""#, Some("https://h/x?page=2")),
            (
                r#"<https://h/x?page=1>; rel="prev", <https://h/x?a=1,2&page=3>; rel="next""#,
                Some("https://h/x?a=1,2&page=3"),
            ),
            ("<https://h/x>; rel=next", Some("https://h/x")),
            (r#"<https://h/x>; title="t"; REL="last Next""#, Some("https://h/x")),
            (r#"<https://h/x>; rel="last""#, None),
            (r#"<https://h/x>; rel="nextish""#, None),
            (r#"<https://h/next>; rel="first""#, None),
            ("<https://h/x", None),
            ("", None),
        ];
        for (link, expected) in table {
            assert_eq!(next(link).as_deref(), expected, "{link}");
        }
    }

    #[test]
    fn arrays_and_counted_lists_grow() {
        let mut all = json!([1]);
        merge(&mut all, json!([2, 3])).expect("same shape");
        assert_eq!(all, json!([1, 2, 3]));
        let mut all = json!({"total_count": 3, "check_runs": [1]});
        merge(&mut all, json!({"total_count": 3, "check_runs": [2, 3]})).expect("same shape");
        assert_eq!(all, json!({"total_count": 3, "check_runs": [1, 2, 3]}));
        assert_eq!(items(all), Ok(vec![json!(1), json!(2), json!(3)]));
    }

    #[test]
    fn other_shapes_are_refused() {
        let table = [
            (json!([1]), json!({"a": [2]})),
            (json!({"a": [1]}), json!({"b": [2]})),
            (json!({"a": [1], "b": []}), json!({"a": [2], "b": []})),
            (json!({"a": 1}), json!({"a": 1})),
            (json!("x"), json!("y")),
        ];
        for (mut all, page) in table {
            assert!(merge(&mut all, page.clone()).is_err(), "{all} {page}");
        }
        assert!(items(json!(1)).is_err());
        assert!(items(json!({"a": 1})).is_err());
    }
}
