//! GraphQL through the same command: its address, its body, its errors and its pages.

use serde_json::{Map, Value, json};
use url::Url;

use crate::cli::error::{Error, Kind};
use crate::github::Target;

/// Where GraphQL is asked: beside the REST API of github.com, above that of an Enterprise Server.
pub fn address(api_url: &Url) -> String {
    let base = api_url.as_str().trim_end_matches('/');
    format!("{}/graphql", base.strip_suffix("/v3").unwrap_or(base))
}

/// The body: `query` and `operationName` as they are, all other fields as variables.
pub fn body(fields: Map<String, Value>) -> Map<String, Value> {
    let own = |name: &str| matches!(name, "query" | "operationName");
    let (mut body, variables): (Map<_, _>, Map<_, _>) = fields.into_iter().partition(|(name, _)| own(name));
    if !variables.is_empty() {
        body.insert("variables".to_owned(), Value::Object(variables));
    }
    body
}

/// The repository that the variables `owner` and `name` (or `repo`) speak of.
pub fn target(body: &Map<String, Value>) -> Option<Target> {
    let variable = |name: &str| body.get("variables")?.get(name)?.as_str();
    let full_name = format!("{}/{}", variable("owner")?, variable("name").or_else(|| variable("repo"))?);
    Some(Target::Repository { full_name, installation: None })
}

/// Sets the variable `endCursor`.
pub fn go_on(body: &mut Map<String, Value>, cursor: &str) {
    let variables = body.entry("variables").or_insert_with(|| json!({}));
    variables["endCursor"] = cursor.into();
}

/// Whether the query can be paged: it takes the variable.
pub fn is_pageable(body: &Map<String, Value>) -> bool {
    body.get("query").and_then(Value::as_str).is_some_and(|query| query.contains("$endCursor"))
}

/// The cursor of the next page: that of the first `pageInfo` that has one.
pub fn next(answer: &Value) -> Option<String> {
    let Value::Object(object) = answer else { return None };
    if let Some(info) = object.get("pageInfo") {
        let more = info["hasNextPage"].as_bool()?;
        return info["endCursor"].as_str().filter(|_| more).map(str::to_owned);
    }
    object.values().find_map(next)
}

/// Appends `page` to `all`: the lists of each connection (an object with `pageInfo`) grow, its
/// `pageInfo` is the last one; all else stays as the first page had it.
pub fn merge(all: &mut Value, page: Value) {
    let (Value::Object(all), Value::Object(page)) = (all, page) else { return };
    let connection = all.contains_key("pageInfo");
    for (name, new) in page {
        match (all.get_mut(&name), new) {
            (Some(old), new) if connection && name == "pageInfo" => *old = new,
            (Some(Value::Array(old)), Value::Array(new)) if connection => old.extend(new),
            (Some(old), new) => merge(old, new),
            (None, _) => {}
        }
    }
}

/// The error that an answer of status 200 tells of.
pub fn error(answer: &Value) -> Option<Error> {
    let errors = answer.get("errors")?.as_array().filter(|errors| !errors.is_empty())?;
    let kind = match errors[0]["type"].as_str() {
        Some("NOT_FOUND") => Kind::NotFound,
        Some("FORBIDDEN" | "INSUFFICIENT_SCOPES") => Kind::Auth,
        Some("RATE_LIMITED" | "SERVICE_UNAVAILABLE") => Kind::Upstream,
        _ => Kind::Failure,
    };
    let mut told = errors.iter().map(|error| {
        let said = error["message"].as_str().unwrap_or("GitHub gave no reason");
        let path: Vec<&str> = error["path"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        if path.is_empty() { said.to_owned() } else { format!("{said} ({})", path.join(".")) }
    });
    let first = Error::new(kind, told.next().unwrap_or_default());
    let told = told.fold(first, Error::because);
    Some(match kind {
        Kind::Auth => told.because("GraphQL asks for the same permissions as REST: compare them with the App's"),
        Kind::NotFound => told.because("it does not exist, or the installation may not see it"),
        _ => told,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use url::Url;

    use super::{Kind, Target, address, body, error, go_on, is_pageable, merge, next, target};

    #[test]
    fn the_address_follows_the_api() {
        for (api, expected) in [
            ("https://api.github.com/", "https://api.github.com/graphql"),
            ("https://ghes.example/api/v3/", "https://ghes.example/api/graphql"),
            ("http://127.0.0.1:4010/", "http://127.0.0.1:4010/graphql"),
        ] {
            assert_eq!(address(&Url::parse(api).expect("url")), expected);
        }
    }

    #[test]
    fn fields_become_variables() {
        let Value::Object(fields) = json!({"query": "q($endCursor)", "operationName": "o", "owner": "a", "name": "b"})
        else {
            panic!("object")
        };
        let mut body = body(fields);
        assert_eq!(target(&body), Some(Target::Repository { full_name: "a/b".into(), installation: None }));
        assert!(is_pageable(&body));
        go_on(&mut body, "c");
        assert_eq!(
            Value::Object(body),
            json!({"query": "q($endCursor)", "operationName": "o",
                   "variables": {"owner": "a", "name": "b", "endCursor": "c"}})
        );
    }

    #[test]
    fn connections_grow_and_the_rest_stays() {
        let page = |nodes: Value, more: bool, cursor: &str| {
            json!({"data": {"repository": {"id": "R", "labels": ["x"], "issues": {
                "totalCount": 3, "nodes": nodes, "pageInfo": {"hasNextPage": more, "endCursor": cursor}}}}})
        };
        let mut all = page(json!([1, 2]), true, "c1");
        assert_eq!(next(&all).as_deref(), Some("c1"));
        merge(&mut all, page(json!([3]), false, "c2"));
        assert_eq!(all, page(json!([1, 2, 3]), false, "c2"));
        assert_eq!(next(&all), None);
    }

    #[test]
    fn errors_of_a_success_are_errors() {
        let told = error(&json!({"data": null, "errors": [
            {"type": "NOT_FOUND", "path": ["repository"], "message": "Could not resolve"}, {"message": "second"}]}));
        let told = told.expect("an error");
        assert_eq!((told.kind, told.message.as_str()), (Kind::NotFound, "Could not resolve (repository)"));
        assert_eq!(told.causes[0], "second");
        assert_eq!(error(&json!({"data": {}})), None);
    }
}
