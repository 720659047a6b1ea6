//! The wire, beside that of the real smee server; and where ours gives more.

use bytes::Bytes;
use pforge::util::id::guid;
use serde_json::{Value, json};

use super::support::{Listener, Relay, exact, http, post};

#[tokio::test]
async fn channels_are_made_as_smee_makes_them() {
    let relay = Relay::start(&[]);
    let http = http();
    let mut seen = Vec::new();
    for request in [http.get(relay.channel("new")), http.head(relay.channel("new"))] {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 307);
        let location = answer.headers()["location"].to_str().unwrap().to_owned();
        let name = location.strip_prefix(&format!("{}/", relay.url)).unwrap().to_owned();
        assert_eq!(name.len(), 16, "{name}");
        assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'), "{name}");
        seen.push(name);
    }
    assert_ne!(seen[0], seen[1]);
    // Behind a proxy that speaks TLS.
    let forwarded = http.head(relay.channel("new")).header("x-forwarded-proto", "https");
    let answer = forwarded.header("x-forwarded-host", "relay.example.org").send().await.unwrap();
    assert!(answer.headers()["location"].to_str().unwrap().starts_with("https://relay.example.org/"));
    let relay = Relay::start_public("https://relay.example.org/base/");
    let answer = http.get(relay.channel("new")).send().await.unwrap();
    assert!(answer.headers()["location"].to_str().unwrap().starts_with("https://relay.example.org/base/"));
}

#[tokio::test]
async fn a_post_arrives_as_smee_sends_it() {
    let mut relay = Relay::start(&[]);
    let (url, http) = (relay.channel("wire"), http());
    let mut first = Listener::ready(&url).await;
    let mut second = Listener::ready(&format!("{url}?bodyB=1")).await;
    assert_eq!(first.last_id.as_deref(), Some("0"));
    let (guid, body) = (guid(), r#"{"action":"opened","n":1.0,"repository":{"full_name":"alice/mock"}}"#);
    let answer = http
        .post(format!("{url}?a=1&b=%20x"))
        .header("Content-Type", "application/json")
        .header("X-GitHub-Event", "pull_request")
        .header("X-GitHub-Delivery", &guid)
        .header("X-Repeated", "one")
        .header("X-Repeated", "two")
        .body(body)
        .send()
        .await
        .unwrap();
    assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().as_str()), (200, ""));
    let event = first.message().await;
    assert_eq!(event.name, "message");
    assert!(event.data.contains(&format!("\"body\":{body},")), "the bytes stand there: {}", event.data);
    let data: Value = serde_json::from_str(&event.data).unwrap();
    let host = relay.url.trim_start_matches("http://");
    for (name, expected) in [
        ("host", json!(host)),
        ("content-type", json!("application/json")),
        ("content-length", json!(body.len().to_string())),
        ("x-github-event", json!("pull_request")),
        ("x-github-delivery", json!(guid)),
        ("x-repeated", json!("one, two")),
        ("query", json!({"a": "1", "b": " x"})),
    ] {
        assert_eq!(data[name], expected, "{name}");
    }
    assert!(data["timestamp"].as_u64().unwrap() > 1_700_000_000_000);
    // An unmodified client would send it on as a header.
    assert!(data.get("bodyB").is_none());
    assert_eq!(exact(&second.message().await.data), body.as_bytes());
    // Once more, by id and as smee's page does it: theirs answers 200 and reaches nobody.
    let id = first.last_id.clone().unwrap();
    for again in [json!({ "id": id }), data.clone()] {
        let answer = http.post(format!("{url}/redeliver")).json(&again).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{again}");
        let (new, delivery) = first.delivery().await;
        assert!(new > id.parse().unwrap());
        assert_eq!((delivery.guid(), delivery.event()), (Some(guid.as_str()), Some("pull_request")));
        assert!(delivery.body.starts_with(b"{\"action\":\"opened\""));
        second.delivery().await;
    }
    let lines: Vec<Value> = relay.stop().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<_> = lines.iter().map(|line| line["type"].as_str().unwrap()).collect();
    assert_eq!(told, ["received", "redelivered", "redelivered", "stopped"]);
    let expected = json!({
        "type": "received", "channel": "wi…", "id": lines[0]["id"], "event": "pull_request.opened",
        "repo": "alice/mock", "guid": guid, "bytes": body.len(), "listeners": 2, "encrypted": false,
    });
    assert_eq!(lines[0], expected);
}

/// What smee's server refuses and GitHub sends is taken; what nobody can use is not.
#[tokio::test]
async fn the_table_of_answers() {
    let relay = Relay::start(&[]);
    let (url, http) = (relay.channel("table"), http());
    let mut listener = Listener::ready(&format!("{url}?bodyB=1")).await;
    for (body, smee) in [
        (Bytes::from_static(b"{}"), 200),
        (Bytes::from_static(b"[1,2]"), 400),
        (Bytes::from_static(b"null"), 400),
        (Bytes::from_static(b"not JSON"), 400),
        (Bytes::from_static(b""), 400),
        (Bytes::from_static(b"\xff\xfe\x00\r\n"), 400),
        (Bytes::from_static(b"payload=%7B%7D"), 415),
        (Bytes::from("x".repeat((1 << 20) + 1)), 413),
        (Bytes::from(format!("[{}]", "1,".repeat(12 << 20) + "1")), 413),
    ] {
        let start = body.slice(..body.len().min(20));
        assert_eq!(post(&http, &url, "no UUID", body.clone()).await.unwrap(), 200, "{start:?}; smee: {smee}");
        let event = listener.message().await;
        assert!(exact(&event.data) == body, "{start:?}");
    }
    let mut too_large = vec![b' '; 25 << 20];
    too_large.push(b'1');
    assert_eq!(post(&http, &url, &guid(), too_large.into()).await.unwrap(), 413);
    let long = "x".repeat(129);
    for (request, status) in [
        (http.get(&relay.url), 200),
        (http.get(relay.channel("favicon.ico")), 204),
        (http.get(relay.channel("any-name_of.it")), 400),
        (http.get(relay.channel(&long)), 400),
        (http.post(relay.channel("a.b")), 400),
        (http.post(relay.channel("a%20b")), 400),
        (http.get(relay.channel("a/b/c")), 404),
        (http.put(relay.channel("a")), 405),
        (http.post(relay.channel("table/redeliver")).body("{\"id\":\"7\"}"), 404),
        (http.post(relay.channel("table/redeliver")).body("{}"), 400),
        (http.post(relay.channel("table/redeliver")).body("nonsense"), 400),
        (http.get(relay.channel("table")), 200),
    ] {
        let (client, request) = request.build_split();
        let request = request.unwrap();
        let shown = format!("{} {}", request.method(), request.url());
        let answer = client.execute(request).await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{shown}");
    }
    // The page: nothing from elsewhere may run in it, and the address stays here.
    let page = http.get(&url).header("accept", "text/html").send().await.unwrap();
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(page.headers()["referrer-policy"], "no-referrer");
}
