//! ngrok's agent, played by its local API.

use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::routing::{delete, get};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use pforge::github::signature::Key;
use pforge::proxy::ngrok::{NoTunnel, Tunnel};
use pforge::proxy::session::Source;
use pforge::proxy::{Notice, Verdict};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;

use super::stage::{Running, SECRET, guid, session};

#[derive(Default)]
struct Agent {
    tunnels: Vec<Value>,
    requests: Vec<Value>,
}

type Shared = Arc<Mutex<Agent>>;

async fn agent(tunnels: Vec<Value>) -> (Url, Shared) {
    let agent: Shared = Arc::new(Mutex::new(Agent { tunnels, ..Agent::default() }));
    let list = async |State(agent): State<Shared>| {
        Json(json!({ "tunnels": agent.lock().unwrap().tunnels, "uri": "/api/tunnels" }))
    };
    let add = async |State(agent): State<Shared>, Json(wanted): Json<Value>| {
        let tunnel =
            tunnel("https://added.ngrok.app", &format!("http://localhost:{}", wanted["addr"].as_str().unwrap()));
        agent.lock().unwrap().tunnels.push(tunnel.clone());
        (StatusCode::CREATED, Json(tunnel))
    };
    let remove = async |State(agent): State<Shared>| {
        agent.lock().unwrap().tunnels.pop();
        StatusCode::NO_CONTENT
    };
    let requests =
        async |State(agent): State<Shared>| Json(json!({ "requests": agent.lock().unwrap().requests, "uri": "" }));
    let app = Router::new()
        .route("/api/tunnels", get(list).post(add))
        .route("/api/tunnels/pforge", delete(remove))
        .route("/api/requests/http", get(requests))
        .with_state(Arc::clone(&agent));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (url, agent)
}

fn tunnel(public: &str, to: &str) -> Value {
    json!({ "name": "command_line", "public_url": public, "proto": "https", "config": { "addr": to, "inspect": true } })
}

fn exchange(id: &str, path: &str, body: &str, secret: &str) -> Value {
    let signature = Key::new(secret.as_bytes()).sign(body.as_bytes());
    json!({
        "uri": path, "id": id, "duration": 41_000_000, "start": "2026-01-01T00:00:00Z",
        "request": {
            "method": "POST", "proto": "HTTP/1.1", "uri": path,
            "headers": { "Host": ["ours.ngrok.app"], "X-Github-Event": ["push"], "X-Github-Delivery": [guid()],
                "X-Hub-Signature-256": [signature] },
            "raw": STANDARD.encode(format!("POST {path} HTTP/1.1\r\nHost: ours.ngrok.app\r\n\r\n{body}")),
        },
        "response": { "status": "202 Accepted", "status_code": 202, "headers": { "X-Pforge-Delivery": ["new"] },
            "raw": STANDARD.encode("HTTP/1.1 202 Accepted\r\n\r\n{}") },
    })
}

#[tokio::test]
async fn the_tunnel_to_our_port_is_found_and_watched() {
    let tunnels = vec![
        tunnel("https://other.ngrok.app", "http://localhost:3000"),
        tunnel("https://ours.ngrok.app", "http://localhost:8000"),
    ];
    let (api, agent) = agent(tunnels).await;
    agent.lock().unwrap().requests.push(exchange("before", "/github/hooks/", "{}", SECRET));
    let tunnel = Tunnel::open(&[api], "no-such-program", 8000).await.unwrap();
    assert_eq!(tunnel.public().as_str(), "https://ours.ngrok.app/");
    let watching = Source::Watch(tunnel.watch("/github/hooks/"));
    let running = Running::start(session("http://127.0.0.1:8000/github/hooks/"), watching);
    running.until_connected().await;
    let mut more = [
        exchange("1", "/github/hooks", r#"{"ref":"x","repository":{"full_name":"a/b"}}"#, SECRET),
        exchange("2", "/elsewhere", "{}", SECRET),
        exchange("3", "/github/hooks/", "{}", "a guess"),
    ];
    more.reverse();
    agent.lock().unwrap().requests.splice(0..0, more);
    let told = running.until_forwarded(2).await;
    running.stop().await;
    let seen: Vec<_> =
        told.iter().filter_map(|n| if let Notice::Received(seen) = n { Some(seen) } else { None }).collect();
    assert_eq!(seen.iter().map(|s| s.verdict).collect::<Vec<_>>(), [Verdict::Raw, Verdict::Wrong]);
    assert_eq!((seen[0].event.as_str(), seen[0].about.as_deref()), ("push", Some("a/b")));
    let Some(Notice::Forwarded { reply, .. }) = told.iter().find(|n| matches!(n, Notice::Forwarded { .. })) else {
        panic!()
    };
    assert_eq!((reply.status, reply.took.as_millis()), (202, 41));
    tunnel.close().await;
    assert_eq!(agent.lock().unwrap().tunnels.len(), 2, "what was found stays");
}

#[tokio::test]
async fn a_running_agent_opens_a_tunnel_and_closes_it() {
    let (api, agent) = agent(vec![tunnel("https://other.ngrok.app", "http://localhost:3000")]).await;
    let tunnel = Tunnel::open(&[api], "no-such-program", 8000).await.unwrap();
    assert_eq!(tunnel.public().as_str(), "https://added.ngrok.app/");
    assert_eq!(agent.lock().unwrap().tunnels.len(), 2);
    tunnel.close().await;
    assert_eq!(agent.lock().unwrap().tunnels.len(), 1);
}

/// An agent that is started: it says what it does in its log.
#[cfg(unix)]
#[tokio::test]
async fn an_agent_is_started_when_none_runs() {
    use std::os::unix::fs::PermissionsExt;
    let nobody = Url::parse("http://127.0.0.1:9").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let program = |text: &str| {
        let path = folder.path().join("ngrok");
        // Renamed into place: a file that is open for writing cannot be executed.
        let new = folder.path().join("new");
        std::fs::write(&new, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::rename(new, &path).unwrap();
        path.display().to_string()
    };
    let good = program(
        r#"printf '%s\n' '{"lvl":"info","msg":"starting web service","obj":"web","addr":"127.0.0.1:4040"}'
        printf '%s\n' '{"lvl":"info","msg":"started tunnel","obj":"tunnels","name":"command_line","addr":"http://localhost:8000","url":"https://new.ngrok.app"}'
        exec sleep 60"#,
    );
    let tunnel = Tunnel::open(std::slice::from_ref(&nobody), &good, 8000).await.unwrap();
    assert_eq!(tunnel.public().as_str(), "https://new.ngrok.app/");
    tunnel.close().await;
    let bad = program(
        r#"printf '%s\n' '{"lvl":"eror","msg":"session closing","err":"authentication failed: the authtoken is not valid\n\nERR_NGROK_107\n"}'; exit 1"#,
    );
    let error = Tunnel::open(std::slice::from_ref(&nobody), &bad, 8000).await.unwrap_err();
    assert_eq!(error.to_string(), "ngrok opened no tunnel: authentication failed: the authtoken is not valid");
    let error = Tunnel::open(&[nobody], "no-such-program", 8000).await.unwrap_err();
    assert!(matches!(error, NoTunnel::NotInstalled), "{error}");
}
