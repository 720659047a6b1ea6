//! A running server and the commands that talk to it.

use crate::support::env::{Env, Running};

fn serving(env: &Env) -> Running {
    env.start(&["serve", "--listen", "127.0.0.1:0"])
}

#[test]
fn the_first_line_says_where_and_the_end_is_graceful() {
    let env = Env::configured();
    let server = serving(&env);
    let ready = server.ready.clone();
    assert_eq!(ready["type"], "ready");
    assert_eq!(ready["app"], "pforge-local-alice");
    assert_eq!(ready["hook"], format!("{}/github/hooks/", server.url()));
    assert!(ready["pid"].as_u64().is_some_and(|pid| pid > 0));
    let (stdout, stderr, code) = server.stop();
    assert_eq!(code, Some(0), "{stderr}");
    let last: serde_json::Value = serde_json::from_str(stdout.lines().last().expect("a line")).expect("JSON");
    assert_eq!(last["type"], "stopped");
}

#[test]
fn the_status_block_names_what_to_paste() {
    let env = Env::configured();
    let mut command = env.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.stdout(std::process::Stdio::null());
    let mut child = command.spawn().expect("starts");
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stderr.take().expect("piped")));
    let mut block = String::new();
    for line in lines.by_ref() {
        let line = line.expect("line");
        block += &line;
        block += "\n";
        if line.trim_start().starts_with("docs") {
            break;
        }
    }
    child.kill().expect("kill");
    child.wait().expect("wait");
    insta::assert_snapshot!("serve", env.filter(&block));
}

#[test]
fn a_taken_port_is_said_to_be_taken() {
    let env = Env::configured();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("bind");
    let address = taken.local_addr().expect("address").to_string();
    insta::assert_snapshot!("taken port", env.pforge(&["serve", "--listen", &address]));
}

#[test]
fn init_db_twice_changes_nothing_the_second_time() {
    let env = Env::configured();
    let server = serving(&env);
    let init = |args: &[&str]| env.pforge(&[&["init-db", server.url(), "alice/mock-feedstock"], args].concat());
    insta::assert_snapshot!("init-db", init(&[]));
    insta::assert_snapshot!("init-db again", init(&[]));
    let row = init(&["--json"]).success().json();
    assert_eq!(row["feedstock"]["created"], false);
    assert_eq!(row["feedstock"]["row"]["id"], 1);
    assert_eq!(row["bakery"]["row"]["name"], "local-test-bakery");
    // Another bakery is not added beside the first.
    let other = init(&["--bakery", "another", "--json"]).success().json();
    assert_eq!(other["bakery"]["row"]["name"], "local-test-bakery");
}

#[test]
fn the_api_refuses_with_the_right_code() {
    let mut env = Env::configured();
    let server = serving(&env);
    let address = server.url().to_owned();
    env.set("PFORGE_SERVER", &address);
    insta::assert_snapshot!("jobs show unknown", env.line("jobs show 4711"));
    insta::assert_snapshot!("jobs retry unknown", env.line("jobs retry 4711"));
    insta::assert_snapshot!("jobs drop unasked", env.line("jobs drop 4711"));
    insta::assert_snapshot!("jobs drop unknown", env.line("jobs drop 4711 --yes"));
    insta::assert_snapshot!("jobs list empty", env.line("jobs list"));
    assert_eq!(env.line("jobs list --json").success().json(), serde_json::json!({ "items": [], "next": null }));
    env.set("PANGEO_FORGE_API_KEY", "not-the-key");
    insta::assert_snapshot!("wrong api key", env.line("jobs list"));
    drop(server);
    insta::assert_snapshot!("no server", env.line("jobs list"));
    insta::assert_snapshot!("no server json", env.line("jobs list --json"));
    env.set("PFORGE_SERVER", "nowhere");
    insta::assert_snapshot!("bad server url", env.line("jobs list"));
}

#[test]
fn under_json_each_delivery_is_a_line() {
    let env = Env::configured();
    let mut server = serving(&env);
    let key = pforge::github::signature::Key::new(b"marker-webhook-secret-5ca1ab1e");
    let body = br#"{"zen":"Design for failure."}"#;
    let hook = server.ready["hook"].as_str().expect("hook").to_owned();
    let runtime = tokio::runtime::Runtime::new().expect("runtime");
    let status = runtime.block_on(async {
        let request = reqwest::Client::new().post(&hook).header("content-type", "application/json");
        let request = request.header("x-github-event", "ping").header("x-github-delivery", "guid-of-the-test");
        let request = request.header("x-hub-signature-256", key.sign(body)).body(body.to_vec());
        request.send().await.expect("answer").status().as_u16()
    });
    let first = server.line();
    assert_eq!(first["type"], "delivery", "{first}");
    assert_eq!(first["guid"], "guid-of-the-test");
    assert_eq!(first["answer_status"], status);
    let (stdout, stderr, code) = server.stop();
    assert_eq!((stdout.as_str(), code), ("{\"type\":\"stopped\"}\n", Some(0)), "{stderr}");
}
