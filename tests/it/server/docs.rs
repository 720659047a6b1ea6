//! The OpenAPI document and the page that shows it.

use std::sync::Arc;
use std::time::Duration;

use pforge::apps::recipes::{Parts, Recipes};
use pforge::server;
use pforge::store::Db;
use pforge::util::Clock;
use serde_json::Value;

use super::harness::{Server, Tiny};

const ROUTES: [(&str, &str); 18] = [
    ("/", "get"),
    ("/healthz", "get"),
    ("/health", "get"),
    ("/readyz", "get"),
    ("/metrics", "get"),
    ("/events", "get"),
    ("/deliveries", "get"),
    ("/deliveries/{guid}", "get"),
    ("/deliveries/{guid}/payload", "get"),
    ("/jobs", "get"),
    ("/jobs/{id}", "get"),
    ("/jobs/{id}", "delete"),
    ("/jobs/{id}/trace", "get"),
    ("/jobs/{id}/retry", "post"),
    ("/tiny/hooks/", "post"),
    ("/things", "get"),
    ("/things", "post"),
    ("/things/{id}", "get"),
];

/// Every `$ref` and every named security scheme in the document.
fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                match value.as_str() {
                    Some(target) if key == "$ref" => found.push(target),
                    _ => references(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

/// Every operation as path and method, after checking that the document holds together.
fn operations(document: &Value) -> Vec<(String, String)> {
    assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")));
    assert_eq!(document["info"]["title"], "Pangeo Forge Cloud API");
    let (mut operations, mut ids) = (Vec::new(), Vec::new());
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("item") {
            operations.push((path.clone(), method.clone()));
            ids.push(operation["operationId"].as_str().expect("an id").to_owned());
            assert!(operation["responses"].as_object().is_some_and(|map| !map.is_empty()), "{method} {path}");
            for name in path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
                let mut declared = operation["parameters"].as_array().into_iter().flatten();
                assert!(declared.any(|p| p["name"] == name && p["in"] == "path"), "{method} {path} declares {name}");
            }
            for scheme in operation["security"].as_array().into_iter().flatten() {
                for name in scheme.as_object().expect("scheme").keys() {
                    assert!(document["components"]["securitySchemes"][name].is_object(), "{name}");
                }
            }
        }
    }
    let mut found = Vec::new();
    references(document, &mut found);
    assert!(!found.is_empty());
    for target in found {
        assert!(document.pointer(target.trim_start_matches('#')).is_some(), "{target} leads nowhere");
    }
    ids.sort_unstable();
    let count = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), count, "operation ids are unique");
    operations.sort_unstable();
    operations
}

#[test]
fn the_document_lists_every_route_and_holds_together() {
    let document = server::openapi(&[Arc::new(Tiny)]);
    let mut expected = ROUTES.map(|(path, method)| (path.to_owned(), method.to_owned()));
    expected.sort_unstable();
    assert_eq!(operations(&document), expected);
    assert_eq!(document["paths"]["/jobs"]["get"]["security"][0]["api_key"], serde_json::json!([]));
}

#[tokio::test]
async fn the_document_of_recipes_holds_together() {
    let url = "sqlite::memory:".parse().expect("url");
    let db = Db::connect(&url, Duration::from_secs(10)).await.expect("connect");
    let recipes = Recipes::new(Parts::new(db, Clock::system()));
    let operations = operations(&server::openapi(&[Arc::new(recipes)]));
    for (path, method) in &operations {
        // The server strips the slash before routing: such a route would never match.
        let hook = path == "/github/hooks/" && method == "post";
        assert!(path == "/" || hook || !path.ends_with('/'), "{method} {path}");
    }
    for (path, method) in [("/github/hooks/", "post"), ("/feedstocks", "post"), ("/recipe_runs/{id}", "patch")] {
        assert!(operations.contains(&(path.to_owned(), method.to_owned())), "{method} {path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_works_offline() {
    let server = Server::start().await;
    let client = reqwest::Client::builder().no_proxy().no_gzip().build().expect("client");
    let get = async |path: &str, encoding: &str| {
        let request = client.get(server.url(path)).header("accept-encoding", encoding);
        let response = request.send().await.expect("answer");
        assert_eq!(response.status(), 200, "{path}");
        response
    };
    for path in ["/docs", "/docs/"] {
        let response = get(path, "").await;
        let policy = response.headers()["content-security-policy"].to_str().expect("text").to_owned();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        let html = response.text().await.expect("text");
        assert!(!html.contains("http:") && !html.contains("https:"), "no address elsewhere: {html}");
        for part in html.split(['"']).filter(|part| part.starts_with('/')) {
            get(part, "identity").await;
        }
    }
    let zipped = get("/docs/swagger-ui-bundle.js", "gzip, br").await;
    assert_eq!(zipped.headers()["content-encoding"], "gzip");
    let zipped = zipped.bytes().await.expect("bytes");
    let plain = get("/docs/swagger-ui-bundle.js", "identity").await;
    assert!(plain.headers().get("content-encoding").is_none());
    assert_eq!(plain.headers()["vary"], "accept-encoding");
    let plain = plain.bytes().await.expect("bytes");
    let mut unpacked = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&zipped[..]), &mut unpacked).expect("gzip");
    assert!(unpacked == plain && plain.len() > 1_000_000);
    let document: Value = get("/openapi.json", "").await.json().await.expect("json");
    assert_eq!(document, server::openapi(&[Arc::new(Tiny)]));
    server.stop().await;
}
