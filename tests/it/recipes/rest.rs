//! The REST API: every table, with every key, on both databases.

use pforge::apps::recipes::Settings;
use serde_json::{Value, json};

use super::world::{API_KEY, World};
use crate::support::env::Env;
use crate::support::pg::{TestDb, on_both};

/// What the document lists beside the tables.
const ROUTES: [(&str, &str); 22] = [
    ("/", "get"),
    ("/github/hooks/", "post"),
    ("/github/hooks/deliveries", "get"),
    ("/github/hooks/deliveries/{id}", "get"),
    ("/feedstocks/{id}/deliveries", "get"),
    ("/feedstocks/{id}/commits/{sha}/check-runs", "get"),
    ("/feedstocks/{id}/datasets", "get"),
    ("/feedstocks/{owner}/{repo}/{commit}/{recipe_id}/logs", "get"),
    ("/recipe_runs/{id}/logs", "get"),
    ("/recipe_runs/{id}/attempts", "get"),
    ("/recipe_runs/{id}/retry", "post"),
    ("/recipe_runs/{id}/cancel", "post"),
    ("/stats/datasets", "get"),
    ("/stats/feedstocks", "get"),
    ("/stats/bakeries", "get"),
    ("/stats/recipe_runs", "get"),
    ("/repr/xarray", "get"),
    ("/deliveries", "get"),
    ("/deliveries/{guid}", "get"),
    ("/jobs", "get"),
    ("/jobs/{id}/trace", "get"),
    ("/jobs/{id}/retry", "post"),
];

/// A table as the API shows it.
struct Table {
    path: &'static str,
    noun: &'static str,
    /// A valid body, without what may be left out.
    new: Value,
    /// What the answer to it holds, in order, without the id.
    shown: Value,
    /// A field, another valid value, and an invalid one.
    change: (&'static str, Value, Value),
}

fn tables() -> [Table; 3] {
    let run = json!({ "recipe_id": "r", "bakery_id": 1, "feedstock_id": 1, "head_sha": "abc", "version": "",
                      "started_at": "2022-09-19T16:31:43" });
    let shown = json!({ "recipe_id": "r", "bakery_id": 1, "feedstock_id": 1, "head_sha": "abc", "version": "",
                        "started_at": "2022-09-19T16:31:43Z", "completed_at": null, "conclusion": null,
                        "status": "queued", "is_test": false, "dataset_type": null, "dataset_public_url": null,
                        "message": null });
    let bakery = json!({ "region": "local", "name": "b", "description": "A great bakery." });
    [
        Table {
            path: "/feedstocks/",
            noun: "feedstock",
            new: json!({ "spec": "o/a-feedstock" }),
            shown: json!({ "spec": "o/a-feedstock", "provider": "github" }),
            change: ("spec", json!("o/c-feedstock"), json!(5)),
        },
        Table {
            path: "/bakeries/",
            noun: "bakery",
            new: bakery.clone(),
            shown: bakery,
            change: ("name", json!("c"), Value::Null),
        },
        Table {
            path: "/recipe_runs/",
            noun: "recipe_run",
            new: run,
            shown,
            change: ("status", json!("in_progress"), json!("paused")),
        },
    ]
}

on_both!(
    the_root_says_ok_and_the_docs_are_there,
    init_db_makes_a_feedstock_and_a_bakery_once,
    every_table_is_created_read_changed_and_deleted,
    runs_refer_to_what_is_there_and_are_shown_with_it,
    lists_are_paged_and_sorted,
    datasets_are_successful_runs_with_an_address,
);

async fn the_root_says_ok_and_the_docs_are_there(database: TestDb) {
    let world = World::start(database, Settings::default()).await;
    assert_eq!(world.send("GET", "/", &[]).await.text().await.unwrap(), r#"{"status":"ok"}"#);
    let docs = world.send("GET", "/docs", &[]).await;
    assert!(docs.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    assert!(docs.text().await.unwrap().contains("swagger-ui"));
    let document = world.get("/openapi.json").await;
    for (path, method) in ROUTES {
        assert!(document["paths"][path][method].is_object(), "{method} {path}");
    }
}

async fn init_db_makes_a_feedstock_and_a_bakery_once(database: TestDb) {
    let world = World::start(database, Settings::default()).await;
    for path in ["/feedstocks/", "/bakeries/"] {
        assert_eq!(world.get(path).await, json!([]), "{path}");
    }
    let mut env = Env::new();
    env.set("PANGEO_FORGE_API_KEY", API_KEY);
    for created in [true, false] {
        let mut command = env.command(&["init-db", &world.url, "alice/mock-feedstock", "--json"]);
        let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let row: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(row["feedstock"]["created"], created);
        let feedstock = json!([{ "spec": "alice/mock-feedstock", "provider": "github", "id": 1 }]);
        assert_eq!(world.get("/feedstocks/").await.to_string(), feedstock.to_string());
        let bakeries = world.get("/bakeries").await;
        assert_eq!(
            (bakeries[0]["name"].as_str(), bakeries.as_array().map(Vec::len)),
            (Some("local-test-bakery"), Some(1))
        );
    }
}

async fn every_table_is_created_read_changed_and_deleted(database: TestDb) {
    let world = World::start(database, Settings::default()).await;
    for Table { path, noun, new, shown, change } in tables() {
        for (key, status, detail) in [(None, 403, "Not authenticated"), (Some("wrong"), 401, "Invalid API Key")] {
            for (method, path) in
                [("POST", path.to_owned()), ("PATCH", format!("{path}1")), ("DELETE", format!("{path}1"))]
            {
                let answer = world.call(method, &path, key, Some(new.clone())).await;
                assert_eq!(answer, (status, json!({ "detail": detail })), "{method} {path}");
            }
        }
        assert_eq!(world.get(path).await, json!([]));
        let mut sent = new.clone();
        sent["id"] = json!(77);
        sent["unknown"] = json!({});
        let mut expected = shown.clone();
        expected["id"] = json!(1);
        let (status, created) = world.admin("POST", path, sent).await;
        // As text: the order of the fields counts.
        assert_eq!((status, created.to_string()), (200, expected.to_string()));
        assert_eq!(world.get(path).await, json!([expected]));
        assert_eq!(world.get(path.trim_end_matches('/')).await, json!([expected]), "without the slash");
        let (status, body) = world.admin("POST", path, new.clone()).await;
        assert_eq!(status, 409, "{body}");
        for field in new.as_object().unwrap().keys() {
            let mut missing = new.clone();
            missing.as_object_mut().unwrap().remove(field);
            let (status, body) = world.admin("POST", path, missing).await;
            assert_eq!((status, &body["detail"][0]["loc"]), (422, &json!(["body", field])), "{body}");
            let mut mistyped = new.clone();
            mistyped[field] = json!([]);
            let (status, body) = world.admin("POST", path, mistyped).await;
            assert_eq!((status, &body["detail"][0]["loc"]), (422, &json!(["body", field])), "{body}");
        }
        for field in ["spec", "name", "recipe_id", "head_sha"] {
            if new.get(field).is_some() {
                for text in [String::new(), "x".repeat(300)] {
                    let mut odd = new.clone();
                    odd[field] = json!(text);
                    assert_eq!(world.admin("POST", path, odd).await.0, 422, "{field}");
                }
            }
        }
        let (field, good, bad) = change;
        let one = format!("{path}1");
        let (status, body) = world.admin("PATCH", &one, json!({ field: bad })).await;
        assert_eq!((status, &body["detail"][0]["loc"]), (422, &json!(["body", field])), "{body}");
        expected[field] = good.clone();
        assert_eq!(world.admin("PATCH", &one, json!({ field: good, "id": 9 })).await, (200, expected.clone()));
        assert_eq!(world.admin("PATCH", &one, json!({})).await, (200, expected.clone()));
        let missing = json!({ "detail": format!("{noun} not found") });
        for method in ["GET", "PATCH", "DELETE"] {
            let body = if method == "PATCH" { json!({}) } else { Value::Null };
            assert_eq!(world.admin(method, &format!("{path}99"), body).await, (404, missing.clone()), "{method}");
            assert_eq!(world.admin(method, &format!("{path}x"), json!({})).await.0, 422, "{method}");
        }
    }
    for path in ["/feedstocks/1", "/bakeries/1"] {
        assert_eq!(world.admin("DELETE", path, Value::Null).await.0, 409, "{path} has runs");
    }
    for path in ["/recipe_runs/1", "/feedstocks/1", "/bakeries/1"] {
        assert_eq!(world.admin("DELETE", path, Value::Null).await, (200, json!({ "ok": true })));
        assert_eq!(world.admin("DELETE", path, Value::Null).await.0, 404);
    }
}

async fn runs_refer_to_what_is_there_and_are_shown_with_it(database: TestDb) {
    let world = World::start(database, Settings::default()).await;
    let [feedstock, bakery, run] = tables();
    let (status, body) = world.admin("POST", run.path, run.new.clone()).await;
    assert_eq!(status, 409, "no feedstock yet: {body}");
    for table in [&feedstock, &bakery] {
        assert_eq!(world.admin("POST", table.path, table.new.clone()).await.0, 200);
    }
    // Its number depends on the database: the refused one may have used one up.
    let id = world.admin("POST", run.path, run.new.clone()).await.1["id"].as_i64().expect("an id");
    let run = format!("/recipe_runs/{id}");
    let shown = world.get(&run).await;
    assert_eq!((&shown["bakery"]["name"], &shown["feedstock"]["spec"]), (&json!("b"), &json!("o/a-feedstock")));
    let keys: Vec<&String> = shown.as_object().unwrap().keys().collect();
    assert_eq!(
        (keys.len(), keys[13].as_str(), keys[14].as_str(), keys[15].as_str()),
        (16, "id", "bakery", "feedstock")
    );
    for (path, order) in
        [("/feedstocks/1", "spec provider id recipe_runs"), ("/bakeries/1", "region name description id recipe_runs")]
    {
        let shown = world.get(path).await;
        let keys: Vec<&str> = shown.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys.join(" "), order);
        assert_eq!(shown["recipe_runs"][0]["id"], id, "{path}");
    }
    assert_eq!(world.admin("PATCH", &run, json!({ "bakery_id": 9 })).await.0, 409);
    let all = json!({ "completed_at": "2022-09-20T00:00:00Z", "conclusion": "failure", "dataset_type": "parquet",
                          "dataset_public_url": "https://x", "message": "{}" });
    let (_, changed) = world.admin("PATCH", &run, all.clone()).await;
    for (field, value) in all.as_object().unwrap() {
        assert_eq!(&changed[field], value);
        // One field is emptied, the others stay.
        let (status, emptied) = world.admin("PATCH", &run, json!({ field: null })).await;
        assert_eq!((status, &emptied[field], &emptied["recipe_id"]), (200, &Value::Null, &json!("r")));
        assert_eq!(world.admin("PATCH", &run, json!({ field: value })).await.1, changed);
    }
    assert_eq!(world.admin("PATCH", &run, json!({ "started_at": null })).await.0, 422);
    for bad in [json!({ "started_at": "yesterday" }), json!({ "conclusion": "won" }), json!({ "recipe_id": "a\0b" })] {
        assert_eq!(world.admin("PATCH", &run, bad.clone()).await.0, 422, "{bad}");
    }
}

async fn lists_are_paged_and_sorted(database: TestDb) {
    let world = World::start(database, Settings::default()).await;
    for name in ["b", "a", "c"] {
        let (status, _) = world.admin("POST", "/feedstocks/", json!({ "spec": format!("o/{name}-feedstock") })).await;
        assert_eq!(status, 200);
    }
    for (query, ids) in [
        ("", vec![1, 2, 3]),
        ("?order_by=spec", vec![2, 1, 3]),
        ("?order_by=spec&sort=desc", vec![3, 1, 2]),
        ("?order_by=provider&sort=desc", vec![3, 2, 1]),
        ("?offset=1&limit=1", vec![2]),
        ("?offset=9", vec![]),
    ] {
        let list = world.get(&format!("/feedstocks/{query}")).await;
        let found: Vec<i64> = list.as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).collect();
        assert_eq!(found, ids, "{query}");
    }
    for path in ["/feedstocks/", "/bakeries/", "/recipe_runs/"] {
        for query in ["limit=101", "limit=0", "offset=-1", "sort=up", "order_by=nope"] {
            let (status, body) = world.call("GET", &format!("{path}?{query}"), None, None).await;
            let name = query.split('=').next().unwrap();
            assert_eq!((status, &body["detail"][0]["loc"]), (422, &json!(["query", name])), "{path}?{query}");
        }
    }
    for column in ["completed_at", "conclusion", "is_test", "started_at", "message", "id"] {
        world.get(&format!("/recipe_runs/?order_by={column}&sort=desc")).await;
    }
}

async fn datasets_are_successful_runs_with_an_address(database: TestDb) {
    let world = World::start(database, Settings::default()).await;
    let [feedstock, bakery, run] = tables();
    for table in [&feedstock, &bakery] {
        assert_eq!(world.admin("POST", table.path, table.new.clone()).await.0, 200);
    }
    // (recipe, test, conclusion, address)
    for (recipe, is_test, conclusion, url) in [
        ("prod", false, json!("success"), json!("https://x/prod")),
        ("test", true, json!("success"), json!("https://x/test")),
        ("failed", false, json!("failure"), json!("https://x/failed")),
        ("bare", false, json!("success"), Value::Null),
    ] {
        let mut new = run.new.clone();
        for (field, value) in [
            ("recipe_id", json!(recipe)),
            ("is_test", json!(is_test)),
            ("status", json!("completed")),
            ("conclusion", conclusion),
            ("dataset_type", json!("zarr")),
            ("dataset_public_url", url),
        ] {
            new[field] = value;
        }
        assert_eq!(world.admin("POST", "/recipe_runs/", new).await.0, 200);
    }
    let prod = json!({ "id": 1, "recipe_id": "prod", "feedstock_id": 1, "is_test": false, "dataset_type": "zarr",
                           "dataset_public_url": "https://x/prod" });
    assert_eq!(world.get("/feedstocks/1/datasets?type=production").await.to_string(), json!([prod]).to_string());
    for (query, count) in [("", 2), ("?type=all", 2), ("?type=test", 1)] {
        let datasets = world.get(&format!("/feedstocks/1/datasets{query}")).await;
        assert_eq!(datasets.as_array().unwrap().len(), count, "{query}");
    }
    assert_eq!(world.get("/feedstocks/99/datasets").await, json!([]));
    assert_eq!(world.call("GET", "/feedstocks/1/datasets?type=x", None, None).await.0, 422);
    for (path, count) in [
        ("/stats/feedstocks", 1),
        ("/stats/bakeries", 1),
        ("/stats/recipe_runs", 4),
        ("/stats/datasets", 3),
        ("/stats/datasets?exclude_test_runs=true", 1),
    ] {
        assert_eq!(world.get(path).await, json!({ "count": count }), "{path}");
    }
    assert_eq!(world.call("GET", "/stats/datasets?exclude_test_runs=maybe", None, None).await.0, 422);
}

#[tokio::test]
async fn the_document_names_every_route_and_marks_the_admin_ones() {
    let world = World::start(TestDb::sqlite().await, Settings::default()).await;
    let document = world.get("/openapi.json").await;
    for table in tables() {
        let list = table.path.trim_end_matches('/');
        let one = format!("{list}/{{id}}");
        for (path, method, admin) in [
            (list, "get", false),
            (list, "post", true),
            (one.as_str(), "get", false),
            (one.as_str(), "patch", true),
            (one.as_str(), "delete", true),
        ] {
            let operation = &document["paths"][path][method];
            assert!(operation.is_object(), "{method} {path}");
            assert_eq!(!operation["security"].is_null(), admin, "{method} {path}");
        }
    }
}
